// hex: addresses, comments, widths, and what $readmemh would let pass but a table must not.
#include "axmul/core/errors.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

namespace {

/// 65536 words, one a line from line 1 on, word = address; line `at` is replaced.
std::string image(std::size_t at = 0, const std::string& line = "", const char* format = "%04x\n") {
  std::string text;
  for (unsigned i = 0; i < 65536; ++i) {
    char word[32];
    std::snprintf(word, sizeof word, format, i);
    text += i + 1 == at ? line : word;
  }
  return text;
}

void fails(const std::string& text, const char* message) {
  CAPTURE(message);
  CHECK_THROWS_WITH_AS(parse_table(text, "x.hex", {.type = OperandType::u8u8}),
                       doctest::Contains(message), InputError);
}

}  // namespace

TEST_CASE("words, addresses and comments") {
  const Lut plain = parse_table(image(), "x.hex", {.type = OperandType::u8u8}).lut;
  CHECK(plain(3, 200) == 3 * 256 + 200);
  CHECK(
      parse_table("@0\n/* two\nlines */" + image() + "// end", "x.mem", {.type = OperandType::u8u8})
          .lut == plain);
  const std::string text = image();
  CHECK(parse_table("@8000 " + text.substr(5 * 32768) + "@0000" + "\n" + text.substr(0, 5 * 32768),
                    "x.mem", {.type = OperandType::u8u8})
            .lut == plain);
}

TEST_CASE("the type tells the sign up to 24 bits, beyond that words are two's complement") {
  CHECK(parse_table(image(1, "fffe\n"), "x.hex", {.type = OperandType::u8u8}).lut(0, 0) == 65534);
  CHECK(parse_table(image(1, "fffe\n"), "x.hex", {.type = OperandType::s8s8}).lut(0, 0) == -2);
  CHECK(parse_table(image(1, "fffffffe\n"), "x.hex", {.type = OperandType::u8u8}).lut(0, 0) == -2);
  CHECK(parse_table(image(1, "ffffe\n"), "x.hex", {.type = OperandType::s8s8}).lut(0, 0) == -2);
  CHECK(parse_table(image(1, "ffffe\n"), "x.hex", {.type = OperandType::s8s8}).lut(-1, -1) ==
        65535);
  // Addresses are bit patterns: word 0x80ff is a = -128, b = -1.
  CHECK(parse_table(image(), "x.hex", {.type = OperandType::s8s8}).lut(-128, -1) == 0x80ff - 65536);
}

TEST_CASE("bad images are refused with the line") {
  fails(image(1000, "12x4\n"), "AX327 x.hex:1000: \"12x4\" has unknown bits");
  fails(image(1000, "zzzz\n"), "AX327 x.hex:1000");
  fails(image(1000, "12g4\n"), "AX322 x.hex:1000: \"12g4\"");
  fails(image(1000, "123456789\n"), "AX322 x.hex:1000");
  fails(image(1000, "0x12\n"), "AX322 x.hex:1000: \"0x12\" starts with 0x");
  fails(image(1000, "0X0\n"), "no 0x prefix");
  fails(image(1000, "_\n"), "AX322 x.hex:1000");
  fails(image(1000, "01000000\n"), "AX321 x.hex:1000: word: product 16777216");
  fails(image(1000, "\n"), "AX325 x.hex: address 65535 has no word");
  fails(image(1000, "@3e8\n"), "AX325 x.hex: address 999 has no word");
  fails(image(1000, "@0 1234\n"), "AX323 x.hex:1000: address 0 was given in line 1 already");
  fails(image() + "0000\n", "AX323 x.hex:65537: more than 65536 words");
  fails(image() + "@10000\n", "AX324 x.hex:65537");
  fails(image() + "@\n", "AX322 x.hex:65537");
  fails(image() + "@99999999999999999999\n", "AX324");
  fails(image() + "/* open\n", "AX322 x.hex:65537: a comment does not end");
  fails(image(1000, "12/4\n"), "AX322 x.hex:1000");
  fails(image().substr(0, 5 * 60000 + 2), "AX325 x.hex: address 60001 has no word");
  fails("", "is empty");
}
