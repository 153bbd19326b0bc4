// One multiplier written out in every notation that the readers know; `complete` = false leaves out
// the partial product a_{n−1}·b_0, which makes it asymmetric.
#pragma once

#include <string>
#include <vector>

namespace axmul::test {

/// The array multiplier as a list of steps that each notation spells its own way.
struct Step {
  char kind;  // '&' and, 'h' half adder, 'f' full adder, '0' constant
  std::string out, carry;
  std::vector<std::string> in;  // for '&': indices into A and B
};

struct Recipe {
  std::vector<Step> steps;
  std::vector<std::string> product;
  std::vector<std::string> wires;
};

inline Recipe recipe(int width, bool complete) {
  Recipe r;
  const auto n = static_cast<std::size_t>(width);
  std::vector<std::vector<std::string>> columns(2 * n + 1);
  const auto wire = [&](const std::string& name) {
    r.wires.push_back(name);
    return name;
  };
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      if (!complete && i == n - 1 && j == 0) continue;
      const std::string name = wire("pp_" + std::to_string(i) + "_" + std::to_string(j));
      r.steps.push_back({'&', name, "", {std::to_string(i), std::to_string(j)}});
      columns[i + j].push_back(name);
    }
  int count = 0;
  for (std::size_t c = 0; c < 2 * n; ++c) {
    auto& column = columns[c];
    while (column.size() > 1) {
      const std::size_t take = column.size() > 2 ? 3 : 2;
      const std::string id = std::to_string(count++);
      Step step{take == 3 ? 'f' : 'h',
                wire("s" + id),
                wire("c" + id),
                {column.begin(), column.begin() + static_cast<std::ptrdiff_t>(take)}};
      column.erase(column.begin(), column.begin() + static_cast<std::ptrdiff_t>(take));
      column.push_back(step.out);
      columns[c + 1].push_back(step.carry);
      r.steps.push_back(step);
    }
    r.product.push_back(column.empty() ? "" : column[0]);
  }
  return r;
}

inline std::string verilog_frame(int width, const Recipe& r, const std::string& body) {
  std::string wires;
  for (const std::string& name : r.wires) wires += (wires.empty() ? "" : ", ") + name;
  std::string out;
  for (std::size_t k = 0; k < r.product.size(); ++k)
    out += "assign O[" + std::to_string(k) +
           "] = " + (r.product[k].empty() ? "1'b0" : r.product[k]) + ";\n";
  const std::string top = std::to_string(width - 1);
  return "module m(A, B, O);\ninput [" + top + ":0] A;\ninput [" + top + ":0] B;\noutput [" +
         std::to_string(2 * width - 1) + ":0] O;\nwire " + wires + ";\n" + body + out +
         "endmodule\n";
}

inline std::string assigns_verilog(int width, bool complete) {
  const Recipe r = recipe(width, complete);
  std::string body;
  for (const Step& s : r.steps) {
    if (s.kind == '&') body += "assign " + s.out + " = A[" + s.in[0] + "] & B[" + s.in[1] + "];\n";
    if (s.kind == 'h')
      body += "assign " + s.out + " = " + s.in[0] + " ^ " + s.in[1] + ";\nassign " + s.carry +
              " = " + s.in[0] + " & " + s.in[1] + ";\n";
    if (s.kind == 'f')
      body += "assign {" + s.carry + ", " + s.out + "} = " + s.in[0] + " + " + s.in[1] + " + " +
              s.in[2] + ";\n";
  }
  return verilog_frame(width, r, body);
}

inline std::string primitives_verilog(int width, bool complete) {
  const Recipe r = recipe(width, complete);
  std::string body;
  for (const Step& s : r.steps) {
    if (s.kind == '&') body += "and (" + s.out + ", A[" + s.in[0] + "], B[" + s.in[1] + "]);\n";
    if (s.kind == 'h')
      body += "xor (" + s.out + ", " + s.in[0] + ", " + s.in[1] + "); and (" + s.carry + ", " +
              s.in[0] + ", " + s.in[1] + ");\n";
    if (s.kind == 'f') {
      const std::string id = s.out.substr(1);
      body += "xor (" + s.out + ", " + s.in[0] + ", " + s.in[1] + ", " + s.in[2] + "); nand (x" +
              id + ", " + s.in[0] + ", " + s.in[1] + "), (y" + id + ", " + s.in[1] + ", " +
              s.in[2] + "), (z" + id + ", " + s.in[0] + ", " + s.in[2] + ");\nnand (" + s.carry +
              ", x" + id + ", y" + id + ", z" + id + ");\n";
    }
  }
  return verilog_frame(width, r, body);
}

inline std::string cells_verilog(int width, bool complete) {
  const Recipe r = recipe(width, complete);
  std::string body;
  for (const Step& s : r.steps) {
    const std::string id = "u_" + s.out;
    if (s.kind == '&')
      body += "AND2X1 " + id + " (.A(A[" + s.in[0] + "]), .B(B[" + s.in[1] + "]), .Y(" + s.out +
              "));\n";
    if (s.kind == 'h')
      body += "HAX1 " + id + " (.A(" + s.in[0] + "), .B(" + s.in[1] + "), .YS(" + s.out +
              "), .YC(" + s.carry + "));\n";
    if (s.kind == 'f')
      body += "FAX1 " + id + " (" + s.in[0] + ", " + s.in[1] + ", " + s.in[2] + ", " + s.out +
              ", " + s.carry + ");\n";
  }
  return verilog_frame(width, r, body);
}

inline std::string blif(int width, bool complete) {
  const Recipe r = recipe(width, complete);
  std::string text = ".model m\n.inputs";
  for (int i = 0; i < width; ++i)
    text += " A[" + std::to_string(i) + "] B[" + std::to_string(i) + "]";
  text += "\n.outputs";
  for (std::size_t i = 0; i < r.product.size(); ++i) text += " O[" + std::to_string(i) + "]";
  text += "\n";
  for (const Step& s : r.steps) {
    if (s.kind == '&') text += ".names A[" + s.in[0] + "] B[" + s.in[1] + "] " + s.out + "\n11 1\n";
    if (s.kind == 'h')
      text += ".names " + s.in[0] + " " + s.in[1] + " " + s.out + "\n10 1\n01 1\n.names " +
              s.in[0] + " " + s.in[1] + " " + s.carry + "\n11 1\n";
    if (s.kind == 'f') {
      const std::string in = s.in[0] + " " + s.in[1] + " " + s.in[2] + " ";
      text += ".names " + in + s.out + "\n100 1\n010 1\n001 1\n111 1\n.names " + in + s.carry +
              "\n11- 1\n1-1 1\n-11 1\n";
    }
  }
  for (std::size_t k = 0; k < r.product.size(); ++k)
    text += r.product[k].empty()
                ? ".names O[" + std::to_string(k) + "]\n"
                : ".names " + r.product[k] + " O[" + std::to_string(k) + "]\n1 1\n";
  return text + ".end\n";
}

inline std::string yosys_json(int width, bool complete) {
  const Recipe r = recipe(width, complete);
  int next = 2;
  std::vector<std::pair<std::string, int>> numbers;
  const auto number = [&](const std::string& name) {
    for (const auto& [known, value] : numbers)
      if (known == name) return std::to_string(value);
    numbers.emplace_back(name, next);
    return std::to_string(next++);
  };
  std::string a, b, o, cells;
  for (int i = 0; i < width; ++i) {
    a += (i == 0 ? "" : ",") + number("A" + std::to_string(i));
    b += (i == 0 ? "" : ",") + number("B" + std::to_string(i));
  }
  int id = 0;
  const auto gate = [&](const std::string& type, const std::string& x, const std::string& y,
                        const std::string& out) {
    cells += std::string(cells.empty() ? "" : ",") + "\"g" + std::to_string(id++) +
             "\":{\"type\":\"" + type +
             "\",\"port_directions\":{\"A\":\"input\",\"B\":\"input\",\"Y\":\"output\"},"
             "\"connections\":{\"A\":[" +
             number(x) + "],\"B\":[" + number(y) + "],\"Y\":[" + number(out) + "]}}";
  };
  for (const Step& s : r.steps) {
    if (s.kind == '&') gate("$_AND_", "A" + s.in[0], "B" + s.in[1], s.out);
    if (s.kind == 'h') {
      gate("$_XOR_", s.in[0], s.in[1], s.out);
      gate("$_AND_", s.in[0], s.in[1], s.carry);
    }
    if (s.kind == 'f') {
      const std::string k = std::to_string(id);
      gate("$_XOR_", s.in[0], s.in[1], "x" + k);
      gate("$_XOR_", "x" + k, s.in[2], s.out);
      gate("$_NAND_", s.in[0], s.in[1], "y" + k);
      gate("$_NAND_", "x" + k, s.in[2], "z" + k);
      gate("$_NAND_", "y" + k, "z" + k, s.carry);
    }
  }
  for (std::size_t k = 0; k < r.product.size(); ++k)
    o += std::string(k == 0 ? "" : ",") + (r.product[k].empty() ? "\"0\"" : number(r.product[k]));
  return "{\"creator\":\"Yosys "
         "(test)\",\"modules\":{\"m\":{\"attributes\":{\"top\":"
         "\"00000000000000000000000000000001\"},\"ports\":{"
         "\"A\":{\"direction\":\"input\",\"bits\":[" +
         a + "]},\"B\":{\"direction\":\"input\",\"bits\":[" + b +
         "]},\"O\":{\"direction\":\"output\",\"bits\":[" + o + "]}},\"cells\":{" + cells +
         "},\"netnames\":{}}}}";
}

/// C in the manner of EvoApproxLib, its parameters in this order with these names.
inline std::string c_model(int width, bool complete, const std::string& first,
                           const std::string& second) {
  const Recipe r = recipe(width, complete);
  const bool upper = first == "B" || first == "A";
  const std::string a = upper ? "A" : "a", b = upper ? "B" : "b";
  std::string text =
      "#include <stdint.h>\n#include <stdlib.h>\n\nuint64_t mul8u_model(const uint64_t " + first +
      ",const uint64_t " + second + ")\n{\n  uint64_t O = 0";
  for (const std::string& name : r.wires) text += ", " + name;
  text += ";\n";
  for (const Step& s : r.steps) {
    if (s.kind == '&')
      text += "  " + s.out + " = ((" + a + " >> " + s.in[0] + ")&1)&((" + b + " >> " + s.in[1] +
              ")&1);\n";
    if (s.kind == 'h')
      text += "  " + s.out + " = " + s.in[0] + "^" + s.in[1] + "; " + s.carry + " = " + s.in[0] +
              "&" + s.in[1] + ";\n";
    if (s.kind == 'f') {
      const std::string &x = s.in[0], &y = s.in[1], &z = s.in[2];
      text += "  " + s.out + " = " + x + "^" + y + "^" + z + "; " + s.carry + " = (" + x + "&" + y +
              ")|(" + y + "&" + z + ")|(" + x + "&" + z + ");\n";
    }
  }
  for (std::size_t k = 0; k < r.product.size(); ++k)
    if (!r.product[k].empty())
      text += "  O |= (" + r.product[k] + "&1) << " + std::to_string(k) + ";\n";
  return text + "  return O;\n}\n";
}

}  // namespace axmul::test
