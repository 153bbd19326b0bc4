// What decides type, index and order, in which order, and how the choice is recorded.
#include "axmul/core/errors.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

namespace {

std::string bytes_of(const Lut& lut, const char* format, OperandIndex index = OperandIndex::value,
                     const char* dtype = nullptr) {
  WriteOptions options{.format = format, .index = index};
  if (dtype != nullptr) options.dtype = dtype;
  return encode_table({.name = "x", .lut = lut}, options);
}

}  // namespace

TEST_CASE("the name decides by whole parts") {
  // A table that resembles nothing: only the name can tell.
  const Lut noise = Lut::from_function(
      OperandType::u8u8, [](int a, int b) { return (a * 7919 + b * 104729) % 61 - 30; });
  const std::string bytes = bytes_of(noise, "npy");
  const auto type = [&](const char* path) {
    const Multiplier read = parse_table(bytes, path);
    return std::string(to_string(read.lut.type())) + " " + read.provenance.type_from;
  };
  CHECK(type("dir.s8s8/mul8u_125K.npy") == "u8u8 name");
  CHECK(type("mul8s_1KV8.npy") == "s8s8 name");
  CHECK(type("MUL8S.npy") == "s8s8 name");
  CHECK(type("drum_u8s8-k6.npy") == "u8s8 name");
  CHECK(type("u8u8.npy") == "u8u8 name");
  CHECK(type("mul8us_x.npy") == "s8s8 values");  // no such prefix; products are negative
  CHECK(type("my_mul8u_x.npy") == "s8s8 values");
  CHECK(type("xs8s8.npy") == "s8s8 values");
}

TEST_CASE("options, then the file's statement, then the name") {
  const std::string csv = bytes_of(test::plausible_lut(OperandType::s8s8), "csv");
  CHECK(parse_table(csv, "mul8u_x.csv").provenance.type_from == "file");
  CHECK(parse_table(csv, "mul8u_x.csv").lut.type() == OperandType::s8s8);
  const Multiplier forced = parse_table(csv, "mul8u_x.csv", {.type = OperandType::u8s8});
  CHECK(forced.lut.type() == OperandType::u8s8);
  CHECK(forced.provenance.type_from == "option");
  CHECK_THROWS_WITH_AS(
      parse_table("# axmul-table: type=s9s9\n" + csv, "x.csv"),
      doctest::Contains("AX314 x.csv:1: the file's own statement has type = \"s9s9\""), InputError);
  CHECK_THROWS_WITH_AS(parse_table("#\n# axmul-table: order=row\n" + csv, "x.csv"),
                       doctest::Contains("AX314 x.csv:2"), InputError);
}

TEST_CASE("an unsigned element type is u8u8; other values tell by resemblance") {
  const Lut u = test::plausible_lut(OperandType::u8u8);
  CHECK(parse_table(bytes_of(u, "npy", OperandIndex::value, "uint16"), "x.npy")
            .provenance.type_from == "dtype");
  CHECK(parse_table(bytes_of(u, "cheader"), "x.h").lut.type() == OperandType::u8u8);
  for (const OperandType type : kOperandTypes)
    for (const OperandIndex index : {OperandIndex::value, OperandIndex::bits})
      for (const char* format : {"npy", "bin"}) {
        CAPTURE(format);
        const Lut lut = test::plausible_lut(type);
        const Multiplier read = parse_table(bytes_of(lut, format, index), "x");
        test::check_same(read.lut, lut);
        CHECK(read.provenance.type_from == "values");
        if (type != OperandType::u8u8) CHECK(read.provenance.index == index);
      }
}

TEST_CASE("an index that is given is never overruled") {
  const Lut lut = test::plausible_lut(OperandType::s8s8);
  const std::string bits = bytes_of(lut, "npy", OperandIndex::bits);
  const Multiplier read =
      parse_table(bits, "x.npy", {.type = OperandType::s8s8, .index = OperandIndex::value});
  CHECK(read.provenance.index == OperandIndex::value);
  CHECK(read.lut(-128, -128) == lut(0, 0));
}

TEST_CASE("nothing tells: the format's default") {
  const Multiplier zero = parse_table(std::string(131072, '\0'), "x.bin");
  CHECK(zero.lut.type() == OperandType::u8u8);
  CHECK(zero.provenance.type_from == "format");
  CHECK(zero.provenance.index == OperandIndex::value);
  CHECK(zero.provenance.order == OperandOrder::ab);
}

TEST_CASE("a name that the values contradict asks") {
  const std::string bytes =
      bytes_of(test::plausible_lut(OperandType::s8s8), "npy", OperandIndex::bits);
  CHECK_THROWS_WITH_AS(parse_table(bytes, "mul8u_x.npy"),
                       doctest::Contains("the name says u8u8, but the products are those of a "
                                         "multiplier s8s8 in order of bit pattern; give --type"),
                       InputError);
  CHECK_NOTHROW(parse_table(bytes, "mul8u_x.npy", {.type = OperandType::u8u8}));
}

TEST_CASE("formats are told by content, then by extension") {
  for (const TableFormat& format : table_formats()) {
    CAPTURE(format.name);
    for (const OperandType type : kOperandTypes) {
      const std::string bytes =
          encode_table({.name = "x", .lut = test::plausible_lut(type)}, {.format = format.name});
      for (const char* path : {"x", "x.txt", "x.csv", "x.bin", "x.h"})
        CHECK(detect_table_format(bytes, path).name == format.name);
    }
    CHECK(detect_table_format("rubbish", "dir/x" + format.extensions[0]).name == format.name);
    CHECK(find_table_format(format.name)->name == format.name);
  }
  CHECK(table_format_of_extension("X.HEX")->name == "hex");
  CHECK(table_format_of_extension("dir.hex/x") == nullptr);
  CHECK(find_table_format("nope") == nullptr);
  CHECK_THROWS_WITH_AS(detect_table_format("rubbish", "x"), doctest::Contains("AX300"), InputError);
  CHECK_THROWS_WITH_AS(detect_table_format("\x89HDF\r\n\x1a\n", "x"), doctest::Contains("HDF5"),
                       InputError);
  CHECK_THROWS_WITH_AS(parse_table("", "x.csv", {.format = "xls"}),
                       doctest::Contains("AX301 unknown table format \"xls\"; there are npy, bin"),
                       UsageError);
}

TEST_CASE("what is no table is not taken for one") {
  for (const char* text :
       {"value,count\n0,5\n1,7\n", "1 2 3\n4 5 6\n", "{\"a\": [256, {}]}",
        "module m(input [7:0] a); assign x = {a, b}; endmodule", "hello\n", "0000\n0001\n",
        "uint16_t mul8u(uint8_t A, uint8_t B) { uint8_t n[64]; return A; }"}) {
    CAPTURE(text);
    CHECK(sniff_table_format(text, "x.csv") == nullptr);
    CHECK(sniff_table_format(text, "x.txt") == nullptr);
  }
}

TEST_CASE("standard input has a name") {
  const Lut lut = test::plausible_lut(OperandType::u8u8);
  CHECK(parse_table(bytes_of(lut, "csv"), "<stdin>").name == "stdin");
}
