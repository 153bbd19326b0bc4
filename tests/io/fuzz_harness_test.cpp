// The shared fuzzer finds what it must find, replays it, and leaves well-behaved readers alone.
#include <cstdio>
#include <new>
#include <stdexcept>

#include "axmul/io/npy.hpp"
#include "support/fuzz.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

/// A reader that is wrong about one kind of input: texts with a tab.
void fragile(const std::string& input) {
  if (input.find('\t') != std::string::npos) throw std::out_of_range("tab");
  throw InputError(100, Place{}, "refused");
}

}  // namespace

TEST_CASE("an exception that is not an axmul::Error is a finding" * doctest::should_fail()) {
  test::fuzz("harness-wrong", {"some text, long enough to be changed in many ways"}, fragile,
             {.seconds = 20});
}

TEST_CASE("an InternalError is a finding" * doctest::should_fail()) {
  test::fuzz("harness-internal", {"x"},
             [](const std::string&) { throw InternalError("on purpose"); }, {.seconds = 1});
}

TEST_CASE("typed errors are not, and a run is a function of seed and number") {
  const std::vector<std::string> corpus = {
      npy_bytes(std::vector<std::int16_t>{1, 2, 3}, std::vector<std::size_t>{3}),
      "text 1,2\n3,4\n"};
  const test::FuzzReport report = test::fuzz(
      "npy", corpus, [](const std::string& input) { parse_npy(input, "f"); }, {.seconds = 0.3});
  CHECK(report.accepted > 0);
  CHECK(report.refused > 0);
  std::size_t different = 0;
  for (std::uint64_t run = 0; run < 200; ++run) {
    const std::string mutant = test::fuzz_input(corpus, run, {});
    CHECK(mutant == test::fuzz_input(corpus, run, {}));
    different += mutant != corpus[0] && mutant != corpus[1] ? 1 : 0;
  }
  CHECK(different > 150);
  for (const char* name : {"fuzz-harness-wrong.bin", "fuzz-harness-internal.bin"})
    std::remove(name);
}
