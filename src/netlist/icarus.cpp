// Tables from Icarus Verilog: a test bench over all operand pairs, compiled and run in a process
// that may read the design's folders and write its own.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "netlist/cells.hpp"
#include "netlist/read_circuit.hpp"
#include "netlist/source.hpp"
#include "netlist/tools.hpp"
#include "netlist/verilog/design.hpp"

namespace axmul::detail {

namespace {

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return text;
}

/// What drives an input that is no operand.
struct Drive {
  bool is_clock = false;
  std::string value;  // of Verilog; empty: nobody knows
};

Drive drive_of(const Port& port, const PortMap& ports) {
  const std::string width = std::to_string(port.nets.size());
  for (const auto& [name, value] : ports.ties)
    if (name == port.name) {
      static constexpr char kDigits[] = "0123456789abcdef";
      std::string digits;
      for (int shift = 60; shift >= 0; shift -= 4) digits += kDigits[value >> shift & 15];
      return {false, width + "'h" + digits};
    }
  const std::string name = lower(port.name);
  if (port.nets.size() != 1) return {};
  const auto holds = [&](std::initializer_list<const char*> words) {
    return std::ranges::any_of(words,
                               [&](const char* w) { return name.find(w) != std::string::npos; });
  };
  if (holds({"clk", "clock"}) || name == "ck") return {true, "1'b0"};
  if (holds({"rst", "reset", "clr", "clear"})) {
    const bool active_low = name.ends_with("n") || name.ends_with("n_i") || name.ends_with("b") ||
                            name.starts_with("n");
    return {false, active_low ? "1'b1" : "1'b0"};
  }
  if (name == "en" || name == "ce" || holds({"enable"})) return {false, "1'b1"};
  return {};
}

std::string escaped(const std::string& name) { return "\\" + name + " "; }

std::string bench_text(const Netlist& outline, const PortMap& ports, const NetlistOptions& options,
                       const std::string& output) {
  std::string declarations, connections, pulse;
  for (const Port& port : outline.ports) {
    const std::string wire = "x_" + std::to_string(&port - outline.ports.data());
    const std::string range = "[" + std::to_string(port.nets.size() - 1) + ":0] ";
    std::string value;
    if (port.name == ports.a || port.name == ports.b) {
      value = port.name == ports.a ? "i" : "j";
      declarations += "  wire " + range + wire + " = " + value + ";\n";
    } else if (port.is_output) {
      declarations += "  wire " + range + wire + ";\n";
      if (port.name == ports.product) declarations += "  wire " + range + "p = " + wire + ";\n";
    } else {
      const Drive drive = drive_of(port, ports);
      if (drive.value.empty())
        throw InputError(251, Place{},
                         "circuit \"" + outline.name + "\", input \"" + port.name +
                             "\": nobody drives it; tie it to a number, --ports " + port.name +
                             "=0");
      declarations += "  reg " + range + wire + " = " + drive.value + ";\n";
      if (drive.is_clock)
        pulse += "repeat (32) begin #500 " + wire + " = 1; #500 " + wire + " = 0; end ";
    }
    connections += (connections.empty() ? "." : ", .") + escaped(port.name) + "(" + wire + ")";
  }
  std::string parameters;
  for (const auto& [name, value] : options.parameters)
    parameters += (parameters.empty() ? "#(." : ", .") + name + "(" +
                  (value.starts_with("0x") ? "'h" + value.substr(2) : value) + ")";
  if (!parameters.empty()) parameters += ") ";
  return "`timescale 1ns/1ps\nmodule axmul_bench;\n  reg [8:0] i, j; integer f;\n" + declarations +
         "  " + escaped(outline.name) + parameters + "dut(" + connections +
         ");\n  initial begin\n    f = $fopen(\"" + output +
         "\", \"w\");\n    for (i = 0; i < 256; i = i + 1)\n      for (j = 0; j < 256; j = j + 1) "
         "begin\n        #1000 " +
         pulse + "$fdisplay(f, \"%b\", p);\n      end\n    $fclose(f);\n    $finish;\n  end\n" +
         "endmodule\n";
}

[[noreturn]] void report(const std::string& path, const std::string& output) {
  std::size_t at = output.find("error");
  if (at == std::string::npos) at = output.find("syntax");
  const std::size_t start = at == std::string::npos ? 0 : output.rfind('\n', at) + 1;
  std::string text =
      output.substr(start, std::min<std::size_t>(output.find('\n', start) - start, 300));
  fail(228, path, line_before(output, std::min(output.size(), start + text.size())),
       "Icarus Verilog: " + (text.empty() ? std::string("failed") : text));
}

void check(const ProcessResult& result, const std::string& path) {
  if (!result.started)
    throw UnavailableError(
        227, "--simulate needs Icarus Verilog, which is not installed (apt install iverilog)");
  if (result.timed_out)
    fail(228, path, 0,
         "the simulation ran longer than its time limit; --native-timeout allows more");
  if (result.exit_code != 0) report(path, result.output);
}

Words words_of(const std::string& text, const std::string& path, std::size_t width) {
  Words words{.only_index = OperandIndex::bits};
  words.wrap_bits = static_cast<unsigned>(std::min<std::size_t>(width, 24));
  words.words.reserve(kLutSize);
  for (std::size_t start = 0; start < text.size() && words.words.size() <= kLutSize;) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::uint64_t value = 0;
    for (std::size_t i = start; i < end; ++i) {
      if (text[i] != '0' && text[i] != '1')
        fail(212, path, 0,
             "the output is unknown (" + in_quotes(text.substr(start, end - start)) +
                 ") for a = " + std::to_string(words.words.size() / 256) +
                 ", b = " + std::to_string(words.words.size() % 256) +
                 "; an input without a driver, or a register without a clock?");
      value = value << 1 | (text[i] == '1' ? 1U : 0U);
    }
    // Wider outputs hold 24 bits, as they are or extended by their sign.
    const std::uint64_t top = value >> 23,
                        ones = width > 24 ? ~std::uint64_t{0} >> (64 - width + 23) : 0;
    if (value >> 24 != 0 && top != ones)
      fail(10, path, 0,
           "the output is " + std::to_string(value) +
               " for a = " + std::to_string(words.words.size() / 256) +
               ", b = " + std::to_string(words.words.size() % 256) + "; products have 24 bits");
    words.words.push_back(static_cast<std::int32_t>(value & 0xFFFFFF));
    start = end + 1;
  }
  if (words.words.size() != kLutSize)
    fail(228, path, 0,
         "the simulation ended after " + std::to_string(words.words.size()) +
             " of 65536 products; does the design call $finish?");
  return words;
}

}  // namespace

bool is_simulated(const std::string& path, const NetlistOptions& options) {
  return options.simulate && circuit_format(path) == "verilog" && !has_vhdl(options);
}

Netlist outline_for_simulation(const std::string& path, const NetlistOptions& options) {
  if (!options.allow_native_code)
    throw UsageError(260, path +
                              ": --simulate runs the design, and Verilog can open files; allow "
                              "that with --allow-native-code");
  VerilogFiles files = parse_design(read_source(path, options.max_file_bytes), path, options);
  const TopModule top = with_given_parameters(files, find_top(files, options), options);
  Netlist outline;
  outline.name = std::string(top.module->name);
  for (const ModulePort& port : ports_of(top)) {
    if (port.width < 1 || port.width > 64)
      fail(228, path, top.module->line,
           "the width of port " + in_quotes(port.name) + " of module " + in_quotes(outline.name) +
               " cannot be told before it is simulated; write it as numbers");
    Port p{port.name, port.is_output, {}, port.is_signed};
    for (std::int64_t i = 0; i < port.width; ++i) p.nets.push_back(outline.net_count++);
    outline.ports.push_back(std::move(p));
  }
  return outline;
}

Words simulated_words(const std::string& path, const Netlist& outline, const PortMap& ports,
                      const NetlistOptions& options) {
  const TemporaryFolder folder;
  const std::string bench = folder.file("axmul_bench.v"), program = folder.file("bench.vvp"),
                    table = folder.file("table.txt");
  {
    std::ofstream file(bench);
    file << bench_text(outline, ports, options, table);
    if (!file) throw UnavailableError(262, "cannot write " + bench);
  }
  std::vector<std::string> files = design_files_of(path, options);
  if (options.library)
    for (const std::string& cells : options.library->impl().verilog_paths)
      files.push_back(std::filesystem::absolute(cells).string());
  const std::vector<std::string> readable = design_folders(files, options);
  std::vector<std::string> compile{"iverilog", "-g2012", "-s", "axmul_bench", "-o", program};
  for (const std::string& folder_name : readable) compile.push_back("-I" + folder_name);
  for (const std::string& define : options.defines) compile.push_back("-D" + define);
  compile.push_back(bench);
  compile.insert(compile.end(), files.begin(), files.end());
  check(run_tool(compile, folder, readable, options), path);
  check(run_tool({"vvp", "-n", program}, folder, readable, options), path);
  const std::size_t width = outline.find_port(ports.product)->nets.size();
  return words_of(read_source(table, std::size_t{64} << 20), path, width);
}

}  // namespace axmul::detail
