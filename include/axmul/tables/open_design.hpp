// From what a user types to designs: files of any format, folders, HDF5 files, generator texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/formats/table_file.hpp"
#include "axmul/netlist/readers.hpp"
#include "axmul/netlist/wide.hpp"

namespace axmul {

/// What the user knows better than the files.
struct AXMUL_API OpenOptions {
  ReadOptions read;
  std::optional<std::string> standard_input;  ///< content of "-", read by the caller
  /// How circuits and C models are read; none: they are no designs. Without allow_native_code C
  /// models met in folders are skipped and counted.
  std::optional<NetlistOptions> circuits;
  bool as_one = false;  ///< all texts together are the Verilog or VHDL files of one design
};

/// Lets options take circuit files and C models as designs, read with `circuits`; type and order
/// that options.read gives hold for them too.
AXMUL_API void accept_circuits(OpenOptions& options, NetlistOptions circuits = {});

/// A design that is known by name but not read yet.
struct AXMUL_API DesignRef {
  std::string name;                  ///< unique within its list
  std::string source;                ///< file path, "file.h5:NAME", or the generator text
  std::function<Multiplier()> load;  ///< reads it; its InputErrors name the file. Thread-safe.
  bool from_folder = false;          ///< a file that was met in a folder, not named itself
};

struct AXMUL_API DesignList {
  std::vector<DesignRef> designs;     ///< in the order of the texts; folders sorted naturally
  std::vector<std::string> warnings;  ///< renamed or repeated entries, broken files
  std::size_t skipped = 0;            ///< files in folders that are no designs
  std::size_t native_skipped = 0;     ///< of these C models, for want of allow_native_code
};

/// What a file is read as.
enum class DesignKind : std::uint8_t { table, circuit, hdf5 };

struct AXMUL_API DesignFile {
  std::string path;
  DesignKind kind = DesignKind::table;
};

/// The files below a folder that look like designs, sorted naturally; hidden ones are passed over.
struct AXMUL_API DesignFiles {
  std::vector<DesignFile> files;
  std::size_t skipped = 0;         ///< files that are no designs, and C models that must not run
  std::size_t native_skipped = 0;  ///< of these the C models
  /// Files left out that look like broken designs: a binary table or memory image by its extension
  /// whose content is none, an HDF5 file that cannot be read.
  std::vector<std::string> warnings;
};
/// Throws InputError AX801 when the folder cannot be read.
AXMUL_API DesignFiles design_files(const std::string& folder, const OpenOptions& options = {});

/// Finds the designs that texts name, each one of: "-" (options.standard_input), a table file, a
/// list of the files of one design (is_file_list()), a
/// circuit, an axmul HDF5 table or library (all its entries) or one entry of it ("lib.h5:NAME", by
/// name, alias or NAME@<8 or more hex of its sha256>; of several operand types the one of
/// options.read.type), a folder
/// (recursively, what is no design is counted in `skipped`), a generator text such as "drum(k=6)".
/// Two different functions of one name become NAME@<first 8 hex of sha256> with a warning (more
/// digits while that is taken); the same function under one name is taken once, with a warning.
/// Throws InputError: AX800 no such file or design (with the nearest family name), AX801 a folder
/// without designs, AX802 no such entry in an HDF5 file (with the nearest names); UsageError AX5xx
/// for generator texts.
AXMUL_API DesignList find_designs(std::span<const std::string> texts,
                                  const OpenOptions& options = {});

/// All designs of one file whose kind is known, as find_designs() of its path.
AXMUL_API DesignList designs_of(const DesignFile& file, const OpenOptions& options = {});

/// The multiplier of more than 8x8 bits that a circuit file or generator text holds: what a
/// DesignRef's load() refused with NotMultiplierError::kind() == wide_kind(). source is
/// DesignRef::source.
AXMUL_API WideMultiplier open_wide(const std::string& source, const OpenOptions& options = {});

/// The one design that a text names; throws InputError AX803 where it names several.
AXMUL_API Multiplier open_design(const std::string& text, const OpenOptions& options = {});

}  // namespace axmul
