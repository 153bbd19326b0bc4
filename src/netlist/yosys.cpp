// Behavioural RTL through yosys: synthesised to simple gates, read back as Yosys JSON.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/readers.hpp"
#include "netlist/process.hpp"
#include "netlist/source.hpp"

namespace axmul {

bool yosys_available() { return detail::program_exists("yosys"); }

Netlist synthesize_verilog(const std::string& path, const NetlistOptions& options) {
  detail::read_source(path, options.max_file_bytes);  // an unreadable file is reported as such
  const detail::TemporaryFolder folder;
  const std::string json = folder.file("netlist.json"), script = folder.file("synth.ys");
  const std::string absolute = std::filesystem::absolute(path).string();
  if (absolute.find_first_of("\"\n\\") != std::string::npos)
    throw UsageError(290, path + ": yosys scripts cannot name such a file");
  for (const char c : options.top)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '$')
      throw UsageError(290, "--top " + detail::in_quotes(options.top) + " is no module name");
  {
    std::ofstream file(script);
    file << "read_verilog -sv \"" << absolute << "\"\n"
         << (options.top.empty() ? "hierarchy -check -auto-top\n"
                                 : "hierarchy -check -top " + options.top + "\n")
         << "synth -flatten\nabc -g AND,NAND,OR,NOR,XOR,XNOR,MUX,ANDNOT,ORNOT\nopt_clean\n"
         << "write_json \"" << json << "\"\n";
    if (!file) throw UnavailableError(262, "cannot write " + script);
  }
  detail::ProcessOptions limits;
  limits.timeout_s = std::max(60.0, options.native_timeout_s);
  limits.max_memory = std::size_t{4} << 30;
  // `include and $readmemh would read any file into the circuit.
  detail::FileAccess access{detail::system_paths(), {folder.path()}};
  access.readable.push_back(std::filesystem::path(absolute).parent_path().string());
  access.readable.push_back(
      std::filesystem::path(detail::find_program("yosys")).parent_path().parent_path().string());
  const detail::FileRules rules(access);
  limits.files = &rules;
  limits.environment = detail::environment_with({"TMPDIR=" + folder.path()});
  const detail::ProcessResult result = detail::run_process({"yosys", "-q", "-s", script}, limits);
  if (!result.started)
    throw UnavailableError(280,
                           "--synthesize needs yosys, which is not installed (apt install yosys)");
  if (result.unconfined) throw UnavailableError(262, "the kernel refused to keep files from yosys");
  if (result.timed_out) detail::fail(281, path, 0, "yosys ran longer than its time limit");
  if (result.exit_code != 0) {
    const std::size_t at = result.output.find("ERROR");
    const std::string text = at == std::string::npos ? result.output : result.output.substr(at);
    detail::fail(281, path, 0,
                 "yosys: " + text.substr(0, std::min<std::size_t>(text.find('\n'), 300)));
  }
  NetlistOptions plain = options;
  plain.top.clear();
  return read_yosys_json_text(detail::read_source(json, std::size_t{1} << 30), path, plain);
}

}  // namespace axmul
