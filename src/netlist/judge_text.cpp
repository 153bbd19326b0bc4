// Texts between the judge and its tools.
#include "netlist/judge_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "netlist/cells.hpp"

namespace axmul::detail {

namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw InputError(724, "the judge cannot read its tools: " + what);
}

// The next word from `at`: a name, escaped name, number, or one character.
std::string next_word(std::string_view text, std::size_t& at) {
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
  const std::size_t start = at;
  const auto is_name = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '.';
  };
  if (at < text.size() && text[at] == '\\') {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) == 0) ++at;
  } else {
    while (at < text.size() && is_name(text[at])) ++at;
    if (at == start && at < text.size()) ++at;
  }
  return std::string(text.substr(start, at - start));
}

double number_at(std::string_view text, std::size_t at) {
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  if (error != std::errc()) refuse("no number in \"" + std::string(text.substr(at, 40)) + "\"");
  return value;
}

// The output as a function of the inputs' truth table: sum of products.
std::string expression(const LibraryCell& cell) {
  std::string sum;
  for (std::size_t pattern = 0; pattern < std::size_t{1} << cell.inputs.size(); ++pattern) {
    if ((cell.type.functions[0] >> pattern & 1) == 0) continue;
    std::string product;
    for (std::size_t i = 0; i < cell.inputs.size(); ++i)
      product +=
          (i == 0 ? "" : " & ") + std::string((pattern >> i & 1) != 0 ? "" : "~") + cell.inputs[i];
    sum += (sum.empty() ? "(" : " | (") + product + ")";
  }
  return sum.empty() ? "1'b0" : sum;
}

}  // namespace

std::string judged_verilog(const Netlist& netlist, const PortMap& ports) {
  Netlist named = netlist;
  named.name = "judged";
  named.technology.clear();
  for (Port& port : named.ports)
    port.name = port.name == ports.a         ? "A"
                : port.name == ports.b       ? "B"
                : port.name == ports.product ? "O"
                                             : "other_" + port.name;
  return to_verilog(named);
}

std::vector<MappedCell> mapped_cells(const std::string& verilog, const CellLibrary& library) {
  static const std::set<std::string> kOther = {"module", "input", "output", "wire", "assign"};
  std::vector<MappedCell> cells;
  std::size_t at = 0;
  // Statement by statement: "TYPE NAME ( … );" is an instance. Comments are whole lines.
  std::string text;
  std::istringstream lines(verilog);
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("/*")) text += line + "\n";
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(';', at), text.size());
    std::size_t word_at = at;
    const std::string type = next_word(text, word_at);
    at = end + 1;
    if (type.empty() || type == "endmodule" || kOther.contains(type)) continue;
    const LibraryCell* cell = library.impl().find(type);
    if (cell == nullptr || cell->outputs.size() != 1 || !cell->unusable.empty())
      refuse("yosys mapped onto cell \"" + type + "\", which is no gate of one output");
    cells.push_back({next_word(text, word_at), type});
  }
  return cells;
}

std::string without_assignments(const std::string& verilog) {
  std::string result;
  std::istringstream lines(verilog);
  bool skipping = false;
  for (std::string line; std::getline(lines, line);) {
    skipping = skipping || line.starts_with("  assign ");
    if (!skipping) result += line + "\n";
    if (line.ends_with(";")) skipping = false;
  }
  return result;
}

CellDelays read_sdf(std::string_view sdf) {
  struct Sum {
    double rise = 0, fall = 0;
    int paths = 0;
  };
  std::map<std::string, Sum, std::less<>> sums;
  std::string instance;
  // "(0.1::0.2)": the last of the numbers, the slow one, in ns.
  const auto delay = [&](std::size_t& at) {
    const std::size_t open = sdf.find('(', at), close = sdf.find(')', open);
    if (close == std::string_view::npos) refuse("an SDF path without delays");
    const std::string_view triple = sdf.substr(open + 1, close - open - 1);
    at = close + 1;
    return triple.empty() ? 0.0 : 1000 * number_at(triple, triple.rfind(':') + 1);
  };
  for (std::size_t at = 0; (at = sdf.find('(', at)) != std::string_view::npos;) {
    ++at;
    const std::string word = next_word(sdf, at);
    if (word == "INSTANCE") {
      const std::size_t close = sdf.find(')', at);
      std::size_t name_at = at;
      instance = sdf.substr(at, close - at).find_first_not_of(" \n") == std::string_view::npos
                     ? ""
                     : next_word(sdf, name_at);
      at = close;
    } else if (word == "IOPATH") {
      next_word(sdf, at);
      next_word(sdf, at);
      Sum& sum = sums[instance];
      sum.rise += delay(at);
      sum.fall += delay(at);
      ++sum.paths;
    }
  }
  CellDelays delays;
  for (const auto& [name, sum] : sums) delays[name] = {sum.rise / sum.paths, sum.fall / sum.paths};
  return delays;
}

std::string cell_models(const std::vector<MappedCell>& cells, const CellLibrary& library) {
  std::set<std::string> types;
  for (const MappedCell& cell : cells) types.insert(cell.type);
  std::string text = "`timescale 1ps/1ps\n";
  for (const std::string& type : types) {
    const LibraryCell& cell = *library.impl().find(type);
    std::string pins, inputs;
    for (const std::string& pin : cell.inputs) {
      pins += pin + ", ";
      inputs += "  input " + pin + ";\n";
    }
    const std::string& out = cell.outputs[0];
    text += joined(
        "module ", type, "(", pins, out, ");\n", inputs, "  output ", out,
        ";\n  parameter R = 1, F = 1;\n  wire v = ", expression(cell), ";\n  assign #(R, F) ", out,
        " = v;\n  integer n, z;\n  reg s;\n  initial begin n = 0; z = 0; end\n  always @(", out,
        ") if (bench.counting) n = n + 1;\n  always @(posedge bench.settled) begin\n"
        "    if (bench.counting && ",
        out, " !== s) z = z + 1;\n    s = ", out,
        ";\n  end\n  always @(posedge bench.done) $display(\"TOGGLES %m %0d %0d\", n, z);\n"
        "endmodule\n");
  }
  return text;
}

std::string bench(const std::vector<MappedCell>& cells, const CellDelays& delays,
                  std::size_t a_bits, std::size_t b_bits) {
  std::string text = joined("module bench;\n  reg [", a_bits - 1, ":0] A;\n  reg [", b_bits - 1,
                            ":0] B;\n  wire [", a_bits + b_bits - 1,
                            ":0] O;\n  reg counting, settled, done;\n"
                            "  reg [23:0] line [0:1048575];\n  integer i, lines;\n"
                            "  judged dut(.A(A), .B(B), .O(O));\n");
  for (const MappedCell& cell : cells) {
    const auto found = delays.find(cell.instance);
    if (found == delays.end()) continue;  // a constant's cell has no path
    const auto ps = [](double delay) { return std::max(1L, std::lround(delay)); };
    text += joined("  defparam dut.", cell.instance, ".R = ", ps(found->second.rise),
                   ";\n  defparam dut.", cell.instance, ".F = ", ps(found->second.fall), ";\n");
  }
  return text +
         "  initial begin\n    counting = 0; settled = 0; done = 0;\n"
         "    if (!$value$plusargs(\"lines=%d\", lines)) lines = 0;\n"
         "    $readmemh(\"pairs.hex\", line, 0, lines - 1);\n"
         "    for (i = 0; i < lines; i = i + 1) begin\n"
         "      counting = line[i][16];\n"
         "      A = line[i][15:8]; B = line[i][7:0];\n"
         "      #100000 settled = 1;\n      #1 settled = 0;\n    end\n"
         "    done = 1;\n    #1 $finish;\n  end\nendmodule\n";
}

Stimulus stimulus(const OperandPairs& pairs, std::size_t changes, std::size_t a_bits,
                  std::size_t b_bits) {
  Stimulus result;
  const unsigned a_mask = (1u << a_bits) - 1, b_mask = (1u << b_bits) - 1;
  const auto line = [&](bool count, std::uint8_t a, std::uint8_t b) {
    std::ostringstream hex;
    hex << std::hex << ((count ? 1u << 16 : 0u) | (a & a_mask) << 8 | (b & b_mask)) << '\n';
    result.text += hex.str();
    ++result.lines;
  };
  const std::size_t n = pairs.size();
  result.changes = std::min(changes, pairs.are_ordered() ? n : n - 1);
  const std::size_t take = result.changes + (pairs.are_ordered() ? 0 : 1);
  for (std::size_t i = 0; i < take; ++i) {
    const std::size_t at = i * n / take;
    if (pairs.are_ordered()) {
      line(false, pairs.a[at], pairs.b[at]);
      line(true, pairs.next_a[at], pairs.next_b[at]);
    } else {
      line(i > 0, pairs.a[at], pairs.b[at]);
    }
  }
  return result;
}

std::map<std::string, Power> read_powers(std::string_view report,
                                         const std::vector<MappedCell>& cells) {
  std::map<std::string, Power> powers;
  std::istringstream lines{std::string(report)};
  // "internal switching leakage total instance"
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Power power;
    double leakage = 0, total = 0;
    std::string instance;
    if (words >> power.internal_w >> power.switching_w >> leakage >> total >> instance)
      powers[instance] = power;
  }
  for (const MappedCell& cell : cells)
    if (!powers.contains(cell.instance)) refuse("OpenSTA tells no power of " + cell.instance);
  return powers;
}

double worst_slack(std::string_view report) {
  const std::size_t at = report.find("(MET)");
  if (at == std::string_view::npos) refuse(std::string(report.substr(0, 300)));
  std::size_t start = report.find_last_not_of(' ', at - 1);
  start = report.rfind(' ', start) + 1;
  return number_at(report, start);
}

double number_after(std::string_view text, std::string_view before) {
  const std::size_t at = text.rfind(before);
  if (at == std::string_view::npos) return 0;  // yosys says no area of a module without cells
  return number_at(text, at + before.size());
}

}  // namespace axmul::detail
