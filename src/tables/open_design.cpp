// Finds designs: what a text is, folders in natural order, names made unique.
#include "axmul/tables/open_design.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "axmul/core/errors.hpp"
#include "axmul/core/text.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/designs/wide.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/io/near_file.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/netlist/circuits.hpp"
#include "axmul/tables/error_table.hpp"
#include "core/reading.hpp"
#include "tables/c_table.hpp"
#include "tables/seen_files.hpp"

namespace axmul {

namespace {

namespace fs = std::filesystem;

/// Is a file met in a folder a table? By content for those extensions that tables have.
bool is_table_file(const std::string& path) {
  if (table_format_of_extension(path) == nullptr) return false;
  // Contents of few bytes tell little; then the name does.
  const auto bits = detail::widths_of_name(fs::path(path).stem().string());
  if (bits && *bits != OperandWidths{} && bits->a <= 8 && bits->b <= 8 &&
      !table_format_of_extension(path)->text)
    return true;
  return sniff_table_format(read_file(path), path) != nullptr;
}

/// What a file says by its extension: a memory image or binary table, and nothing else is called
/// so. Texts such as .csv, .txt, .h may be anything.
std::string broken_table_warning(const std::string& path) {
  const TableFormat* format = table_format_of_extension(path);
  if (format == nullptr || (format->text && format->name != "hex")) return "";
  std::error_code ignored;
  return path + ": has the extension of a " + format->name + " table, but its content is none (" +
         std::to_string(fs::file_size(path, ignored)) + " bytes; truncated?); left out";
}

/// Circuits go before tables, but a C file may be either.
bool is_circuit(const std::string& path, const OpenOptions& options) {
  return options.circuits && is_circuit_file(path) && !detail::is_c_table(path);
}

/// The kind of a file that the user named: what is nothing else is to be a table.
DesignKind kind_of(const std::string& path, const OpenOptions& options) {
  if (h5::File::is_hdf5(path)) return DesignKind::hdf5;
  return is_circuit(path, options) ? DesignKind::circuit : DesignKind::table;
}

DesignRef file_ref(const DesignFile& file, const OpenOptions& options) {
  const std::string name = fs::path(file.path).stem().string();
  if (file.kind == DesignKind::circuit)
    return {name, file.path, [path = file.path, circuits = *options.circuits] {
              return read_design_circuit(path, circuits);
            }};
  return {name, file.path,
          [path = file.path, read = options.read] { return read_table(path, read); }};
}

using SharedTable = std::shared_ptr<const ErrorTableFile>;

/// HDF5 files that were used lately stay open, few of them: a folder may hold more than a process
/// may have. Thread-safe.
class OpenTables {
 public:
  SharedTable get(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto at = std::ranges::find(tables_, path, [](const auto& t) { return t->path(); });
    SharedTable table = at != tables_.end() ? *at : std::make_shared<const ErrorTableFile>(path);
    if (at != tables_.end()) tables_.erase(at);
    tables_.push_back(table);
    constexpr std::size_t kMost = 8;
    if (tables_.size() > kMost) tables_.erase(tables_.begin());
    return table;
  }

 private:
  std::mutex mutex_;
  std::vector<SharedTable> tables_;  // the latest last
};

/// A list in the making, and the files its entries are read from.
struct Search : DesignList {
  std::shared_ptr<OpenTables> tables = std::make_shared<OpenTables>();
};

Multiplier load_entry(OpenTables& tables, const std::string& path, const TableEntry& entry) {
  const SharedTable table = tables.get(path);
  if (!table->holds(entry))
    throw InputError(802, Place{path},
                     "entry \"" + entry.name + "\" is gone: the file was changed meanwhile");
  return table->multiplier(entry);
}

void add_entry(const ErrorTableFile& table, const TableEntry& entry, Search& list) {
  list.designs.push_back({entry.name, table.path() + ":" + entry.name,
                          [tables = list.tables, path = table.path(), entry] {
                            return load_entry(*tables, path, entry);
                          }});
}

/// All entries with products; false where there is none.
bool add_entries(const ErrorTableFile& table, Search& list) {
  bool any = false;
  for (const TableEntry& entry : table.entries()) {
    if (entry.type.has_table() && !table.has_products(entry.type)) continue;
    add_entry(table, entry, list);
    any = true;
  }
  return any;
}

SharedTable open_table(const std::string& path, Search& list) {
  SharedTable table = list.tables->get(path);
  if (!table->complete())
    list.warnings.push_back(
        path + ": is incomplete (complete = 0); the run that wrote it was interrupted");
  return table;
}

void add_table(const std::string& path, Search& list) {
  const SharedTable table = open_table(path, list);
  if (table->entries().empty())
    throw InputError(801, Place{path}, "no designs in this file: it has no multipliers");
  if (!add_entries(*table, list)) table->multiplier(table->entries().front());  // says what lacks
}

[[noreturn]] void no_entry(const ErrorTableFile& table, const std::string& name) {
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const TableEntry& entry : table.entries())
    near.emplace_back(edit_distance(name, entry.name), entry.name);
  std::ranges::stable_sort(near, {}, &std::pair<std::size_t, std::string>::first);
  std::string hint;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, near.size()); ++i)
    if (near[i].first <= name.size() / 2 + 1) hint += (hint.empty() ? "" : ", ") + near[i].second;
  throw InputError(802, Place{table.path()},
                   "no entry \"" + name + "\"" +
                       (hint.empty() ? "; axmul list shows the " +
                                           std::to_string(table.entries().size()) + " there are"
                                     : "; did you mean " + hint + "?"));
}

std::string sha256_of(const ErrorTableFile& table, const TableEntry& entry) {
  const std::string stated = table.sha256(entry);
  return stated.empty() && table.has_products(entry.type) ? table.multiplier(entry).lut.sha256()
                                                          : stated;
}

/// "NAME@HEX" as settle_names() calls entries: those of that name whose sha256 starts so.
std::vector<TableEntry> entries_by_hash(const ErrorTableFile& table, const std::string& name) {
  std::vector<TableEntry> found;
  const std::size_t at = name.rfind('@');
  if (at == std::string::npos || name.size() - at - 1 < 8) return found;
  const std::string hash = name.substr(at + 1);
  for (const TableEntry& entry : table.entries())
    if (name.compare(0, at, entry.name) == 0 && sha256_of(table, entry).starts_with(hash))
      found.push_back(entry);
  return found;
}

/// The entries of that name, else those with that alias, else those it names by their hash.
std::vector<TableEntry> named_entries(const ErrorTableFile& table, const std::string& name) {
  std::vector<TableEntry> found;
  for (const TableEntry& entry : table.entries())
    if (entry.name == name) found.push_back(entry);
  if (!found.empty()) return found;
  for (const TableEntry& entry : table.entries())
    if (std::ranges::count(table.aliases(entry), name) > 0) found.push_back(entry);
  return found.empty() ? entries_by_hash(table, name) : found;
}

/// Adds what the name stands for; of several operand types, the one that the user gave.
void add_named_entry(const std::string& path, const std::string& name, const OpenOptions& options,
                     Search& list) {
  const SharedTable table = open_table(path, list);
  std::vector<TableEntry> found = named_entries(*table, name);
  if (found.empty()) no_entry(*table, name);
  if (const auto type = options.read.type) {
    const std::string first = std::string(to_string(found.front().type));
    std::erase_if(found, [&](const TableEntry& entry) {
      return entry.type.kind != *type ||
             (options.read.width && entry.type.bits != *options.read.width);
    });
    if (found.empty())
      throw InputError(802, Place{path},
                       "entry \"" + name + "\" has type " + first + ", not " +
                           std::string(to_string(*type)) + "; leave the type out or correct it");
  }
  for (const TableEntry& entry : found) add_entry(*table, entry, list);
}

/// "file.h5:NAME" where file.h5 exists: its two parts.
std::optional<std::pair<std::string, std::string>> split_entry(const std::string& text) {
  std::error_code ignored;
  for (std::size_t at = text.find(':'); at != std::string::npos; at = text.find(':', at + 1))
    if (fs::is_regular_file(text.substr(0, at), ignored) && h5::File::is_hdf5(text.substr(0, at)))
      return std::pair(text.substr(0, at), text.substr(at + 1));
  return std::nullopt;
}

/// An HDF5 file met in a folder: of axmul, someone else's (silently none) or damaged (told).
bool is_design_h5(const std::string& path, DesignFiles& files) {
  if (ErrorTableFile::is_one(path)) return true;
  try {
    h5::File::open(path).list("/");
  } catch (const InputError& error) {
    files.warnings.push_back(std::string(error.what()) + "; left out");
  }
  return false;
}

/// What a file met in a folder is; none: no design.
std::optional<DesignKind> folder_kind(const std::string& path, const OpenOptions& options,
                                      DesignFiles& files) {
  const auto only_if = [](bool is_design, DesignKind kind) {
    return is_design ? std::optional(kind) : std::nullopt;
  };
  if (h5::File::is_hdf5(path)) return only_if(is_design_h5(path, files), DesignKind::hdf5);
  if (options.circuits && is_circuit_file(path)) {
    if (!is_c_model_file(path)) return DesignKind::circuit;
    if (detail::is_c_table(path)) return DesignKind::table;
    if (!path.ends_with(".c") && !has_c_model(path)) return std::nullopt;  // C++ of any kind
    if (!options.circuits->allow_native_code) ++files.native_skipped;
    return only_if(options.circuits->allow_native_code, DesignKind::circuit);
  }
  if (is_table_file(path)) return DesignKind::table;
  if (std::string warning = broken_table_warning(path); !warning.empty())
    files.warnings.push_back(std::move(warning));
  return std::nullopt;
}

/// All designs of one file. A file of a folder may be an HDF5 file without products.
void add_file(const DesignFile& file, const OpenOptions& options, Search& list) {
  if (file.kind == DesignKind::hdf5) return add_table(file.path, list);
  list.designs.push_back(file_ref(file, options));
}

void add_folder(const std::string& folder, const OpenOptions& options, detail::SeenFiles& seen,
                Search& list) {
  const DesignFiles files = design_files(folder, options);
  list.skipped += files.skipped;
  list.native_skipped += files.native_skipped;
  list.warnings.insert(list.warnings.end(), files.warnings.begin(), files.warnings.end());
  const std::size_t before = list.designs.size();
  bool any_repeated = false;
  for (const DesignFile& file : files.files) {
    if (!seen.is_new(file.path)) {
      any_repeated = true;
      continue;
    }
    if (file.kind != DesignKind::hdf5) {
      list.designs.push_back(file_ref(file, options));
      list.designs.back().from_folder = true;
    } else if (!add_entries(*open_table(file.path, list), list)) {
      ++list.skipped;
    }
  }
  if (list.designs.size() == before && !any_repeated)
    throw InputError(801, Place{folder},
                     "no designs in this folder: " + std::to_string(files.skipped) +
                         " files, none of a known table or circuit format" +
                         (files.warnings.empty() ? "" : "; " + files.warnings.front()));
}

DesignRef generator_ref(const std::string& text) {
  const DesignInstance design = parse_design(text);
  const std::string canonical = design.text();
  if (!design.sized_type().has_table())
    return {canonical, canonical, [canonical]() -> Multiplier {
              throw NotMultiplierError(wide_kind(), Place{canonical},
                                       "has more than 8x8 bits, so there is no table of it");
            }};
  return {canonical, canonical, [canonical] { return generate(canonical); }};
}

void add_one_design(const std::vector<std::string>& texts, const OpenOptions& options,
                    Search& list);

[[noreturn]] void no_such(const std::string& text) {
  std::string hint;
  try {
    parse_design(text);
  } catch (const UsageError& e) {
    hint = e.what();  // "AX500 unknown design …; did you mean …"
    hint = "; as a generator: " + hint.substr(hint.find(' ') + 1);
  }
  throw InputError(800, Place{text}, "no such file or folder" + near_file_hint(text) + hint);
}

void add_text(const std::string& text, const OpenOptions& options, detail::SeenFiles& seen,
              Search& list) {
  if (text == "-") {
    if (!options.standard_input) throw InternalError("\"-\" without the content of standard input");
    list.designs.push_back({"stdin", "-", [content = *options.standard_input, read = options.read] {
                              return parse_table(content, "stdin", read);
                            }});
    return;
  }
  std::error_code ignored;
  const fs::file_status status = fs::status(text, ignored);
  if (fs::is_directory(status)) {
    if (seen.is_new(text)) add_folder(text, options, seen, list);
    return;
  }
  if (is_file_list(text)) return add_one_design({text}, options, list);
  if (fs::exists(status)) {
    if (seen.is_new(text)) add_file({text, kind_of(text, options)}, options, list);
    return;
  }
  if (const auto parts = split_entry(text))
    return add_named_entry(parts->first, parts->second, options, list);
  if (looks_like_design(text)) {
    list.designs.push_back(generator_ref(text));
    return;
  }
  no_such(text);
}

/// One design of several files, named as its top module where that is given, else as the list, the
/// folder or the first file.
void add_one_design(const std::vector<std::string>& texts, const OpenOptions& options,
                    Search& list) {
  const DesignSources sources = design_sources(texts);
  const NetlistOptions circuits =
      as_one_design(options.circuits.value_or(NetlistOptions{}), sources);
  fs::path named = fs::absolute(texts.front()).lexically_normal();
  if (named.filename().empty()) named = named.parent_path();
  const std::string name = circuits.top.empty() ? named.stem().string() : circuits.top;
  list.designs.push_back({name, texts.front(), [path = sources.files.front(), circuits, name] {
                            Multiplier multiplier = read_design_circuit(path, circuits);
                            multiplier.name = name;
                            return multiplier;
                          }});
}

/// The function's hash; empty for a design that cannot be read, which its load() will tell.
std::string hash_of(const DesignRef& ref) {
  try {
    return ref.load().lut.sha256();
  } catch (const InputError&) {
    return "";
  }
}

/// Names that stand for several entries: their functions decide (src/README.md#words).
void settle_names(DesignList& list) {
  std::set<std::string> taken;
  for (const DesignRef& ref : list.designs) taken.insert(ref.name);
  std::map<std::string, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < list.designs.size(); ++i) by_name[list.designs[i].name].push_back(i);
  std::set<std::size_t> dropped;
  std::vector<std::string> repeated;
  for (const auto& [name, indices] : by_name) {
    if (indices.size() < 2) continue;
    std::map<std::string, std::size_t> first_of;
    for (std::size_t i : indices) {
      const std::string hash = hash_of(list.designs[i]);
      if (hash.empty()) continue;
      const auto [it, is_new] = first_of.emplace(hash, i);
      if (is_new) continue;
      dropped.insert(i);
      repeated.push_back(list.designs[i].source + " is the same function as " +
                         list.designs[it->second].source + " under the same name");
    }
    if (first_of.size() < 2) continue;
    for (const auto& [hash, i] : first_of) {
      DesignRef& ref = list.designs[i];
      const std::string renamed = name_with_hash(
          name, hash, [&](const std::string& other) { return taken.contains(other); });
      taken.insert(renamed);
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
  constexpr std::size_t kMostTold = 3;
  if (repeated.size() <= kMostTold)
    for (const std::string& text : repeated) list.warnings.push_back(text + "; taken once");
  else
    list.warnings.push_back(std::to_string(repeated.size()) +
                            " designs repeat another's name and function; taken once (" +
                            repeated.front() + ", and so on)");
  std::size_t index = 0;
  std::erase_if(list.designs, [&](const DesignRef&) { return dropped.contains(index++); });
}

}  // namespace

void accept_circuits(OpenOptions& options, NetlistOptions circuits) {
  if (!circuits.type) circuits.type = options.read.type;
  if (!circuits.width) circuits.width = options.read.width;
  if (!circuits.order) circuits.order = options.read.order;
  options.circuits = std::move(circuits);
}

DesignFiles design_files(const std::string& folder, const OpenOptions& options) {
  DesignFiles files;
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
  for (std::string& path : paths) {
    const auto kind = folder_kind(path, options, files);
    if (kind)
      files.files.push_back({std::move(path), *kind});
    else
      ++files.skipped;
  }
  return files;
}

DesignList designs_of(const DesignFile& file, const OpenOptions& options) {
  Search list;
  add_file(file, options, list);
  settle_names(list);
  return DesignList(std::move(list));
}

DesignList find_designs(std::span<const std::string> texts, const OpenOptions& options) {
  Search list;
  detail::SeenFiles seen;
  if (options.as_one)
    add_one_design({texts.begin(), texts.end()}, options, list);
  else
    for (const std::string& text : texts) add_text(text, options, seen, list);
  if (std::string warning = seen.warning(); !warning.empty())
    list.warnings.push_back(std::move(warning));
  settle_names(list);
  return DesignList(std::move(list));
}

WideMultiplier open_wide(const std::string& source, const OpenOptions& options) {
  std::error_code ignored;
  if (const auto parts = split_entry(source)) {
    const ErrorTableFile table(parts->first);
    for (const TableEntry& entry : named_entries(table, parts->second))
      if (!entry.type.has_table()) return table.wide(entry);
    no_entry(table, parts->second);
  }
  if (fs::exists(source, ignored))
    return read_wide_circuit(source, options.circuits.value_or(NetlistOptions{}));
  return generate_wide(source);
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
