// Test helpers.
#include "support/support.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "axmul/core/philox.hpp"

namespace axmul::test {

bool g_skipped = false;

void note_skip(const std::string& reason) {
  g_skipped = true;
  std::cerr << "SKIPPED: " << reason << '\n';
}

std::optional<std::filesystem::path> data_path(const std::string& relative) {
  const char* root = std::getenv("AXMUL_DATA");
  if (root == nullptr || *root == '\0') return std::nullopt;
  std::filesystem::path path = std::filesystem::path(root) / relative;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

std::filesystem::path source_dir() { return AXMUL_TEST_SOURCE_DIR; }
std::filesystem::path binary_dir() { return AXMUL_TEST_BINARY_DIR; }

ScratchDir::ScratchDir() {
  std::string name = (std::filesystem::temp_directory_path() / "axmul-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a scratch folder");
  path_ = name;
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

Lut asymmetric_lut(OperandType type) {
  return Lut::from_function(type, [](int a, int b) { return 3 * a * b + 7 * a - 5 * b + 11; });
}

Lut random_lut(OperandType type, std::uint64_t seed, int max_error) {
  Philox random(seed);
  return Lut::from_function(type, [&](int a, int b) {
    return a * b +
           static_cast<int>(random.next_below(static_cast<std::uint64_t>(2 * max_error + 1))) -
           max_error;
  });
}

}  // namespace axmul::test
