// Tables of fewer than 8x8 bits in every format: written and read back, told by shape, statement,
// name or option.
#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

namespace {

/// Asymmetric and near the exact product.
Lut near_exact(const SizedType& type, std::uint64_t seed) {
  Philox random(seed);
  return Lut::from_function_of_size(type, [&](int a, int b) {
    return a * b + static_cast<int>(random.next_below(3)) * (a > 2 ? 1 : 0);
  });
}

SizedType sized(const char* text) { return *parse_sized_type(text); }

}  // namespace

TEST_CASE("a narrow table reads back from every format with type and width") {
  for (const TableFormat& format : table_formats())
    for (const char* text : {"u8u3", "u3u8", "s7s7", "s5s4", "u8s4", "u1u8"})
      for (const auto& [order, index] : test::conventions()) {
        CAPTURE(format.name);
        CAPTURE(text);
        CAPTURE(test::text_of(order));
        CAPTURE(test::text_of(index));
        const Lut lut = near_exact(sized(text), 3);
        const std::string bytes = encode_table(
            {.name = "x", .lut = lut}, {.format = format.name, .order = order, .index = index});
        const Multiplier back = parse_table(
            bytes, "x" + format.extensions[0],
            {.type = sized(text).kind, .order = order, .index = index, .width = sized(text).bits});
        CHECK(back.lut == lut);
        CHECK(back.lut.sha256() == lut.sha256());
        CHECK(back.provenance.type_from == "option");
        if (!format.text || format.name == "csv") continue;
        CHECK(parse_table(bytes, "any" + format.extensions[0]).lut == lut);
      }
}

TEST_CASE("the shape of an array, or the name of a file, tells the widths") {
  const Lut lut = near_exact(sized("u8u3"), 5);
  const std::string npy = encode_table({.name = "x", .lut = lut}, {.format = "npy"});
  CHECK(parse_table(npy, "x.npy", {.type = OperandType::u8u8}).lut == lut);
  CHECK(parse_table(npy, "mul8x3u_1.npy").lut == lut);
  const std::string bin =
      encode_table({.name = "x", .lut = lut}, {.format = "bin", .dtype = "uint16"});
  CHECK(bin.size() == 2 * 2048);
  CHECK(parse_table(bin, "mul8x3u_1.bin").lut == lut);
  CHECK_THROWS_WITH_AS(parse_table(bin, "x.bin"), doctest::Contains("--width"), InputError);
  CHECK_THROWS_AS(parse_table(bin, "mul8x4u_1.bin"), InputError);
  CHECK_THROWS_WITH_AS(parse_table(npy, "x.npy", {.width = OperandWidths{8, 4}}),
                       doctest::Contains("AX352"), InputError);
}

TEST_CASE("a small array beside a C table of 8x8 bits is none") {
  const Lut lut = test::plausible_lut(OperandType::u8u8);
  const std::string header = "const double scale[2][2] = {{0.5, 1}, {1, 2}};\n" +
                             encode_table({.name = "x", .lut = lut}, {.format = "cheader"});
  CHECK(parse_table(header, "x.h").lut == lut);
}

TEST_CASE("signs of a narrow table are told by its products") {
  const Lut lut = near_exact(sized("s5s4"), 9);
  const std::string npy = encode_table({.name = "x", .lut = lut}, {.format = "npy"});
  const Multiplier back = parse_table(npy, "x.npy");
  CHECK(back.lut == lut);
  CHECK(back.provenance.type_from == "values");
  CHECK(back.provenance.warning.empty());
}

TEST_CASE("operand columns that contradict widths or type are refused") {
  const auto rows = [](int first, int first_count, int second, int second_count, const char* gap) {
    std::string text;
    for (int i = first; i < first + first_count; ++i)
      for (int j = second; j < second + second_count; ++j)
        text += std::to_string(i) + gap + std::to_string(j) + gap + std::to_string(i * j) + "\n";
    return text;
  };
  ReadOptions options{.format = "listing", .width = OperandWidths{8, 3}};
  CHECK(parse_table(rows(0, 256, 0, 8, " "), "x.lst", options).lut(200, 7) == 1400);
  CHECK_THROWS_WITH_AS(parse_table(rows(0, 8, 0, 256, " "), "x.lst", options),
                       doctest::Contains("AX352"), InputError);
  options = {.type = OperandType::u8u8, .format = "triplets", .width = OperandWidths{4, 4}};
  CHECK_THROWS_WITH_AS(parse_table(rows(-8, 16, -8, 16, " "), "x.txt", options),
                       doctest::Contains("AX313"), InputError);
  options.type = OperandType::s8s8;
  CHECK(parse_table(rows(-8, 16, -8, 16, " "), "x.txt", options).lut(-8, 7) == -56);
}
