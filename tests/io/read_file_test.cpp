// Whole files: contents, limits, and what cannot be read.
#include "axmul/io/read_file.hpp"

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("a file is read whole, zero bytes included") {
  const test::ScratchDir dir;
  const std::string bytes = std::string("a\0b\n", 4) + std::string(200000, 'x');
  test::write_text(dir / "f", bytes);
  CHECK(read_file((dir / "f").string()) == bytes);
  CHECK(read_file((dir / "f").string(), bytes.size()) == bytes);
  test::write_text(dir / "empty", "");
  CHECK(read_file((dir / "empty").string()).empty());
  CHECK(!read_file("/proc/self/status").empty());  // a file that claims size 0
}

TEST_CASE("what cannot be read says why") {
  const test::ScratchDir dir;
  CHECK_THROWS_WITH_AS(read_file((dir / "none").string()),
                       doctest::Contains("cannot be read: No such file or directory"), InputError);
  CHECK_THROWS_WITH_AS(read_file(dir.path().string()), doctest::Contains("AX102"), InputError);
  test::write_text(dir / "f", "0123456789");
  CHECK_THROWS_WITH_AS(read_file((dir / "f").string(), 9), doctest::Contains("AX101"), InputError);
  CHECK_THROWS_WITH_AS(read_file("/dev/zero", 100000), doctest::Contains("larger than 100000"),
                       InputError);
}
