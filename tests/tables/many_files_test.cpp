// Many designs at once: few files are open, few tables are held, and the library is the same.
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/formats/table_file.hpp"
#include "axmul/tables/error_table.hpp"
#include "axmul/tables/library_build.hpp"
#include "axmul/tables/open_design.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

/// The soft limit on open files, lowered while the object lives.
class FewFiles {
 public:
  explicit FewFiles(rlim_t most) {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = most;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~FewFiles() { setrlimit(RLIMIT_NOFILE, &before_); }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;

 private:
  rlimit before_{};
};

void write_one(const std::filesystem::path& path, const std::string& name, std::uint64_t seed) {
  const Multiplier entry{name, test::random_lut(OperandType::u8u8, seed)};
  write_library(path.string(), std::span(&entry, 1));
}

}  // namespace

TEST_CASE("a folder may hold more HDF5 files than a process may open") {
  const test::ScratchDir folder;
  constexpr int kFiles = 60;
  for (int i = 0; i < kFiles; ++i)
    write_one(folder / ("f" + std::to_string(i) + ".h5"), "m" + std::to_string(i),
              static_cast<std::uint64_t>(i));
  const FewFiles few(40);
  const std::string text = folder.path().string();
  const DesignList list = find_designs(std::span(&text, 1));
  REQUIRE(list.designs.size() == kFiles);
  for (const int i : {0, 59, 1, 58, 30, 0})
    CHECK(list.designs[static_cast<std::size_t>(i)].load().lut ==
          test::random_lut(OperandType::u8u8, static_cast<std::uint64_t>(i)));
  const LibraryBuildReport report = build_library(std::span(&text, 1));
  CHECK(report.entries.size() == kFiles);
  CHECK(report.failures.empty());
}

TEST_CASE("an entry of a file that was replaced meanwhile is refused") {
  const test::ScratchDir folder;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h", "i"})
    write_one(folder / (std::string(name) + ".h5"), name, 1);
  const std::string text = folder.path().string();
  const DesignList list = find_designs(std::span(&text, 1));
  REQUIRE(list.designs.size() == 9);
  // a.h5 is open no more: eight others were opened since.
  std::filesystem::remove(folder / "a.h5");
  write_one(folder / "a.h5", "another", 2);
  CHECK_THROWS_WITH_AS(list.designs[0].load(), doctest::Contains("AX802"), InputError);
  CHECK(list.designs[8].load().name == "i");
}

TEST_CASE("a library is the same to the byte whether its tables were kept or packed") {
  ::setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  const test::ScratchDir folder;
  std::filesystem::create_directories(folder / "in");
  const auto add = [&](const std::string& name, const Lut& lut) {
    write_table((folder / "in" / (name + ".npy")).string(), {name, lut});
  };
  for (std::uint64_t i = 0; i < 5; ++i)
    add("u" + std::to_string(i), test::random_lut(OperandType::u8u8, i));
  add("again", test::random_lut(OperandType::u8u8, 3));
  add("turned", transposed(test::random_lut(OperandType::u8u8, 4)));
  add("mul8s_x", test::random_lut(OperandType::s8s8, 9));
  const std::string texts[] = {(folder / "in").string(), "drum(k=6)", "exact(type=s8s8)"};
  LibraryBuildOptions options;
  const LibraryBuildReport kept = build_library(texts, options);
  options.pack = true;
  const LibraryBuildReport packed = build_library(texts, options);
  write_library((folder / "kept.h5").string(), kept.entries);
  write_library((folder / "packed.h5").string(), packed);
  CHECK(test::read_text(folder / "kept.h5") == test::read_text(folder / "packed.h5"));
  REQUIRE(packed.entries.size() == kept.entries.size());
  CHECK(packed.warnings == kept.warnings);
  CHECK(packed.packed_products.size() == packed.entries.size());
  for (std::size_t i = 0; i < kept.entries.size(); ++i) {
    CHECK(packed.entries[i].lut == kept.entries[i].lut);
    CHECK(!packed.entries[i].lut.has_products());
    CHECK_THROWS_AS(packed.entries[i].lut.products(), InternalError);
    CHECK(packed.entries[i].lut.sha256_swapped() == kept.entries[i].lut.sha256_swapped());
  }
  ::unsetenv("SOURCE_DATE_EPOCH");
}
