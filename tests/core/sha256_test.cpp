// SHA-256 against FIPS 180-4's examples and Python's hashlib, whole and in pieces.
#include "axmul/core/sha256.hpp"

#include <cstddef>
#include <vector>

#include "support/support.hpp"

using namespace axmul;

namespace {

std::string digest(std::string_view text) {
  Sha256 sum;
  sum.update(text);
  return sum.hex();
}

}  // namespace

TEST_CASE("SHA-256 of the standard's examples") {
  CHECK(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(digest(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 around the ends of blocks, in pieces of any size") {
  // python3 -c "import hashlib; print(*(hashlib.sha256(bytes(range(n))).hexdigest()[:16] for n in
  // …))"
  const std::vector<std::pair<std::size_t, std::string>> known = {
      {1, "6e340b9cffb37a98"},   {55, "463eb28e72f82e0a"},  {56, "da2ae4d6b36748f2"},
      {57, "2fe741af801cc238"},  {63, "29af2686fd53374a"},  {64, "fdeab9acf3710362"},
      {65, "4bfd2c8b6f1eec7a"},  {119, "da18797ed7c3a777"}, {120, "f52b23db1fbb6ded"},
      {127, "92ca0fa6651ee2f9"}, {128, "471fb943aa23c511"}, {129, "5099c6a56203f968"},
      {200, "1901da1c9f699b48"}};
  for (const auto& [size, start] : known) {
    CAPTURE(size);
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i);
    for (const std::size_t piece : {size, std::size_t{1}, std::size_t{63}, std::size_t{64}}) {
      Sha256 sum;
      for (std::size_t at = 0; at < size; at += piece)
        sum.update(std::span(bytes).subspan(at, std::min(piece, size - at)));
      CHECK(sum.hex().substr(0, 16) == start);
    }
  }
}
