// Random structural Verilog with every operator the reader knows, run by Icarus Verilog as well.
#pragma once

#include <string>
#include <vector>

#include "axmul/core/philox.hpp"
#include "axmul/netlist/netlist.hpp"
#include "axmul/netlist/readers.hpp"
#include "netlist/process.hpp"
#include "support/support.hpp"

namespace axmul::test {

/// A module `name` with inputs A[4:0], B[4:0] and an output O[11:0].
class RandomVerilog {
 public:
  RandomVerilog(std::uint64_t seed, std::string name) : random_(seed), name_(std::move(name)) {}

  std::string text() {
    nets_ = {{"A", 5, false}, {"B", 5, false}};
    std::string body;
    const int statements = 6 + static_cast<int>(below(14));
    for (int i = 0; i < statements; ++i) body += statement();
    std::string out;
    for (int i = 0; i < 4; ++i) out += (i == 0 ? "" : ", ") + bit();
    return "module " + name_ + "(A, B, O);\ninput [4:0] A; input [4:0] B; output [11:0] O;\n" +
           body + "assign O[3:0] = {" + out + "};\nassign O[11:4] = " + expression(4) +
           ";\nendmodule\n";
  }

 private:
  struct Net {
    std::string name;
    int width;
    bool is_signed;
  };

  std::uint64_t below(std::uint64_t n) { return random_.next_below(n); }
  const Net& any() { return nets_[below(nets_.size())]; }

  std::string bit() {
    const Net& net = any();
    return net.width == 1 ? net.name
                          : net.name + "[" +
                                std::to_string(below(static_cast<std::uint64_t>(net.width))) + "]";
  }

  std::string part() {
    const Net& net = any();
    if (net.width < 2) return net.name;
    const int low = static_cast<int>(below(static_cast<std::uint64_t>(net.width)));
    const int high = low + static_cast<int>(below(static_cast<std::uint64_t>(net.width - low)));
    if (below(3) == 0)
      return net.name + "[" + std::to_string(low) + " +: " + std::to_string(high - low + 1) + "]";
    return net.name + "[" + std::to_string(high) + ":" + std::to_string(low) + "]";
  }

  std::string expression(int depth) {
    if (depth == 0) {
      switch (below(5)) {
        case 0:
          return any().name;
        case 1:
          return bit();
        case 2:
          return part();
        case 3:
          return std::to_string(1 + below(6)) + "'d" + std::to_string(below(2));
        default:
          return "4'b" + std::to_string(below(2)) + std::to_string(below(2)) + "01";
      }
    }
    const auto sub = [&] {
      return expression(depth - 1 - static_cast<int>(below(static_cast<std::uint64_t>(depth))));
    };
    switch (below(18)) {
      case 0:
        return "(" + sub() + " & " + sub() + ")";
      case 1:
        return "(" + sub() + " | " + sub() + ")";
      case 2:
        return "(" + sub() + " ^ " + sub() + ")";
      case 3:
        return "(" + sub() + " ~^ " + sub() + ")";
      case 4:
        return "(" + sub() + " + " + sub() + ")";
      case 5:
        return "(" + sub() + " - " + sub() + ")";
      case 6:
        return "(~(" + sub() + "))";
      case 7:
        return "(" + sub() + " ? " + sub() + " : " + sub() + ")";
      case 8:
        return "{" + sub() + ", " + sub() + "}";
      case 9:
        return "{" + std::to_string(1 + below(3)) + "{" + sub() + "}}";
      case 10:
        return "(" + sub() + " == " + sub() + ")";
      case 11:
        return "(" + sub() + " != " + sub() + ")";
      case 12:
        return "(" + sub() + (below(2) == 0 ? " << " : " >> ") + std::to_string(below(4)) + ")";
      case 13:
        return "(" + sub() + (below(2) == 0 ? " && " : " || ") + sub() + ")";
      case 14:
        return "(!(" + sub() + "))";
      case 15: {
        static const char* kReductions[] = {"&", "|", "^", "~&", "~|", "~^"};
        return std::string("(") + kReductions[below(6)] + "(" + sub() + "))";
      }
      case 16:
        return "(" + sub() + " & " + sub() + " | " + sub() + " ^ " + sub() + ")";
      default:
        return "(-(" + sub() + "))";
    }
  }

  std::string statement() {
    const std::string id = std::to_string(nets_.size());
    const int width = 1 + static_cast<int>(below(6));
    const bool is_signed = below(4) == 0;
    const std::string range =
        width == 1 && !is_signed ? "" : "[" + std::to_string(width - 1) + ":0] ";
    const Net net{"n" + id, width == 1 && !is_signed ? 1 : width, is_signed};
    std::string text =
        std::string("wire ") + (is_signed ? "signed " : "") + range + net.name + ";\n";
    switch (below(4)) {
      case 0: {
        static const char* kGates[] = {"and", "or", "xor", "nand", "nor", "xnor", "buf", "not"};
        for (int i = 0; i < width; ++i) {
          const std::uint64_t kind = below(8);
          const int inputs = kind >= 6 ? 1 : 2 + static_cast<int>(below(4));
          text += std::string(kGates[kind]) + " (" + net.name +
                  (range.empty() ? "" : "[" + std::to_string(i) + "]");
          for (int k = 0; k < inputs; ++k) text += ", " + bit();
          text += ");\n";
        }
        break;
      }
      case 1:
        text += "helper h" + id + " (.p(" + expression(2) + "), .r(" + net.name + "), .q(" +
                expression(1) + "));\n";
        break;
      default:
        text += "assign " + net.name + " = " + expression(3) + ";\n";
    }
    nets_.push_back(net);
    return text;
  }

  Philox random_;
  std::string name_;
  std::vector<Net> nets_;
};

inline const char* helper_module() {
  return "module helper(p, q, r); input [3:0] p; input q; output [5:0] r;\n"
         "assign r = {p, 1'b1} + {6{q}}; endmodule\n";
}

/// Simulates `count` random modules on all 1024 inputs, by us and by one iverilog run, and
/// compares.
inline void check_against_iverilog(int count, std::uint64_t first_seed) {
  const ScratchDir folder;
  std::string modules, instances, prints;
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) {
    const std::string name = "rnd" + std::to_string(i);
    texts.push_back(RandomVerilog(first_seed + static_cast<std::uint64_t>(i), name).text());
    modules += texts.back();
    instances += "wire [11:0] o" + std::to_string(i) + "; " + name + " u" + std::to_string(i) +
                 "(x[9:5], x[4:0], o" + std::to_string(i) + ");\n";
    prints += "$display(\"%b\", o" + std::to_string(i) + ");\n";
  }
  write_text(folder / "all.v", std::string(helper_module()) + modules +
                                   "module tb; reg [9:0] x; integer i;\n" + instances +
                                   "initial for (i = 0; i < 1024; i = i + 1) begin x = i; #1;\n" +
                                   prints + "end endmodule\n");
  detail::ProcessOptions limits;
  limits.timeout_s = 300;
  limits.max_output = std::size_t{64} << 20;
  const auto compiled = detail::run_process({"iverilog", "-g2001", "-o", (folder / "sim").string(),
                                             "-s", "tb", (folder / "all.v").string()},
                                            limits);
  CAPTURE(compiled.output);
  REQUIRE(compiled.exit_code == 0);
  const auto ran = detail::run_process({"vvp", "-n", (folder / "sim").string()}, limits);
  REQUIRE(ran.exit_code == 0);
  const auto lines = static_cast<std::size_t>(count) * 1024;
  REQUIRE(ran.output.size() == lines * 13);
  for (int i = 0; i < count; ++i) {
    CAPTURE(texts[static_cast<std::size_t>(i)]);
    NetlistOptions options;
    options.top = "rnd" + std::to_string(i);
    const Netlist netlist =
        read_verilog_text(helper_module() + texts[static_cast<std::size_t>(i)], "rnd.v", options);
    std::vector<NetId> inputs = netlist.find_port("B")->nets;
    const auto& a = netlist.find_port("A")->nets;
    inputs.insert(inputs.end(), a.begin(), a.end());
    const TruthPlanes planes = simulate_planes(netlist, inputs, netlist.find_port("O")->nets);
    for (std::size_t x = 0; x < 1024; ++x) {
      std::string ours;
      for (std::size_t k = 12; k-- > 0;) ours += planes(k, x) ? '1' : '0';
      const std::string theirs = ran.output.substr(
          (x * static_cast<std::size_t>(count) + static_cast<std::size_t>(i)) * 13, 12);
      CAPTURE(x);
      REQUIRE(ours == theirs);
    }
  }
}

}  // namespace axmul::test
