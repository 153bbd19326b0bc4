// Behavioural RTL through yosys, VHDL through ghdl before it: synthesised to simple gates, read
// back as Yosys JSON.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/circuits.hpp"
#include "axmul/netlist/readers.hpp"
#include "netlist/cells.hpp"
#include "netlist/process.hpp"
#include "netlist/source.hpp"
#include "netlist/tools.hpp"
#include "netlist/verilog/design.hpp"

namespace axmul {

namespace {

bool is_name(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '$';
  });
}

void check_names(const NetlistOptions& options) {
  if (!options.top.empty() && !is_name(options.top))
    throw UsageError(290, "--top " + detail::in_quotes(options.top) + " is no module name");
  for (const auto& [name, value] : options.parameters) {
    const bool is_number = !value.empty() && std::ranges::all_of(value, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '\'' || c == '-';
    });
    if (!is_name(name) || !is_number)
      throw UsageError(218, "--param " + name + "=" + value +
                                ": a name and a number are needed, such as N=8 or N=8'hff");
  }
  for (const std::string& define : options.defines)
    if (define.find_first_of("\"\n\\; ") != std::string::npos)
      throw UsageError(
          290, "--define " + detail::in_quotes(define) + ": tools take macros of one word only");
}

/// The top module that axmul's own parser finds; empty where it cannot, then yosys chooses.
std::string guessed_top(const std::string& path, const NetlistOptions& options) {
  if (!options.top.empty()) return options.top;
  try {
    const detail::VerilogFiles files =
        detail::parse_design(detail::read_source(path, options.max_file_bytes), path, options);
    const std::string name(detail::find_top(files, options).module->name);
    return is_name(name) ? name : "";
  } catch (const InputError& error) {
    if (dynamic_cast<const NotMultiplierError*>(&error) != nullptr) throw;
    return "";
  }
}

/// 0x7f is 'h7f in Verilog.
std::string verilog_number(const std::string& text) {
  return text.starts_with("0x") ? "'h" + text.substr(2) : text;
}

struct Synthesis {
  std::string path, top;
  std::vector<std::string> files;
  const NetlistOptions& options;

  std::string script(const std::string& json) const {
    std::string common = "read_verilog -sv";
    for (const std::string& define : options.defines) common += " -D" + define;
    for (const std::string& folder : detail::design_folders(files, options))
      if (folder.find(' ') == std::string::npos) common += " -I" + folder;  // beside the file's own
    std::string text;
    for (const std::string& file : files) text += common + " \"" + file + "\"\n";
    if (options.library) {
      for (const std::string& file : options.library->impl().verilog_paths)
        text += common + " -nooverwrite \"" + std::filesystem::absolute(file).string() + "\"\n";
      for (const std::string& file : options.library->impl().liberty_paths)
        text +=
            "read_liberty -nooverwrite -ignore_miss_func -ignore_miss_dir "
            "-ignore_miss_data_latch \"" +
            std::filesystem::absolute(file).string() + "\"\n";
    }
    text += top.empty() ? "hierarchy -check -auto-top" : "hierarchy -check -top " + top;
    for (const auto& [name, value] : options.parameters)
      text += " -chparam " + name + " " + verilog_number(value);
    text += "\n";
    if (!options.parameters.empty() && !top.empty()) text += "rename -top " + top + "\n";
    return text +
           "synth -flatten\nabc -g AND,NAND,OR,NOR,XOR,XNOR,MUX,ANDNOT,ORNOT\nopt_clean\n"
           "write_json \"" +
           json + "\"\n";
  }

  Netlist run(const detail::TemporaryFolder& folder) const {
    const std::string json = folder.file("netlist.json"), script_file = folder.file("synth.ys");
    {
      std::ofstream file(script_file);
      file << script(json);
      if (!file) throw UnavailableError(262, "cannot write " + script_file);
    }
    std::vector<std::string> readable = detail::design_folders(files, options);
    if (options.library)
      for (const auto* list :
           {&options.library->impl().verilog_paths, &options.library->impl().liberty_paths})
        for (const std::string& file : *list)
          readable.push_back(std::filesystem::absolute(file).parent_path().string());
    const detail::ProcessResult result =
        detail::run_tool({"yosys", "-q", "-s", script_file}, folder, readable, options);
    if (!result.started)
      throw UnavailableError(
          280, "--synthesize needs yosys, which is not installed (apt install yosys)");
    if (result.timed_out) detail::fail(281, path, 0, "yosys ran longer than its time limit");
    if (result.exit_code != 0) report(result.output);
    NetlistOptions plain = options;
    plain.top.clear();
    return read_yosys_json_text(detail::read_source(json, std::size_t{1} << 30), path, plain);
  }

  [[noreturn]] void report(const std::string& output) const {
    const std::size_t at = output.find("ERROR");
    std::string text = at == std::string::npos ? output : output.substr(at);
    text = text.substr(0, std::min<std::size_t>(text.find('\n'), 300));
    if (text.ends_with('.')) text.pop_back();
    if (text.find("is not part of the design") != std::string::npos ||
        text.find("referenced in module") != std::string::npos)
      text += "; give its file too: several files with --as-one, or --cells FILE";
    else if (text.find("syntax error") != std::string::npos)
      text +=
          "; what yosys does not read Icarus Verilog may: --simulate --allow-native-code takes "
          "the table from it";
    detail::fail(281, path, detail::line_before(output, at), "yosys: " + text);
  }
};

std::vector<std::string> ghdl_command(const std::vector<std::string>& vhdl, const char* standard,
                                      const NetlistOptions& options) {
  std::vector<std::string> command{"ghdl",       "--synth",   standard,
                                   "-fsynopsys", "-frelaxed", "--out=verilog"};
  for (const auto& [name, value] : options.parameters) command.push_back("-g" + name + "=" + value);
  command.insert(command.end(), vhdl.begin(), vhdl.end());
  command.emplace_back("-e");
  if (!options.top.empty()) command.push_back(options.top);
  return command;
}

/// VHDL files as Verilog text; in the order given, else the other way round.
std::string through_ghdl(const std::string& path, std::vector<std::string> vhdl,
                         const detail::TemporaryFolder& folder, const NetlistOptions& options) {
  std::string first;
  for (const bool reversed : {false, true}) {
    if (reversed && vhdl.size() == 1) break;
    if (reversed) std::ranges::reverse(vhdl);
    for (const char* standard : {"--std=08", "--std=93"}) {
      const detail::ProcessResult result =
          detail::run_tool(ghdl_command(vhdl, standard, options), folder,
                           detail::design_folders(vhdl, options), options);
      if (!result.started)
        throw UnavailableError(219, path +
                                        ": VHDL is read through ghdl, which is not installed (apt "
                                        "install ghdl); or give the Verilog that a synthesis "
                                        "tool writes of it");
      if (result.timed_out) detail::fail(226, path, 0, "ghdl ran longer than its time limit");
      const std::size_t module = result.output.find("module ");
      if (result.exit_code == 0 && module != std::string::npos) return result.output.substr(module);
      if (first.empty()) first = result.output;
    }
  }
  const std::size_t error = std::min(first.find("error:"), first.find(": "));
  std::string text = first.substr(std::min(error, first.size()));
  text = text.substr(0, std::min<std::size_t>(text.find('\n'), 300));
  detail::fail(226, path, detail::line_before(first, std::min(error + 1, first.size())),
               "ghdl: " + (text.starts_with(": ") ? text.substr(2) : text));
}

}  // namespace

bool yosys_available() { return detail::program_exists("yosys"); }

Netlist synthesize_verilog(const std::string& path, const NetlistOptions& options) {
  detail::read_source(path, options.max_file_bytes);  // an unreadable file is reported as such
  check_names(options);
  const detail::TemporaryFolder folder;
  return Synthesis{path, guessed_top(path, options), detail::design_files_of(path, options),
                   options}
      .run(folder);
}

Netlist synthesize_vhdl(const std::string& path, const NetlistOptions& options) {
  detail::read_source(path, options.max_file_bytes);
  check_names(options);
  const detail::TemporaryFolder folder;
  std::vector<std::string> vhdl, others;
  for (const std::string& file : detail::design_files_of(path, options))
    (detail::is_vhdl(file) ? vhdl : others).push_back(file);
  const std::string text = through_ghdl(path, vhdl, folder, options);
  const std::string verilog = folder.file("from_vhdl.v");
  {
    std::ofstream file(verilog);
    file << text;
    if (!file) throw UnavailableError(262, "cannot write " + verilog);
  }
  NetlistOptions plain = options;
  plain.parameters.clear();
  plain.files = others;
  others.insert(others.begin(), verilog);
  const std::string top = others.size() == 1 ? guessed_top(verilog, plain) : options.top;
  return Synthesis{path, top, others, plain}.run(folder);
}

}  // namespace axmul
