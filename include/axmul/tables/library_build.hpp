// Libraries from trees of files: circuits, C models, tables; costs joined; figures verified.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/netlist/circuits.hpp"
#include "axmul/tables/error_table.hpp"
#include "axmul/tables/open_design.hpp"

namespace axmul {

/// Costs and published figures of one multiplier, as a CSV row gives them.
struct AXMUL_API CostRow {
  std::string key;  ///< name, or 64 hex digits of a sha256
  std::size_t line = 0;
  Cost cost;
  std::map<std::string, double> published;
  std::map<std::string, std::string> published_text;
};

/// Reads a CSV with header, separated by comma, else semicolon, else tab: a column name or sha256;
/// power_mw (power_uw, power_nw), area_um2, delay_ns (delay_ps), or EvoApprox's PDK45_PWR_mW,
/// PDK45_AREA_um2, PDK45_DELAY_ns; power_rel, taken as given; optionally technology; published
/// error figures MAE, WCE, EP, MRE, WCRE, MSE with "_pct" or "%" for percentages. Numbers of other
/// columns are kept as published figures by the column's name; empty cells are unknown. Throws
/// InputError AX850 (names line, column and text).
AXMUL_API std::vector<CostRow> read_costs(const std::string& path);

struct AXMUL_API CostJoin {
  std::vector<std::string> missing;  ///< keys that no multiplier has
  std::vector<std::string> notes;    ///< names of several functions, rows of different powers
};

/// Joins rows by sha256, else name, else alias, in any order of rows, and sets power_rel anew
/// (fill_power_rel). Of several rows of one multiplier the one by sha256, by name, of least power
/// counts; error figures of a row by alias go to alias_published. A name of several functions is
/// not used.
AXMUL_API CostJoin join_costs(std::span<const CostRow> rows, std::vector<Multiplier>& multipliers);

struct AXMUL_API LibraryBuildOptions {
  ReadOptions tables;                ///< how tables are read
  NetlistOptions circuits;           ///< how circuits are read; allow_native_code lets C models run
  std::optional<std::string> costs;  ///< path for read_costs()
  /// Keep the products of a function once and compressed, some 20 KB instead of 256: then the
  /// entries are known by their hashes alone (Lut::without_products()).
  bool pack = false;
  int threads = 0;
  Progress progress;
};

struct AXMUL_API LibraryBuildReport {
  struct Failure {
    std::string path, message;
  };
  std::vector<Multiplier> entries;  ///< one per function; aliases and transpose_of set
  /// Circuits of more than 8x8 bits, one per circuit, sorted by type and name.
  std::vector<WideMultiplier> wide;
  /// With LibraryBuildOptions::pack: h5::deflate_chunk() of the products, by sha256.
  std::map<std::string, std::vector<std::byte>> packed_products;
  std::size_t files = 0;           ///< designs read
  std::size_t native_skipped = 0;  ///< C models left alone for want of allow_native_code
  std::size_t other_skipped = 0;   ///< files in folders that are no designs
  std::vector<Failure> failures;   ///< in the order of the files
  /// Files that are no 8x8 multipliers, by what they are ("adders: 9 output bits").
  std::map<std::string, std::vector<Failure>> left_out;
  std::vector<std::string> warnings;
};

/// Reads files and folders (recursively) in parallel; a file that fails is reported and the rest
/// goes on; one that is no 8x8 multiplier is counted and left out. Texts that are no paths are
/// generator texts. The result depends neither on threads nor on the order of files: entries are
/// sorted by name, and of several designs of one function the one with the least published power
/// stands for it (then the least estimate, then the first name).
/// Throws InputError AX800 for a path that does not exist, AX851 when nothing could be read, and
/// read_costs()'s; InterruptedError.
AXMUL_API LibraryBuildReport build_library(std::span<const std::string> texts,
                                           const LibraryBuildOptions& options = {});

/// Writes the entries as write_library() of error_table.hpp, packed or not.
AXMUL_API void write_library(const std::string& path, const LibraryBuildReport& report,
                             const LibraryOptions& options = {});

}  // namespace axmul
