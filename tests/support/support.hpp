// What tests share: skipping that is reported, development data, scratch folders, asymmetric
// tables.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "axmul/core/lut.hpp"

namespace axmul::test {

/// Records that something was not tested; the executable then returns 77 unless a check failed.
void note_skip(const std::string& reason);

/// $AXMUL_DATA/relative when it exists.
std::optional<std::filesystem::path> data_path(const std::string& relative);

/// Root of the source tree and of the build tree.
std::filesystem::path source_dir();
std::filesystem::path binary_dir();

/// A fresh folder that goes away with the object.
class ScratchDir {
 public:
  ScratchDir();
  ~ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

std::string read_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, const std::string& text);

/// A table whose every entry tells its operands: 3·a·b + 7·a − 5·b + 11 (asymmetric, f(0,0) = 11).
Lut asymmetric_lut(OperandType type);
/// Exact plus errors uniform in −max_error … max_error, from a seed (asymmetric).
Lut random_lut(OperandType type, std::uint64_t seed, int max_error = 2000);

}  // namespace axmul::test

/// Ends the test case as skipped: AXMUL_SKIP("needs AXMUL_DATA/…").
#define AXMUL_SKIP(reason)          \
  do {                              \
    axmul::test::note_skip(reason); \
    return;                         \
  } while (false)
