// Running the tools, and what they say of themselves.
#include "netlist/tools.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include "netlist/read_circuit.hpp"
#include "netlist/source.hpp"

namespace axmul {

namespace detail {

namespace fs = std::filesystem;

ProcessResult run_tool(const std::vector<std::string>& argv, const TemporaryFolder& folder,
                       const std::vector<std::string>& readable, const NetlistOptions& options) {
  ProcessOptions limits;
  limits.timeout_s = std::max(60.0, options.native_timeout_s);
  limits.max_memory = std::size_t{4} << 30;
  limits.directory = folder.path();
  // `include, $readmemh and textio would read any file into the circuit.
  FileAccess access{system_paths(), {folder.path()}};
  access.readable.insert(access.readable.end(), readable.begin(), readable.end());
  access.readable.push_back(fs::path(find_program(argv[0])).parent_path().parent_path().string());
  const FileRules rules(access);
  limits.files = &rules;
  limits.environment = environment_with({"TMPDIR=" + folder.path(), "LC_ALL=C"});
  ProcessResult result = run_process(argv, limits);
  if (result.unconfined)
    throw UnavailableError(262, "the kernel refused to keep files from " + argv[0]);
  return result;
}

std::vector<std::string> design_files_of(const std::string& path, const NetlistOptions& options) {
  std::vector<std::string> files{path};
  for (const std::string& file : options.files)
    if (file != path) files.push_back(file);
  for (std::string& file : files) {
    const std::string absolute = fs::absolute(file).string();
    if (absolute.find_first_of("\"\n\\") != std::string::npos)
      throw UsageError(290, file + ": scripts of tools cannot name such a file");
    file = absolute;
  }
  return files;
}

std::vector<std::string> design_folders(const std::vector<std::string>& files,
                                        const NetlistOptions& options) {
  std::vector<std::string> folders;
  for (const std::string& file : files) folders.push_back(fs::path(file).parent_path().string());
  for (const std::string& folder : options.include_folders)
    folders.push_back(fs::absolute(folder).string());
  std::ranges::sort(folders);
  folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
  return folders;
}

bool is_vhdl(const std::string& path) {
  std::string type = fs::path(path).extension().string();
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return type == ".vhd" || type == ".vhdl";
}

bool has_vhdl(const NetlistOptions& options) { return std::ranges::any_of(options.files, is_vhdl); }

const std::string& tool_version(const std::string& tool) {
  static std::mutex mutex;
  static std::map<std::string, std::string> known;
  const std::lock_guard lock(mutex);
  const auto [found, is_new] = known.try_emplace(tool);
  if (!is_new) return found->second;
  ProcessOptions limits;
  limits.timeout_s = 10;
  const std::string& text = run_process({tool, tool == "ghdl" ? "--version" : "-V"}, limits).output;
  for (std::size_t at = text.find('.'); at != std::string::npos; at = text.find('.', at + 1)) {
    const auto is_part = [&](std::size_t i) {
      return i < text.size() && ((text[i] >= '0' && text[i] <= '9') || text[i] == '.');
    };
    std::size_t start = at, end = at;
    while (start > 0 && is_part(start - 1)) --start;
    while (is_part(end)) ++end;
    if (start == at || end == at + 1) continue;
    found->second = text.substr(start, end - start);
    break;
  }
  return found->second;
}

std::size_t line_before(const std::string& output, std::size_t at) {
  if (at == std::string::npos) return 0;
  const std::size_t start = output.rfind('\n', at) + 1;  // npos + 1 = 0
  const std::string_view before = std::string_view(output).substr(start, at - start);
  for (std::size_t colon = before.find(':'); colon != std::string_view::npos;
       colon = before.find(':', colon + 1)) {
    std::size_t line = 0, i = colon + 1;
    for (; i < before.size() && i < colon + 9 && before[i] >= '0' && before[i] <= '9'; ++i)
      line = 10 * line + static_cast<std::size_t>(before[i] - '0');
    if (line > 0 && i < before.size() && (before[i] == ':' || before[i] == '-' || before[i] == '.'))
      return line;
  }
  return 0;
}

}  // namespace detail

std::string tools_of(const std::string& path, const NetlistOptions& options) {
  const auto named = [](const std::string& tool) {
    const std::string& version = detail::tool_version(tool);
    return tool + (version.empty() ? "" : " " + version);
  };
  const std::string format = detail::circuit_format(path);
  if (detail::is_simulated(path, options)) return named("iverilog");
  if (format == "vhdl" || (format == "verilog" && detail::has_vhdl(options)))
    return named("ghdl") + ", " + named("yosys");
  return format == "verilog" && options.synthesize ? named("yosys") : "";
}

}  // namespace axmul
