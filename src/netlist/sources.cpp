// Designs of several files: what was typed, folders, file lists.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "axmul/core/text.hpp"
#include "axmul/netlist/readers.hpp"
#include "netlist/source.hpp"

namespace axmul {

namespace {

namespace fs = std::filesystem;

std::string lower_extension(const std::string& path) {
  std::string text = fs::path(path).extension().string();
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return text;
}

bool is_source(const std::string& path) {
  const std::string type = lower_extension(path);
  return type == ".v" || type == ".vl" || type == ".sv" || type == ".vhd" || type == ".vhdl";
}

bool is_test_bench(const std::string& path) {
  std::string stem = fs::path(path).stem().string();
  for (char& c : stem)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return stem == "tb" || stem.starts_with("tb_") || stem.ends_with("_tb") ||
         stem.starts_with("test_") || stem.ends_with("_test") || stem == "testbench" ||
         stem.ends_with("_testbench");
}

class Gatherer {
 public:
  DesignSources take(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) add(text, 0);
    if (sources_.files.empty())
      detail::fail(217, texts.empty() ? "" : texts.front(), 0,
                   "holds no Verilog, SystemVerilog or VHDL file (.v .sv .vhd) to be one design");
    return std::move(sources_);
  }

 private:
  void add(const std::string& text, int depth) {
    std::error_code ignored;
    if (fs::is_directory(text, ignored)) return folder(text);
    if (is_file_list(text)) return list(text, depth);
    if (!fs::is_regular_file(text, ignored))
      detail::fail(217, text, 0, "no such file or folder, of which one design is to be made");
    file(text);
  }

  void file(const std::string& path) {
    std::error_code ignored;
    if (seen_.insert(fs::weakly_canonical(path, ignored).string()).second)
      sources_.files.push_back(path);
  }

  void folder(const std::string& path) {
    std::vector<std::string> found;
    std::error_code error;
    fs::recursive_directory_iterator it(path, error), end;
    for (; !error && it != end; it.increment(error)) {
      if (it->path().filename().string().starts_with(".")) {
        if (it->is_directory(error)) it.disable_recursion_pending();
        continue;
      }
      const std::string name = it->path().string();
      if (it->is_regular_file(error) && is_source(name) && !is_test_bench(name))
        found.push_back(name);
    }
    if (error) detail::fail(217, path, 0, "cannot be read: " + error.message());
    std::ranges::sort(found, natural_less);
    for (const std::string& name : found) file(name);
    sources_.include_folders.push_back(path);
  }

  /// A path of a list, relative to the list's folder or else to the caller's.
  static std::string resolved(const std::string& name, const fs::path& list) {
    std::error_code ignored;
    const fs::path beside = list.parent_path() / name;
    return fs::exists(beside, ignored) ? beside.string() : name;
  }

  void list(const std::string& path, int depth) {
    if (depth > 20) detail::fail(217, path, 0, "file lists name each other without end");
    std::error_code ignored;
    if (!seen_.insert(fs::weakly_canonical(path, ignored).string()).second) return;
    const std::string text = detail::read_source(path, std::size_t{16} << 20);
    std::size_t line = 0;
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      std::string content = text.substr(start, end - start);
      start = end + 1;
      ++line;
      content = content.substr(0, std::min(content.find("//"), content.find('#')));
      std::vector<std::string> words = split(content);
      for (std::size_t i = 0; i < words.size(); ++i) i += word(words, i, path, line, depth);
    }
  }

  static std::vector<std::string> split(const std::string& content) {
    std::vector<std::string> words(1);
    for (const char c : content)
      if (c == ' ' || c == '\t' || c == '\r')
        words.emplace_back();
      else if (c != '"')
        words.back() += c;
    std::erase(words, "");
    return words;
  }

  /// Takes a word of a list; how many of the next belong to it.
  std::size_t word(const std::vector<std::string>& words, std::size_t i, const std::string& path,
                   std::size_t line, int depth) {
    const std::string& text = words[i];
    const auto parts = [&](std::size_t from, std::vector<std::string>& into, bool is_path) {
      for (std::size_t at = from; at < text.size();) {
        const std::size_t plus = std::min(text.find('+', at), text.size());
        if (plus > at) {
          const std::string part = text.substr(at, plus - at);
          into.push_back(is_path ? resolved(part, path) : part);
        }
        at = plus + 1;
      }
    };
    if (text.starts_with("+incdir+")) {
      parts(8, sources_.include_folders, true);
      return 0;
    }
    if (text.starts_with("+define+")) {
      parts(8, sources_.defines, false);
      return 0;
    }
    if (text == "-f" || text == "-F" || text == "-v" || text == "-y") {
      if (i + 1 >= words.size()) detail::fail(217, path, line, text + " needs a path after it");
      const std::string name = resolved(words[i + 1], path);
      text == "-f" || text == "-F" ? list(name, depth + 1) : add_checked(name, path, line, depth);
      return 1;
    }
    if (text[0] == '-' || text[0] == '+') return 0;  // options of simulators
    add_checked(resolved(text, path), path, line, depth);
    return 0;
  }

  void add_checked(const std::string& name, const std::string& path, std::size_t line, int depth) {
    std::error_code ignored;
    if (!fs::exists(name, ignored))
      detail::fail(217, path, line,
                   "names " + detail::in_quotes(name) +
                       ", which is neither beside the list nor in the current folder");
    add(name, depth + 1);
  }

  DesignSources sources_;
  std::set<std::string> seen_;
};

}  // namespace

bool is_file_list(const std::string& path) {
  const std::string type = lower_extension(path);
  std::error_code ignored;
  return (type == ".f" || type == ".fl" || type == ".flist") && fs::is_regular_file(path, ignored);
}

DesignSources design_sources(const std::vector<std::string>& texts) {
  return Gatherer().take(texts);
}

NetlistOptions as_one_design(NetlistOptions options, const DesignSources& sources) {
  const auto append = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  options.files = sources.files;
  append(options.include_folders, sources.include_folders);
  append(options.defines, sources.defines);
  return options;
}

}  // namespace axmul
