// One rule for every reader: what is declared, then the name, then the products.
#include "core/reading.hpp"

#include <algorithm>
#include <string>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;
using detail::Decision;
using detail::Decodings;
using detail::Known;
using detail::Reading;
using detail::Words;

namespace {

/// Operand value of an index, as files have them.
int value_at(int index, bool is_signed, OperandIndex convention) {
  if (!is_signed) return index;
  return convention == OperandIndex::value ? index - 128 : index < 128 ? index : index - 256;
}

/// A coarse multiplier that no transposition leaves as it is.
int coarse(int a, int b) { return a * b - (a & 3) * (b & 3) + (a & 1); }

/// The words of f in a reading; bits: as patterns of so many.
template <class F>
Words words_of(const Reading& reading, F&& f, unsigned bits = 0) {
  Words words{.wrap_bits = bits};
  const bool ab = reading.order == OperandOrder::ab;
  for (int i = 0; i < 256; ++i)
    for (int j = 0; j < 256; ++j) {
      const std::int32_t product =
          f(value_at(ab ? i : j, a_is_signed(reading.type), reading.index),
            value_at(ab ? j : i, b_is_signed(reading.type), reading.index));
      words.words.push_back(bits == 0 ? product : product & ((1 << bits) - 1));
    }
  return words;
}

Decision decide(const Known& known, const Words& words) {
  return detail::decide(known, {[&] { return words; }});
}

const OperandIndex kIndexes[] = {OperandIndex::value, OperandIndex::bits};
const OperandOrder kOrders[] = {OperandOrder::ab, OperandOrder::ba};

}  // namespace

TEST_CASE("whole parts of a name tell the type") {
  using detail::type_of_name;
  CHECK(type_of_name("mul8u_125K") == OperandType::u8u8);
  CHECK(type_of_name("MUL8S") == OperandType::s8s8);
  CHECK(type_of_name("mul8x8u_2") == OperandType::u8u8);
  CHECK(type_of_name("mul8x8s_2") == OperandType::s8s8);
  CHECK(type_of_name("mulu8s8_drum_k_6") == OperandType::u8s8);
  CHECK(type_of_name("drum_u8s8-k6") == OperandType::u8s8);
  CHECK(type_of_name("s8s8") == OperandType::s8s8);
  for (const char* name : {"", "mul8us_x", "my_mul8u_x", "xs8s8", "mul12s_3", "mul8", "drum(k=6)"})
    CHECK(type_of_name(name) == std::nullopt);
}

TEST_CASE("the products tell type, index and, where it shows, order") {
  for (const OperandType type : kOperandTypes)
    for (const OperandOrder order : kOrders)
      for (const OperandIndex index : kIndexes)
        for (const unsigned bits : {0U, 16U}) {
          const Reading meant{type, order, index};
          CAPTURE(detail::text_of(meant));
          const Decision decision = decide({}, words_of(meant, coarse, bits));
          CHECK(decision.reading.type == type);
          CHECK(decision.type_from == "values");
          CHECK(decision.is_product);
          if (type != OperandType::u8u8) {
            CHECK(decision.reading.index == index);
            CHECK(decision.index_from == "values");
          }
          const bool shows = type == OperandType::u8s8 && order == OperandOrder::ba;
          CHECK(decision.reading.order == (shows ? OperandOrder::ba : OperandOrder::ab));
          CHECK(decision.order_from == (shows ? "values" : "format"));
          const Lut lut = detail::lut_of(decision);
          const bool swapped = decision.reading.order != order;
          CHECK(lut(100, 3) == (swapped ? coarse(3, 100) : coarse(100, 3)));
        }
}

TEST_CASE("a declaration goes before the name, the name before the products") {
  const Words s = words_of({OperandType::s8s8}, coarse, 16);
  const Known declared{.names = {"mul8u_x"}, .type = OperandType::s8s8, .type_from = "ports"};
  CHECK(decide(declared, s).type_from == "ports");
  const Known named{.names = {"top", "mul8s_x"}};
  CHECK(decide(named, s).type_from == "name");
  CHECK(decide(named, s).reading.type == OperandType::s8s8);
  CHECK_FALSE(decide(named, s).instead);
  // What contradicts the products is kept, and the contradiction is told.
  const Decision wrong = decide({.names = {"mul8u_x"}}, s);
  CHECK(wrong.reading.type == OperandType::u8u8);
  CHECK(wrong.type_from == "name");
  REQUIRE(wrong.instead);
  CHECK(*wrong.instead == Reading{OperandType::s8s8});
  const Decision forced = decide({.type = OperandType::u8u8, .type_from = "option"}, s);
  CHECK(detail::doubt(forced, "--type") ==
        "the products resemble those of a multiplier s8s8 in order of value (taken as u8u8, type "
        "from option); check --type");
}

TEST_CASE("an order or index that is given is not overruled") {
  const Words words = words_of({OperandType::u8s8, OperandOrder::ba, OperandIndex::bits}, coarse);
  const Decision order = decide({.order = OperandOrder::ab, .order_from = "file"}, words);
  CHECK(order.reading.order == OperandOrder::ab);
  CHECK(order.order_from == "file");
  const Decision index = decide({.index = OperandIndex::value, .index_from = "option"}, words);
  CHECK(index.reading.index == OperandIndex::value);
  CHECK_FALSE(index.is_product);
}

TEST_CASE("one AND gate is the same circuit signed and unsigned: the usual type is taken") {
  const auto gate = [](int a, int b) { return (a & 128) * (b & 128); };
  const Decision decision =
      decide({}, words_of({OperandType::s8s8, OperandOrder::ab, OperandIndex::bits}, gate, 16));
  CHECK(decision.reading.type == OperandType::u8u8);
  CHECK(decide({.names = {"mul8s_gate"}},
               words_of({OperandType::s8s8, OperandOrder::ab, OperandIndex::bits}, gate, 16))
            .reading == Reading{OperandType::s8s8, OperandOrder::ab, OperandIndex::bits});
}

TEST_CASE("to tell the type takes a better resemblance than to agree with it") {
  // One AND gate in order of value: score 0.38 · 0.75.
  const auto gate = [](int a, int b) { return (a & 128) * (b & 128); };
  const Words words = words_of({OperandType::s8s8}, gate);
  CHECK(decide({.names = {"mul8s_gate"}}, words).is_product);
  const Decision nameless = decide({}, words);
  CHECK_FALSE(nameless.is_product);
  CHECK(nameless.reading == Reading{OperandType::s8s8});
  CHECK_FALSE(detail::doubt(nameless, "--type").empty());
  // Each row of the exact table turned by its number: as patterns a chance likeness of 0.30.
  Words turned;
  for (int i = 0; i < 256; ++i)
    for (int j = 0; j < 256; ++j) turned.words.push_back(i * ((j - i) & 255));
  CHECK_FALSE(decide({}, turned).is_product);
}

TEST_CASE("unsigned elements may hold patterns") {
  Words u = words_of({OperandType::u8u8}, coarse);
  u.only_type = OperandType::u8u8;
  u.only_type_from = "dtype";
  CHECK(decide({}, u).type_from == "dtype");
  CHECK(decide({}, u).words->decoding.empty());
  Words s = words_of({OperandType::s8s8, OperandOrder::ab, OperandIndex::bits}, coarse, 16);
  s.wrap_bits = 0;
  s.only_type = OperandType::u8u8;
  s.only_type_from = "dtype";
  const Decision patterns = decide({}, s);
  CHECK(patterns.reading == Reading{OperandType::s8s8, OperandOrder::ab, OperandIndex::bits});
  CHECK(patterns.type_from == "values");
  CHECK(patterns.words->decoding == "two's complement");
  CHECK(detail::lut_of(patterns)(-100, 3) == coarse(-100, 3));
  s.words[5] = 65536;  // no pattern of 16 bits
  CHECK_FALSE(decide({}, s).is_product);
}

TEST_CASE("decodings are tried in order, each once, as far as needed") {
  const auto sum = [](int a, int b) { return a + b; };
  int calls = 0;
  const auto counted = [&calls](Words words, const std::string& decoding) {
    return [&calls, words = std::move(words), decoding] {
      ++calls;
      Words result = words;
      result.decoding = decoding;
      return result;
    };
  };
  const Words none = words_of({}, sum), product = words_of({}, coarse);
  CHECK(detail::decide({}, {counted(product, "1"), counted(product, "2")}).words->decoding == "1");
  CHECK(calls == 1);
  CHECK(detail::decide({}, {counted(none, "1"), counted(product, "2"), counted(product, "3")})
            .words->decoding == "2");
  CHECK(calls == 3);
  // None is a product: the first, though the name lets all be looked at twice.
  calls = 0;
  const Decision first =
      detail::decide({.names = {"mul8u"}}, {counted(none, "1"), counted(none, "2")});
  CHECK(first.words->decoding == "1");
  CHECK(calls == 2);
  const auto broken = []() -> Words { throw InputError(321, "first"); };
  CHECK(detail::decide({}, {broken, counted(product, "2")}).words->decoding == "2");
  CHECK_THROWS_WITH_AS(detail::decide({}, {broken, counted(none, "2")}), doctest::Contains("first"),
                       InputError);
  const auto usage = []() -> Words { throw UsageError(260, "no"); };
  CHECK_THROWS_AS(detail::decide({}, {usage, counted(product, "2")}), UsageError);
}

TEST_CASE("operand columns leave only the readings that list them") {
  const Words words = words_of({OperandType::s8s8, OperandOrder::ab, OperandIndex::bits}, coarse);
  const auto columns = [&](bool first, bool second) {
    return decide({.first_signed = first, .second_signed = second}, words);
  };
  CHECK(columns(false, false).reading.index == OperandIndex::bits);
  CHECK(columns(false, false).index_from == "operands");
  CHECK(columns(true, true).reading == Reading{OperandType::s8s8});
  CHECK(columns(true, true).type_from == "operands");
  CHECK(columns(false, true).reading == Reading{OperandType::u8s8});
  CHECK(columns(true, false).reading == Reading{OperandType::u8s8, OperandOrder::ba});
  CHECK(columns(true, false).order_from == "operands");
}

TEST_CASE("where nothing resembles: a faint resemblance, a negative product, the usual") {
  const Known usual{.usual = {OperandType::u8s8, OperandOrder::ba, OperandIndex::bits}};
  const Decision zeros = decide(usual, words_of({}, [](int, int) { return 0; }));
  CHECK(zeros.reading == usual.usual);
  CHECK(zeros.type_from == "format");
  CHECK(zeros.index_from == "format");
  CHECK_FALSE(zeros.instead);
  const Decision negative = decide(usual, words_of({}, [](int a, int b) { return 3 - (a ^ b); }));
  CHECK(negative.reading.type == OperandType::s8s8);
  CHECK(negative.type_from == "values");
  // Thrice the product is none, but its type shows.
  for (const OperandIndex index : kIndexes) {
    const Decision scaled = decide(usual, words_of({OperandType::s8s8, OperandOrder::ab, index},
                                                   [](int a, int b) { return 3 * a * b; }));
    CHECK_FALSE(scaled.is_product);
    CHECK(scaled.reading.type == OperandType::s8s8);
    CHECK(scaled.reading.index == index);
    CHECK(scaled.type_from == "values");
  }
}

TEST_CASE("doubts name score and options; a product has none") {
  CHECK(detail::doubt(decide({}, words_of({}, coarse)), "--type").empty());
  const Decision sum = decide({}, words_of({}, [](int a, int b) { return a + b; }));
  CHECK(detail::doubt(sum, "--type and --order") ==
        "the table resembles a product of two 8-bit operands in no reading (taken as u8u8, type "
        "from format): score 0.00, an exact multiplier has 1; check --type and --order, and "
        "whether it holds products");
  Provenance provenance;
  detail::record(sum, "--type", provenance);
  CHECK(provenance.type_from == "format");
  CHECK(provenance.resemblance == 0);
  CHECK(provenance.warning.starts_with("the table resembles a product"));
}
