// Two steps, so that each is given only what it needs: the compiler reads the model and headers,
// the assembler and linker, whose directives can read files as bytes, only what the compiler wrote.
#include "netlist/c_compile.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "axmul/core/errors.hpp"
#include "netlist/source.hpp"

namespace axmul::detail {

namespace {

namespace fs = std::filesystem;

bool is_below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder == "/" ? folder : folder + "/");
}

/// The names of #include lines, as they stand: "x.h" and <x.h> alike.
std::vector<std::string> included_names(std::string_view text) {
  std::vector<std::string> names;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string_view line = text.substr(start, end - start);
    start = end + 1;
    const auto skip_blanks = [&] {
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    };
    skip_blanks();
    if (!line.starts_with('#')) continue;
    line.remove_prefix(1);
    skip_blanks();
    if (!line.starts_with("include")) continue;
    const std::size_t open = line.find_first_of("\"<");
    if (open == std::string_view::npos) continue;
    const std::size_t close = line.find(line[open] == '"' ? '"' : '>', open + 1);
    if (close != std::string_view::npos)
      names.emplace_back(line.substr(open + 1, close - open - 1));
  }
  return names;
}

/// The real path of a file that a model in `folder` may include; else empty.
std::string includable(const fs::path& file, const std::string& folder) {
  std::error_code error;
  const std::string real = fs::canonical(file, error).string();
  if (error || !fs::is_regular_file(real, error) || !is_below(real, folder)) return "";
  const bool is_hidden = real.find("/.", folder.size()) != std::string::npos;
  return is_hidden ? "" : real;
}

std::string real_path(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  return error ? path : real.string();
}

/// system_paths(), and the compiler's own folders where it is installed elsewhere.
std::vector<std::string> toolchain_paths() {
  std::vector<std::string> paths = system_paths();
  const fs::path prefix = fs::path(real_path(find_program("cc"))).parent_path().parent_path();
  const auto is_known = [&](const std::string& path) { return is_below(prefix.string(), path); };
  if (std::ranges::any_of(paths, is_known)) return paths;
  for (const char* part : {"bin", "lib", "lib64", "libexec", "include", "share"})
    paths.push_back((prefix / part).string());
  return paths;
}

/// The line of the model that the compiler's first error is about; 0 when it is elsewhere.
std::size_t error_line(const std::string& output, std::size_t error, const std::string& model) {
  const std::size_t start = output.rfind('\n', error) + 1;  // npos + 1 = 0
  const std::string place = model + ":";
  if (output.compare(start, place.size(), place) != 0) return 0;
  std::size_t line = 0;
  for (std::size_t i = start + place.size(); i < error && output[i] >= '0' && output[i] <= '9'; ++i)
    line = 10 * line + static_cast<std::size_t>(output[i] - '0');
  return line;
}

[[noreturn]] void report(const std::string& path, const std::string& output) {
  if (output.find("cannot find -lc") != std::string::npos ||
      output.find("unable to find library -lc") != std::string::npos)
    throw UnavailableError(262,
                           "C models are linked statically, and the static C library (libc.a) is "
                           "not installed (Debian: libc6-dev, Fedora: glibc-static)");
  const std::size_t at = output.find("error:");
  const std::string text = at == std::string::npos ? output : output.substr(at);
  std::string first = text.substr(0, std::min<std::size_t>(text.find('\n'), 300));
  if (first.find("Permission denied") != std::string::npos)
    first += "; a model may include files of its folder, named in \"…\", and the system's headers";
  fail(261, path, at == std::string::npos ? 0 : error_line(output, at, fs::absolute(path).string()),
       "does not compile: " + first);
}

/// Files of a rule "x: a b \", as compilers write them.
std::vector<std::string> files_of_rule(const std::string& rule) {
  std::vector<std::string> files;
  std::string name;
  const auto end_name = [&] {
    if (!name.empty()) files.push_back(std::move(name));
    name.clear();
  };
  for (std::size_t i = rule.find(": ") + 1; i < rule.size(); ++i) {
    const char next = i + 1 < rule.size() ? rule[i + 1] : '\n';
    if ((rule[i] == '\\' && next != '\n') || (rule[i] == '$' && next == '$'))
      name += rule[++i];
    else if (rule[i] == '\\' || rule[i] == ' ' || rule[i] == '\n')
      end_name();
    else
      name += rule[i];
  }
  end_name();
  return files;
}

void check_included(const std::string& path, const std::string& rule,
                    const std::vector<std::string>& allowed) {
  for (const std::string& file : files_of_rule(rule)) {
    const std::string real = real_path(file);
    const auto holds = [&](const std::string& folder) {
      return is_below(real, folder) || is_below(file, folder);
    };
    if (std::ranges::none_of(allowed, holds))
      fail(265, path, 0,
           "includes " + file +
               ", which is neither a file of its folder nor one of the system's headers");
  }
}

/// Directives that read files, and those that could make up their names.
void check_assembly(const std::string& path, std::string text) {
  constexpr std::array kRefused{".incbin", ".include",  ".macro", ".irp",
                                ".rept",   ".altmacro", ".mri"};
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  for (const char* directive : kRefused)
    if (text.find(directive) != std::string::npos)
      fail(265, path, 0,
           std::string("its assembly holds ") + directive +
               ", which can read files while the model is compiled; models may not");
}

/// Does the program need what a C library does before main: thread-local variables, constructors?
bool needs_start_code(const std::string& assembly) {
  constexpr std::array kSigns{"%fs:",        "tpoff",       "tprel", "tpidr",
                              ".init_array", ".fini_array", ".ctors"};
  return std::ranges::any_of(
      kSigns, [&](const char* sign) { return assembly.find(sign) != std::string::npos; });
}

/// The compiler with its walls.
struct Compiler {
  const std::string& path;  ///< the model's, for messages
  const TemporaryFolder& folder;
  const CompileWalls& walls;
  double timeout_s;
  std::vector<std::string> toolchain = toolchain_paths();

  void run(std::vector<std::string> arguments, const std::vector<std::string>& readable = {}) {
    const ProcessResult result = start(std::move(arguments), readable);
    if (result.exit_code != 0) report(path, result.output);
  }

  ProcessResult start(std::vector<std::string> arguments,
                      const std::vector<std::string>& readable = {}) {
    FileAccess access{toolchain, {folder.path()}};
    access.readable.insert(access.readable.end(), readable.begin(), readable.end());
    const FileRules rules(access);
    ProcessOptions limits;
    limits.timeout_s = timeout_s;
    limits.directory = folder.path();
    // Temporary files in our folder, messages in English, no cache elsewhere.
    limits.environment =
        environment_with({"TMPDIR=" + folder.path(), "LC_ALL=C", "LANGUAGE=C", "CCACHE_DISABLE=1"});
    if (walls.landlock) limits.files = &rules;
    arguments.insert(arguments.begin(), is_cplusplus(path) ? "c++" : "cc");
    ProcessResult result = run_process(arguments, limits);
    if (!result.started)
      throw UnavailableError(262, is_cplusplus(path)
                                      ? "C++ models need a C++ compiler (c++), which is not "
                                        "installed (apt install g++)"
                                      : "C models need a C compiler (cc), which is not installed");
    if (result.unconfined)
      throw UnavailableError(262, "the kernel refused to keep files from the C compiler");
    if (result.timed_out) fail(261, path, 0, "the compiler ran longer than its time limit");
    return result;
  }

  std::string text_of(const std::string& file) const {
    return read_source(file, std::size_t{256} << 20);
  }
};

}  // namespace

bool is_cplusplus(const std::string& path) {
  std::string type = fs::path(path).extension().string();
  for (char& c : type)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return type == ".cc" || type == ".cpp" || type == ".cxx";
}

std::vector<std::string> included_files(const std::string& path) {
  constexpr std::size_t kMost = 1000;
  const std::string folder = real_path(fs::absolute(path).parent_path().string());
  std::vector<std::string> found{path};
  std::set<std::string> seen{real_path(path)};
  for (std::size_t i = 0; i < found.size() && found.size() <= kMost; ++i)
    for (const std::string& name : included_names(read_source(found[i], std::size_t{64} << 20)))
      for (const fs::path& from : {fs::absolute(found[i]).parent_path(), fs::path(folder)}) {
        const std::string real = includable(from / name, folder);
        if (!real.empty() && seen.insert(real).second) found.push_back(real);
      }
  found.erase(found.begin());
  return found;
}

std::string compile_c_model(const std::string& path, const std::string& source,
                            const TemporaryFolder& folder, const NetlistOptions& options,
                            const CompileWalls& walls) {
  Compiler compiler{path, folder, walls, std::max(60.0, options.native_timeout_s)};
  const std::string rule = folder.file("model.d"), assembly = folder.file("model.s"),
                    program = folder.file("runner");
  std::vector<std::string> readable = included_files(path);
  readable.push_back(real_path(path));
  compiler.run({is_cplusplus(path) ? "-std=gnu++17" : "-std=gnu11", "-O1", "-w",
                "-fno-stack-protector", "-ffunction-sections", "-S", "-MD", "-MF", rule, "-MT",
                "model", "-I", fs::absolute(path).parent_path().string(), "-o", assembly, source},
               readable);
  const std::string text = compiler.text_of(assembly);
  // clang carries out .incbin before it writes the assembly; only the kernel stops it.
  if (!(walls.landlock && landlock_available()) && text.find("clang version") != std::string::npos)
    throw UnavailableError(262,
                           "without Landlock (Linux 5.13) C models are compiled by GCC only, and "
                           "cc is clang");
  if (walls.scan) {
    readable.insert(readable.end(), compiler.toolchain.begin(), compiler.toolchain.end());
    readable.push_back(source);
    check_included(path, compiler.text_of(rule), readable);
    check_assembly(path, text);
  }
  const std::vector<std::string> link{"-static", "-fno-lto", "-o", program, assembly};
  if (!needs_start_code(text)) {
    std::vector<std::string> freestanding = link;
    freestanding.insert(freestanding.end(), {"-nostdlib", "-Wl,--gc-sections", "-lgcc",
                                             std::string("-Wl,-e,") + kFreestandingEntry});
    if (compiler.start(freestanding).exit_code == 0) return program;
  }
  std::vector<std::string> hosted = link;
  hosted.push_back("-lm");
  compiler.run(hosted);
  return program;
}

}  // namespace axmul::detail
