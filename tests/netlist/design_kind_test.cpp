// What is an 8x8 multiplier: names, comments, parameter types, ports, values.
#include "netlist/design_kind.hpp"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "axmul/core/errors.hpp"
#include "axmul/formats/table_file.hpp"
#include "support/support.hpp"

using namespace axmul;
using detail::NameFacts;

TEST_CASE("names of the field's libraries say what a design is") {
  for (const auto& [name, kind, a, b] :
       {std::tuple("mul8u_1JFF", NameFacts::multiplier, 8, 8),
        {"mul8s_1KV8_pdk45", NameFacts::multiplier, 8, 8},
        {"mul8_433", NameFacts::multiplier, 8, 8},
        {"mul8x4u_18D", NameFacts::multiplier, 8, 4},
        {"mul12u_2DB", NameFacts::multiplier, 12, 12},
        {"mult8_cgp14ep_ep65536_wc16384_2_csamcsa", NameFacts::multiplier, 8, 8},
        {"MUL16S", NameFacts::multiplier, 16, 16},
        {"approx_mult_8x8", NameFacts::multiplier, 8, 8},
        {"multiplier_8x8", NameFacts::multiplier, 8, 8},
        {"mul8_WallaceTreeMultiplier_Using_CarryLookaheadAdder", NameFacts::multiplier, 8, 8},
        {"add8u_0FP", NameFacts::adder, 8, 8},
        {"add12se_54N", NameFacts::adder, 12, 12},
        {"add8_TreeAdder_With_BrentKungArchitecture", NameFacts::adder, 8, 8},
        {"approx_adder", NameFacts::adder, 0, 0},
        {"sub10s_x", NameFacts::adder, 10, 10},
        {"add_shift_multiplier", NameFacts::none, 0, 0},
        {"trun8_tam00b", NameFacts::none, 0, 0},
        {"mult4to2", NameFacts::none, 0, 0},
        {"address8", NameFacts::none, 0, 0},
        {"drum6", NameFacts::none, 0, 0},
        {"top", NameFacts::none, 0, 0}}) {
    CAPTURE(name);
    const NameFacts facts = detail::facts_of_name(name);
    CHECK(facts.kind == kind);
    CHECK(facts.width_a == a);
    CHECK(facts.width_b == b);
  }
}

TEST_CASE("comments say operand widths where names do not") {
  const auto widths = [](const std::string& text) {
    const auto facts = detail::facts_of_comments(text + "\nint f(int a, int b)", 2);
    return facts ? std::pair(facts->width_a, facts->width_b) : std::pair(0, 0);
  };
  CHECK(widths("// 12-bit unsigned multiplier") == std::pair(12, 12));
  CHECK(widths("/* approximate 8x4-bit circuit */") == std::pair(8, 4));
  CHECK(widths("// 8 x 8 multiplier with 16-bit output") == std::pair(8, 8));
  CHECK(widths("int g(int A /* 8-bit operand */, int B /* 7-bit operand */)") == std::pair(8, 7));
  CHECK(widths("// 16 bit result, released 2019-08") == std::pair(0, 0));
  CHECK(widths("// MAE = 12, 3x faster") == std::pair(0, 0));
  CHECK(widths("int x = 12; // of no multiplier") == std::pair(0, 0));
}

TEST_CASE("output bits are judged by values: upper bits are shifted, sums are none") {
  const auto table = [](auto&& f) { return Lut::from_function(OperandType::u8u8, f); };
  for (const int bits : {8, 10, 12, 14, 15, 16}) {
    CAPTURE(bits);
    const Lut upper = table([&](int a, int b) { return a * b >> (16 - bits); });
    CHECK(detail::product_shift(upper, bits) == 16 - bits);
    CHECK(detail::shifted(upper, 16 - bits)(255, 255) == (65025 >> (16 - bits) << (16 - bits)));
    const Lut sum = table([&](int a, int b) { return (a + b) & ((1 << bits) - 1); });
    CHECK_FALSE(detail::product_shift(sum, bits));
  }
  CHECK_FALSE(detail::product_shift(table([](int a, int b) { return a + b; }), 9));
  CHECK_FALSE(detail::product_shift(table([](int a, int b) { return a ^ b; }), 8));
  CHECK_FALSE(detail::product_shift(table([](int a, int b) { return std::max(a, b); }), 8));
  // A product that saturates at 15 bits, or lacks its highest, is one as it is.
  CHECK(detail::product_shift(table([](int a, int b) { return std::min(a * b, 0x7FFF); }), 15) ==
        0);
  CHECK(detail::product_shift(Lut::exact(OperandType::s8s8), 17) == 0);
  CHECK(detail::value_bits(table([](int a, int b) { return a + b; })) == 9);
  CHECK(detail::value_bits(Lut::exact(OperandType::s8s8)) == 16);
}

TEST_CASE("no published multiplier is taken for another function, whatever its name") {
  const auto folder = test::data_path("evoapprox");
  if (!folder) AXMUL_SKIP("needs AXMUL_DATA/evoapprox");
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(*folder)) {
    if (file.path().extension() != ".bin") continue;
    Multiplier m = read_table(file.path().string());
    if (detail::value_bits(m.lut) == 0) continue;  // all zeros
    CAPTURE(m.name);
    m.name = m.provenance.source_file = "x";
    CHECK(kind_by_values(m) == "");
    CHECK(detail::product_shift(m.lut, 15).has_value());
    ++count;
  }
  CHECK(count == 35);
}

TEST_CASE("C models of other functions are never called with 8-bit operands") {
  const test::ScratchDir folder;
  NetlistOptions native;
  native.allow_native_code = true;
  const auto kind = [&](const std::string& file, const std::string& text) -> std::string {
    test::write_text(folder / file, "#include <stdint.h>\n" + text);
    try {
      const Multiplier m = read_design_circuit((folder / file).string(), native);
      return kind_by_values(m);
    } catch (const NotMultiplierError& error) {
      CHECK(error.id() == 254);
      CHECK(std::string(error.what()).find(file) != std::string::npos);
      return error.kind();
    }
  };
  const std::string product = " { return a * b; }\n", sum = " { return a + b; }\n";
  CHECK(kind("mul7u_1.c", "uint64_t mul7u_1(uint64_t a, uint64_t b)" + product) == "");
  CHECK(kind("mul8x7u_1.c", "uint64_t mul8x7u_1(const uint64_t a,const uint64_t b)" + product) ==
        "");
  CHECK(kind("mul16u_1.c", "uint32_t mul16u_1(uint16_t a, uint16_t b)" + product) ==
        "multipliers of more than 8x8 bits");
  CHECK(kind("x.c", "uint32_t x(uint16_t a, uint16_t b)" + product) ==
        "C models of 16-bit operands");
  CHECK(kind("y.c", "// 8-bit multiplier\nuint32_t y(uint16_t a, uint16_t b)" + product) == "");
  CHECK(kind("mul8u_2.c", "uint32_t mul8u_2(uint16_t a, uint16_t b)" + product) == "");
  CHECK(kind("add8u_1.c", "uint16_t add8u_1(uint8_t a, uint8_t b)" + sum) == "adders (C models)");
  CHECK(kind("nameless.c", "int nameless(int a, int b)" + sum) == "adders: 9 output bits");
  CHECK(kind("byte.c", "uint8_t byte(uint8_t a, uint8_t b)" + sum) ==
        "other functions: 8 output bits");
  CHECK(kind("half.c", "uint8_t half(uint8_t a, uint8_t b) { return a * b >> 8; }\n") == "");
  CHECK(kind("plain.c", "int plain(int a, int b)" + product) == "");
  const auto read = [&](const char* file) {
    return read_design_circuit((folder / file).string(), native).lut;
  };
  CHECK(read("mul7u_1.c") == Lut::exact(*parse_sized_type("u7u7")));
  CHECK(read("mul8x7u_1.c") == Lut::exact(*parse_sized_type("u8u7")));
  test::write_text(folder / "mul5x3s_1.c", "int mul5x3s_1(int a, int b)" + product);
  CHECK(read("mul5x3s_1.c") == Lut::exact(*parse_sized_type("s5s3")));
  const Multiplier half = read_design_circuit((folder / "half.c").string(), native);
  CHECK(half.lut(255, 255) == 0xFE00);
  CHECK(half.provenance.output_shift == 8);
}
