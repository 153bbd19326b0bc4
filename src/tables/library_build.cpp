// Builds libraries: enumerates files, reads them in parallel, folds equal functions.
#include "axmul/tables/library_build.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>

#include "axmul/core/errors.hpp"
#include "axmul/core/sha256.hpp"
#include "axmul/core/text.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/tables/error_table.hpp"
#include "tables/group_writer.hpp"
#include "tables/library_fold.hpp"
#include "tables/seen_files.hpp"

namespace axmul {

namespace {

struct Outcome {
  std::vector<Multiplier> multipliers;
  std::vector<WideMultiplier> wide;
  std::string failure;
  std::string left_out, why;  // the kind of what is no 8x8 multiplier
};

/// A table or C model whose name or values say what else it is.
std::string other_kind(const Multiplier& m) {
  const Provenance& p = m.provenance;
  if (p.source_file.empty() || !p.generator.empty()) return "";
  return kind_by_values(m);
}

/// A file whose kind is known, or a text that find_designs() understands.
struct Source {
  std::string text;
  std::optional<DesignKind> kind{};
};

DesignList designs_of(const Source& source, const OpenOptions& options) {
  if (source.kind) return designs_of(DesignFile{source.text, *source.kind}, options);
  return find_designs(std::span(&source.text, 1), options);
}

/// Takes the products out of multipliers and keeps them packed, once for each function.
class Packer {
 public:
  void pack(Multiplier& multiplier) {
    const Lut lut = multiplier.lut;
    multiplier.lut = lut.without_products();
    {
      const std::lock_guard lock(mutex_);
      if (!packed_.try_emplace(lut.sha256()).second) return;
    }
    std::vector<std::byte> chunk = detail::pack_table(lut.sized_type(), lut.products());
    chunk.shrink_to_fit();
    const std::lock_guard lock(mutex_);
    packed_[lut.sha256()] = std::move(chunk);
  }

  std::map<std::string, std::vector<std::byte>> take() { return std::move(packed_); }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::byte>> packed_;
};

/// Adds a design to the outcome; false for one of more than 8x8 bits, which has no table.
bool load(const DesignRef& ref, const OpenOptions& options, Outcome& outcome) {
  try {
    outcome.multipliers.push_back(ref.load());
    return true;
  } catch (const NotMultiplierError& error) {
    if (error.kind() != wide_kind() || is_c_model_file(ref.source)) throw;
  }
  outcome.wide.push_back(open_wide(ref.source, options));
  return false;
}

/// Reads all designs of one source; what goes wrong is its failure, not an exception.
Outcome read_source(const Source& source, const OpenOptions& options, Packer* packer) {
  Outcome outcome;
  const std::string& text = source.text;
  const std::filesystem::path path = text;
  std::error_code ignored;
  const bool is_plain = std::filesystem::is_regular_file(path, ignored) &&
                        path.extension() != ".h5" && path.extension() != ".hdf5";
  try {
    const bool is_table = is_plain && table_format_of_extension(text) != nullptr;
    if (is_table) outcome.left_out = kind_by_name(path.stem().string());
    if (!outcome.left_out.empty()) {
      outcome.why = text + ": by its name";
      return outcome;
    }
    for (const DesignRef& ref : designs_of(source, options).designs) {
      if (!load(ref, options, outcome)) continue;
      if (is_plain) outcome.left_out = other_kind(outcome.multipliers.back());
      if (packer != nullptr && outcome.left_out.empty()) packer->pack(outcome.multipliers.back());
    }
  } catch (const InterruptedError&) {
    throw;
  } catch (const NotMultiplierError& e) {
    outcome.left_out = e.kind();
    outcome.why = e.what();
  } catch (const Error& e) {
    // What cannot be read and is none by its name need not be read.
    if (is_plain) outcome.left_out = kind_by_name(path.stem().string());
    (outcome.left_out.empty() ? outcome.failure : outcome.why) = e.what();
  }
  if (outcome.left_out.empty()) return outcome;
  if (outcome.why.empty()) outcome.why = text + ": its values resemble no products";
  outcome.multipliers.clear();
  return outcome;
}

/// The files that texts name, folders opened up, each once; texts that are no paths stay as they
/// are.
std::vector<Source> enumerate(std::span<const std::string> texts, const OpenOptions& options,
                              LibraryBuildReport& report) {
  std::vector<Source> sources;
  detail::SeenFiles seen;
  for (const std::string& text : texts) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(text, ignored)) {
      const bool exists = std::filesystem::exists(text, ignored);
      if (!exists && !looks_like_design(text) && text.find(".h5:") == std::string::npos)
        throw InputError(800, Place{text}, "no such file or folder");
      if (!exists || seen.is_new(text)) sources.push_back({text});
      continue;
    }
    if (!seen.is_new(text)) continue;
    DesignFiles files = design_files(text, options);
    report.native_skipped += files.native_skipped;
    report.warnings.insert(report.warnings.end(), files.warnings.begin(), files.warnings.end());
    report.other_skipped += files.skipped - files.native_skipped;
    for (DesignFile& file : files.files)
      if (seen.is_new(file.path)) sources.push_back({std::move(file.path), file.kind});
  }
  if (std::string warning = seen.warning(); !warning.empty())
    report.warnings.push_back(std::move(warning));
  return sources;
}

void append(std::vector<std::string>& to, std::vector<std::string> from) {
  for (std::string& text : from) to.push_back(std::move(text));
}

std::string first_reason(const LibraryBuildReport& report) {
  if (!report.failures.empty()) return "; " + report.failures.front().message;
  if (report.left_out.empty()) return "";
  const auto& [kind, files] = *report.left_out.begin();
  return "; left out: " + std::to_string(files.size()) + " " + kind + ", " + files.front().message;
}

/// One entry per circuit, in an order that no order of files changes; circuits of one name get
/// distinct ones. Functions are not compared: that would take every product.
void fold_wide(LibraryBuildReport& report) {
  std::vector<WideMultiplier>& wide = report.wide;
  std::ranges::stable_sort(wide, [](const WideMultiplier& x, const WideMultiplier& y) {
    if (x.type() != y.type()) return x.type() < y.type();
    if (x.name != y.name) return natural_less(x.name, y.name);
    return x.verilog < y.verilog;
  });
  const auto same = std::ranges::unique(wide, [](const WideMultiplier& x, const WideMultiplier& y) {
    return x.type() == y.type() && x.name == y.name && x.verilog == y.verilog &&
           x.published_text == y.published_text;
  });
  wide.erase(same.begin(), same.end());
  std::set<std::string> taken;
  for (WideMultiplier& m : wide) {
    if (taken.insert(m.name).second) continue;
    Sha256 hash;
    hash.update(m.verilog);
    const std::string renamed = name_with_hash(
        m.name, hash.hex(), [&](const std::string& name) { return taken.contains(name); });
    report.warnings.push_back("two circuits are named " + m.name + "; the one of " +
                              m.provenance.source_file + " is called " + renamed);
    m.name = renamed;
    taken.insert(m.name);
  }
}

/// From what the files hold to entries: names, costs, then one entry per function. No step depends
/// on the order of the files.
void make_entries(const std::vector<CostRow>& costs, const LibraryBuildOptions& options,
                  LibraryBuildReport& report) {
  std::vector<Multiplier>& entries = report.entries;
  detail::name_by_files(entries);
  const CostJoin join = join_costs(costs, entries);  // power_rel too
  for (const std::string& key : join.missing)
    report.warnings.push_back(*options.costs + ": no multiplier is called " + key);
  for (const std::string& note : join.notes)
    report.warnings.push_back(*options.costs + ": " + note);
  detail::sort_for_folding(entries);
  append(report.warnings, detail::conflicting_powers(entries));
  append(report.warnings, fold_library(entries));
  std::ranges::sort(entries, [](const Multiplier& x, const Multiplier& y) {
    return natural_less(x.name, y.name);
  });
  for (Multiplier& m : entries) std::ranges::sort(m.aliases, natural_less);
  detail::mark_transposes(entries);
  append(report.warnings, detail::take_costs_of_transposes(entries));
  for (const Multiplier& m : entries)
    if (!m.provenance.warning.empty())
      report.warnings.push_back(m.name + " (" + m.provenance.source_file +
                                "): " + m.provenance.warning);
}

}  // namespace

LibraryBuildReport build_library(std::span<const std::string> texts,
                                 const LibraryBuildOptions& options) {
  LibraryBuildReport report;
  std::vector<CostRow> costs;
  if (options.costs) costs = read_costs(*options.costs);  // before the long part
  OpenOptions open;
  open.read = options.tables;
  accept_circuits(open, options.circuits);
  const std::vector<Source> sources = enumerate(texts, open, report);
  std::vector<Outcome> outcomes(sources.size());
  std::atomic<std::size_t> done{0};
  std::mutex mutex;
  Packer packer;
  parallel_for(sources.size(), options.threads, [&](std::size_t i) {
    outcomes[i] = read_source(sources[i], open, options.pack ? &packer : nullptr);
    const std::size_t count = ++done;
    if (!options.progress) return;
    const std::lock_guard lock(mutex);
    options.progress(count, sources.size());
  });
  for (std::size_t i = 0; i < sources.size(); ++i) {
    Outcome& outcome = outcomes[i];
    if (!outcome.failure.empty()) report.failures.push_back({sources[i].text, outcome.failure});
    if (!outcome.left_out.empty())
      report.left_out[outcome.left_out].push_back({sources[i].text, outcome.why});
    report.files += outcome.failure.empty() && outcome.left_out.empty();
    for (Multiplier& m : outcome.multipliers) report.entries.push_back(std::move(m));
    for (WideMultiplier& m : outcome.wide) report.wide.push_back(std::move(m));
  }
  fold_wide(report);
  if (report.entries.empty() && report.wide.empty())
    throw InputError(851, Place{texts.empty() ? "" : texts.front()},
                     "no design could be read" + first_reason(report));
  report.packed_products = packer.take();
  make_entries(costs, options, report);
  return report;
}

void write_library(const std::string& path, const LibraryBuildReport& report,
                   const LibraryOptions& options) {
  LibraryWriter writer(path, options);
  for (const Multiplier& entry : report.entries) {
    const auto packed = report.packed_products.find(entry.lut.sha256());
    if (packed == report.packed_products.end())
      writer.add(entry);
    else
      writer.add(entry, packed->second);
  }
  for (const WideMultiplier& entry : report.wide) writer.add(entry);
  writer.finish();
}

}  // namespace axmul
