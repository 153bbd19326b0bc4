// Finds designs: what a text is, folders in natural order, names made unique.
#include "axmul/tables/open_design.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>

#include "axmul/core/errors.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/io/read_file.hpp"

namespace axmul {

namespace {

namespace fs = std::filesystem;

/// "m2" before "m10": runs of digits compare as numbers.
bool natural_less(const std::string& x, const std::string& y) {
  std::size_t i = 0, j = 0;
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  while (i < x.size() && j < y.size()) {
    if (digit(x[i]) && digit(y[j])) {
      std::size_t end_i = i, end_j = j;
      while (end_i < x.size() && digit(x[end_i])) ++end_i;
      while (end_j < y.size() && digit(y[end_j])) ++end_j;
      while (i + 1 < end_i && x[i] == '0') ++i;
      while (j + 1 < end_j && y[j] == '0') ++j;
      if (end_i - i != end_j - j) return end_i - i < end_j - j;
      const int order = x.compare(i, end_i - i, y, j, end_j - j);
      if (order != 0) return order < 0;
      i = end_i;
      j = end_j;
    } else {
      if (x[i] != y[j]) return x[i] < y[j];
      ++i;
      ++j;
    }
  }
  if (x.size() - i != y.size() - j) return x.size() - i < y.size() - j;
  return x < y;
}

DesignRef table_ref(const std::string& path, const OpenOptions& options) {
  return {fs::path(path).stem().string(), path,
          [path, read = options.read] { return read_table(path, read); }};
}

/// Is a file met in a folder a table? By content for those extensions that tables have.
bool is_table_file(const std::string& path) {
  if (table_format_of_extension(path) == nullptr) return false;
  return sniff_table_format(read_file(path), path) != nullptr;
}

void add_folder(const std::string& folder, const OpenOptions& options, DesignList& list) {
  std::vector<std::string> paths;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error), end;
  for (; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().starts_with(".")) {
      if (it->is_directory(error)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file(error)) paths.push_back(it->path().string());
  }
  if (error) throw InputError(801, Place{folder}, "cannot be read: " + error.message());
  std::ranges::sort(paths, natural_less);
  const std::size_t before = list.designs.size();
  for (const std::string& path : paths) {
    if (is_table_file(path))
      list.designs.push_back(table_ref(path, options));
    else
      ++list.skipped;
  }
  if (list.designs.size() == before)
    throw InputError(801, Place{folder},
                     "no designs in this folder: " + std::to_string(paths.size()) +
                         " files, none of a known table or circuit format");
}

DesignRef generator_ref(const std::string& text) {
  const std::string canonical = parse_design(text).text();
  return {canonical, canonical, [canonical] { return generate(canonical); }};
}

[[noreturn]] void no_such(const std::string& text) {
  std::string hint;
  try {
    parse_design(text);
  } catch (const UsageError& e) {
    hint = e.what();  // "AX500 unknown design …; did you mean …"
    hint = "; as a generator: " + hint.substr(hint.find(' ') + 1);
  }
  throw InputError(800, Place{text}, "no such file or folder" + hint);
}

void add_text(const std::string& text, const OpenOptions& options, DesignList& list) {
  if (text == "-") {
    if (!options.standard_input) throw InternalError("\"-\" without the content of standard input");
    list.designs.push_back({"stdin", "-", [content = *options.standard_input, read = options.read] {
                              return parse_table(content, "stdin", read);
                            }});
    return;
  }
  std::error_code ignored;
  const fs::file_status status = fs::status(text, ignored);
  if (fs::is_directory(status)) return add_folder(text, options, list);
  if (fs::exists(status)) {
    list.designs.push_back(table_ref(text, options));
    return;
  }
  if (looks_like_design(text)) {
    list.designs.push_back(generator_ref(text));
    return;
  }
  no_such(text);
}

/// Names that stand for several entries: their functions decide (DESIGN 1).
void settle_names(DesignList& list) {
  std::map<std::string, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < list.designs.size(); ++i) by_name[list.designs[i].name].push_back(i);
  std::set<std::size_t> dropped;
  for (const auto& [name, indices] : by_name) {
    if (indices.size() < 2) continue;
    std::map<std::string, std::size_t> first_of;
    for (std::size_t i : indices) {
      const std::string hash = list.designs[i].load().lut.sha256();
      const auto [it, is_new] = first_of.emplace(hash, i);
      if (is_new) continue;
      dropped.insert(i);
      list.warnings.push_back(list.designs[i].source + " is the same function as " +
                              list.designs[it->second].source + " under the same name; taken once");
    }
    if (first_of.size() < 2) continue;
    for (const auto& [hash, i] : first_of) {
      DesignRef& ref = list.designs[i];
      const std::string renamed = name + "@" + hash.substr(0, 8);
      list.warnings.push_back("two functions are named " + name + "; the one of " + ref.source +
                              " is called " + renamed);
      ref.name = renamed;
      ref.load = [load = ref.load, renamed] {
        Multiplier multiplier = load();
        multiplier.name = renamed;
        return multiplier;
      };
    }
  }
  std::size_t index = 0;
  std::erase_if(list.designs, [&](const DesignRef&) { return dropped.contains(index++); });
}

}  // namespace

DesignList find_designs(std::span<const std::string> texts, const OpenOptions& options) {
  DesignList list;
  for (const std::string& text : texts) add_text(text, options, list);
  settle_names(list);
  return list;
}

Multiplier open_design(const std::string& text, const OpenOptions& options) {
  const DesignList list = find_designs(std::span(&text, 1), options);
  if (list.designs.size() != 1)
    throw InputError(803, Place{text},
                     "holds " + std::to_string(list.designs.size()) +
                         " designs where one is wanted; name one, e.g. " + text +
                         (fs::is_directory(text) ? "/FILE" : ":NAME"));
  return list.designs.front().load();
}

}  // namespace axmul
