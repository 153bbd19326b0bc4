// triplets: pairs missing, doubled, out of range; words where numbers belong.
#include "axmul/core/errors.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

namespace {

/// All pairs of u8u8, one a line from line 1 on; line `at` is replaced.
std::string listing(std::size_t at = 0, const std::string& line = "", int minimum = 0) {
  std::string text;
  std::size_t number = 0;
  for (int a = minimum; a < minimum + 256; ++a)
    for (int b = 0; b < 256; ++b)
      text += ++number == at ? line
                             : std::to_string(a) + ' ' + std::to_string(b) + ' ' +
                                   std::to_string(a * b) + '\n';
  return text;
}

void fails(const std::string& text, const char* message) {
  CAPTURE(message);
  CHECK_THROWS_WITH_AS(parse_table(text, "x.txt"), doctest::Contains(message), InputError);
}

}  // namespace

TEST_CASE("a complete listing is read, remarks skipped") {
  CHECK(parse_table(listing(), "x.txt").lut == Lut::exact(OperandType::u8u8));
  CHECK(parse_table("VSIM 12> run\nINFO: 3 4 5\n a b p\n" + listing() + "// end\n", "x.txt").lut ==
        Lut::exact(OperandType::u8u8));
}

TEST_CASE("pairs missing, doubled, too many") {
  fails(listing(1000, ""),
        "AX325 x.txt:65535: the file ends with 65535 of 65536 pairs; the pair 3, 231 is");
  fails(listing(1000, "3 230 690\n"),
        "AX323 x.txt:1000: the pair 3, 230 was given in line 999 already");
  fails(listing() + "0 0 0\n", "AX323 x.txt:65537: more than 65536 pairs");
  fails(listing().substr(0, 400000), "AX32");
  fails("0 0 0\n", "AX325 x.txt:1: the file ends with 1 of 65536 pairs; the pair 0, 1 is missing");
  fails("only words\n", "AX325");
  fails("", "is empty");
}

TEST_CASE("bad lines are named") {
  fails(listing(1000, "3 231\n"),
        "AX320 x.txt:1000: a triplet is \"first second product\", this line has fewer");
  fails(listing(1000, "3 231 693 1\n"), "AX320 x.txt:1000");
  fails(listing(1000, "3 231 x\n"), "AX322 x.txt:1000: column 3: \"x\" is not a whole number");
  fails(listing(1000, "3 231 6.5\n"), "AX322 x.txt:1000: column 3");
  fails(listing(1000, "three 231 5\n"), "AX322 x.txt:1000: column 1");
  fails(listing(1, "1z 0 0\n"), "AX322 x.txt:1: column 1");
  fails(listing(1000, "256 231 5\n"), "AX324 x.txt:1000: column 1: operand 256");
  fails(listing(1000, "-129 231 5\n"), "AX324 x.txt:1000: column 1: operand -129");
  fails(listing(1000, "-3 231 5\n"),
        "AX324 x.txt:32769: the first operand is 128 here and -3 in line 1000");
  fails(listing(1000, "3 231 16777216\n"), "AX321 x.txt:1000: column 3: product 16777216");
  fails(listing(1000, "3 231 nan\n"), "AX322 x.txt:1000: column 3");
}

TEST_CASE("operand columns and options must agree") {
  const std::string signed_first = listing(0, "", -128);
  const Multiplier swapped = parse_table(signed_first, "x.txt");
  CHECK(swapped.lut == Lut::exact(OperandType::u8s8));
  CHECK(swapped.provenance.type_from == "operands");
  CHECK(swapped.provenance.order == OperandOrder::ba);
  CHECK(swapped.provenance.order_from == "operands");
  CHECK(swapped.provenance.warning.empty());
  CHECK_THROWS_WITH_AS(parse_table(signed_first, "x.txt", {.order = OperandOrder::ab}),
                       doctest::Contains("AX311 x.txt: operand a takes negative values and b does "
                                         "not, and there is no such type; when b stands first, "
                                         "give --order ba"),
                       InputError);
  CHECK_THROWS_WITH_AS(parse_table(signed_first, "x.txt", {.type = OperandType::s8s8}),
                       doctest::Contains("AX313"), InputError);
  CHECK_THROWS_WITH_AS(
      parse_table(listing(), "x.txt", {.type = OperandType::s8s8, .index = OperandIndex::value}),
      doctest::Contains("AX313"), InputError);
  // Columns 0 … 255 of a signed type are bytes.
  const Multiplier bytes = parse_table(listing(), "x.txt", {.type = OperandType::s8s8});
  CHECK(bytes.provenance.index == OperandIndex::bits);
  CHECK(bytes.lut(-1, 2) == 255 * 2);
}
