// HDF5 error tables (format version 1.0): streamed out, read back. The layout is told in
// src/tables/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/netlist/wide.hpp"
#include "axmul/tables/characterization.hpp"

namespace axmul {

/// What the root of every HDF5 file of axmul says about its origin.
struct AXMUL_API FileOrigin {
  std::string title;
  std::string command;  ///< whole command line, for `history`
  /// The subcommand and its options without paths, for `history` when SOURCE_DATE_EPOCH is set.
  std::string reproducible_command;
  std::string references;
  std::optional<std::int64_t> seed;
};

/// "<UTC date> <command>"; with SOURCE_DATE_EPOCH set, that date and origin.reproducible_command.
AXMUL_API std::string history_text(const FileOrigin& origin);

struct AXMUL_API ErrorTableOptions {
  FileOrigin origin;
  CharacterizeOptions statistics;  ///< as the run has them (levels, convention)
  bool products = true;            ///< store product and error, not only statistics
  bool force = false;              ///< replace an existing file
  std::size_t expected = 0;        ///< multipliers to come, 0 = unknown; only sizes chunks
};

/// Compresses the result's chunks of product and error, so that ErrorTableWriter::add() need not.
/// Thread-safe: as CharacterizationOptions::prepare it runs on the worker threads.
AXMUL_API void pack_products(Characterization& result);

/// Writes an error table as results come, in bounded memory. The file appears under its name when
/// finish() returns; without finish() nothing does. Throws OutputError AX130-132, AX160.
class AXMUL_API ErrorTableWriter {
 public:
  /// `distributions` are those of the run; they must outlive the writer.
  ErrorTableWriter(const std::string& path, const DistributionSet& distributions,
                   ErrorTableOptions options = {});
  ~ErrorTableWriter();
  ErrorTableWriter(const ErrorTableWriter&) = delete;
  ErrorTableWriter& operator=(const ErrorTableWriter&) = delete;

  /// Appends one multiplier to the group of its operand type.
  void add(const Characterization& result);
  /// Marks the file complete and gives it its name.
  void finish();
  /// After an interruption: keeps what there is, marked complete=0, under the name with ".partial"
  /// before its extension, which is returned.
  std::string finish_partial();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct AXMUL_API LibraryOptions {
  FileOrigin origin;
  bool force = false;  ///< replace an existing file
};

/// Writes a library (format "axmul-library"): products, cost, provenance, published figures,
/// aliases and transposes, no statistics. Appears complete or not at all, as ErrorTableWriter.
class AXMUL_API LibraryWriter {
 public:
  explicit LibraryWriter(const std::string& path, LibraryOptions options = {});
  ~LibraryWriter();
  LibraryWriter(const LibraryWriter&) = delete;
  LibraryWriter& operator=(const LibraryWriter&) = delete;
  /// packed_product: its chunk, h5::deflate_chunk() of the products, where they were set aside.
  void add(const Multiplier& multiplier, std::span<const std::byte> packed_product = {});
  /// One of more than 8x8 bits: its circuit stands for the products.
  void add(const WideMultiplier& multiplier);
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Makes a library of a list: names that stand for several functions are made unique, then entries
/// of one function become one, with the later names as its aliases and their published figures in
/// alias_published; transpose_of is set where the operands of an earlier entry, swapped, give this
/// one. Order is kept. Returns what was renamed or folded, one text each.
AXMUL_API std::vector<std::string> fold_library(std::vector<Multiplier>& multipliers);

/// Writes the list as it is.
AXMUL_API void write_library(const std::string& path, std::span<const Multiplier> multipliers,
                             const LibraryOptions& options = {});

/// One multiplier of a table or library, without its products.
struct AXMUL_API TableEntry {
  std::string name;
  SizedType type{};
  std::size_t row = 0;  ///< within its group
};

/// An error table or library, open for reading; calls may come from several threads. Throws
/// InputError: AX820 not such a file or an unknown major format version, AX821 inconsistent
/// contents (names the dataset), AX822 no products in the file; and AX150-155.
class AXMUL_API ErrorTableFile {
 public:
  explicit ErrorTableFile(const std::string& path);
  ~ErrorTableFile();
  ErrorTableFile(ErrorTableFile&&) noexcept;
  ErrorTableFile& operator=(ErrorTableFile&&) noexcept;

  /// Whether a file is an HDF5 file whose format attribute is one of axmul's.
  static bool is_one(const std::string& path);

  const std::string& path() const;
  std::string format() const;  ///< "axmul-error-table" or "axmul-library"
  std::string format_version() const;
  std::string title() const;
  bool complete() const;  ///< false for what an interruption left
  const std::vector<TableEntry>& entries() const;
  /// Whether such an entry stands there, as it does unless the file was replaced.
  bool holds(const TableEntry& entry) const;
  bool has_products(const SizedType& type) const;
  /// Product table, cost and provenance of an entry; in a library also published figures, aliases
  /// and transpose_of. The stored sha256, where there is one, is checked against the products.
  /// Throws NotMultiplierError of wide_kind() for an entry of more than 8x8 bits: wide() takes it.
  Multiplier multiplier(const TableEntry& entry) const;
  /// An entry of more than 8x8 bits, whose circuit a library holds.
  WideMultiplier wide(const TableEntry& entry) const;
  /// The stored sha256 of an entry, "" where the file has none.
  std::string sha256(const TableEntry& entry) const;
  /// Other names of an entry's function (libraries).
  std::vector<std::string> aliases(const TableEntry& entry) const;
  /// Labels of the distributions of a type's group (empty in a library without statistics).
  std::vector<std::string> distributions(const SizedType& type) const;
  /// Names of the metrics that the group holds.
  std::vector<std::string> metrics(const SizedType& type) const;
  /// One metric, [M, D] row-major.
  std::vector<double> metric(const SizedType& type, const std::string& name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace axmul
