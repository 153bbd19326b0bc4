// Arithmetic definitions of the papers in other words (real logarithms, strings, truth tables), and
// what must hold of every family: exact at the mild end, worse towards the other.
#include <cmath>
#include <cstdlib>

#include "axmul/designs/designs.hpp"
#include "axmul/stats/metrics.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

Lut table(const std::string& text) { return generate(text, false).lut; }

double mean_error(const std::string& text) {
  CharacterizeOptions options;
  options.distribution = false;
  return characterize(table(text), options).metrics.mae;
}

// Binary digits of x without leading zeros.
std::string binary(int x) {
  std::string digits;
  for (; x > 0; x /= 2) digits.insert(digits.begin(), static_cast<char>('0' + x % 2));
  return digits;
}
int from_binary(const std::string& digits) {
  return static_cast<int>(std::stol("0" + digits, nullptr, 2));
}

}  // namespace

TEST_CASE("the mild end of every parameter is the exact multiplier") {
  for (const char* text :
       {"truncated(k=0)", "truncated_constant(k=0)", "broken_array(h=0,v=0)", "perforated(m=0)",
        "lower_or(k=0)", "operand_truncation(ka=0,kb=0)", "drum(k=8)", "dsm(k=8)", "ssm(m=8)",
        "babic(corrections=7)", "momeni(design=1,columns=0)", "momeni(design=2,columns=0)",
        "akbari(columns=0)", "yang(columns=0)", "lin(columns=0)", "ha(columns=0)"}) {
    CAPTURE(text);
    CHECK(table(text) == Lut::exact(OperandType::u8u8));
  }
  CHECK(table("broken_booth(v=0)") == Lut::exact(OperandType::s8s8));
  CHECK(table("drum(k=8,type=s8s8)") == Lut::exact(OperandType::s8s8));
  CHECK(table("alm_soa(m=0)") == table("mitchell"));
  CHECK(table("broken_array(h=0,v=7)") == table("truncated(k=7)"));
}

TEST_CASE("the mean error grows with coarseness") {
  const auto grows = [](const std::string& head, int from, int to, const std::string& tail = ")") {
    double previous = -1;
    for (int value = from; value != to + (to > from ? 1 : -1); value += to > from ? 1 : -1) {
      const std::string text = head + std::to_string(value) + tail;
      CAPTURE(text);
      const double mae = mean_error(text);
      CHECK(mae >= previous);
      previous = mae;
    }
  };
  grows("truncated(k=", 0, 15);
  grows("truncated(k=", 0, 14, ",type=s8s8)");  // only the sign bits' product is left at 14
  grows("broken_array(v=0,h=", 0, 8);
  grows("broken_array(h=2,v=", 0, 15);
  grows("broken_booth(v=", 0, 13);
  grows("perforated(p=0,m=", 0, 8);
  grows("operand_truncation(kb=0,ka=", 0, 7);
  grows("drum(k=", 8, 2);
  grows("dsm(k=", 8, 2);
  grows("ssm(m=", 8, 4);
  grows("babic(corrections=", 7, 0);
  grows("yang(columns=", 0, 16);
  grows("ha(columns=", 0, 16);
}

TEST_CASE("truncation with the constant is less biased than without") {
  for (const char* type : {"u8u8", "s8s8"})
    for (int k = 3; k <= 9; ++k) {
      const std::string tail = "(k=" + std::to_string(k) + ",type=" + type + ")";
      CharacterizeOptions options;
      options.distribution = false;
      const double plain = characterize(table("truncated" + tail), options).metrics.bias;
      const double constant =
          characterize(table("truncated_constant" + tail), options).metrics.bias;
      CHECK(std::fabs(constant) <= std::fabs(plain));
      CHECK(std::fabs(constant) <= std::ldexp(0.5, k));
    }
}

TEST_CASE("Mitchell: piecewise-linear logarithm and antilogarithm in real numbers") {
  const Lut lut = table("mitchell");
  const auto log2 = [](int x) {
    const double k = std::floor(std::log2(x));
    return k + (x / std::exp2(k) - 1);
  };
  for (int a = 1; a < 256; ++a)
    for (int b = 1; b < 256; ++b) {
      const double sum = log2(a) + log2(b), k = std::floor(sum);
      CHECK(lut(a, b) == std::exp2(k) * (1 + sum - k));
    }
  CHECK(lut(0, 77) == 0);
  CHECK(lut(77, 0) == 0);
}

TEST_CASE("DRUM and DSM on strings of digits") {
  const Lut drum = table("drum(k=4)"), dsm = table("dsm(k=4)");
  const auto keep = [](int x, char last) {
    std::string digits = binary(x);
    if (digits.size() <= 4) return x;
    std::string kept = digits.substr(0, 4) + std::string(digits.size() - 4, '0');
    if (last != 0) kept[3] = last;
    return from_binary(kept);
  };
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      CHECK(drum(a, b) == keep(a, '1') * keep(b, '1'));
      CHECK(dsm(a, b) == keep(a, 0) * keep(b, 0));
    }
}

TEST_CASE("SSM and ESSM: multiples of the segment's unit") {
  const Lut two = table("ssm(m=5)"), three = table("ssm(m=4,positions=3)");
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const auto five = [](int x) { return x < 32 ? x : x - x % 8; };
      const auto four = [](int x) { return x < 16 ? x : x < 64 ? x - x % 4 : x - x % 16; };
      CHECK(two(a, b) == five(a) * five(b));
      CHECK(three(a, b) == four(a) * four(b));
    }
}

TEST_CASE("ETM on strings: zeros up to the first position with a one, ones from there") {
  const Lut lut = table("etm");
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      int expected = a * b;
      if (a >= 16 || b >= 16) {
        std::string low;
        bool found = false;
        for (int i = 3; i >= 0; --i) {
          found = found || (a >> i & 1) != 0 || (b >> i & 1) != 0;
          low += found ? '1' : '0';
        }
        low += found ? "1111" : "0000";
        expected = (a / 16) * (b / 16) * 256 + from_binary(low);
      }
      CHECK(lut(a, b) == expected);
    }
}

TEST_CASE("RoBA and power of two: nearest power by distance, upwards when halfway, 3 to 2") {
  const auto nearest = [](int x) {
    int best = 0;
    for (int p = 1; p <= 256 && x > 0; p *= 2)
      if (best == 0 || std::abs(p - x) < std::abs(best - x) ||
          (std::abs(p - x) == std::abs(best - x) && x != 3))
        best = p;
    return best;
  };
  const Lut roba = table("roba"), both = table("power_of_two(operand=both)"),
            only_b = table("power_of_two(operand=b)"), signed_roba = table("roba(type=s8s8)");
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const int ar = nearest(a), br = nearest(b);
      CHECK(roba(a, b) == a * b - (ar - a) * (br - b));  // the omitted term
      CHECK(both(a, b) == ar * br);
      CHECK(only_b(a, b) == a * br);
    }
  CHECK(sign_magnitude(roba, OperandType::s8s8) == signed_roba);
  // Approximate negation: −7·100 is ~(6·100), −7·−5 is 6·4.
  const Lut as = table("roba(negation=approximate,type=s8s8)");
  CHECK(as(-7, 100) == -roba(6, 100) - 1);
  CHECK(as(-7, -5) == roba(6, 4));
  CHECK(as(7, 5) == roba(7, 5));
}

TEST_CASE("signed forms of unsigned cores are their sign-magnitude use") {
  for (const char* head : {"drum(k=5", "dsm(k=5", "ssm(m=5", "tosam(h=2", "power_of_two(operand=b",
                           "alm_soa(m=3", "babic(corrections=1"})
    for (OperandType type : {OperandType::s8s8, OperandType::u8s8}) {
      const std::string text(head);
      CHECK(table(text + ",type=" + std::string(to_string(type)) + ")") ==
            sign_magnitude(table(text + ")"), type));
    }
}

TEST_CASE("Kulkarni: 4-bit blocks by the paper's rule, 3·3 = 7 wherever it occurs") {
  const Lut lut = table("kulkarni");
  CHECK(lut(3, 3) == 7);
  CHECK(lut(2, 3) == 6);
  CHECK(lut(255, 255) == 7 * 85 * 85);
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      // Each pair of base-4 digits "3" costs 2 units of its place.
      int lost = 0;
      for (int i = 0, x = a; x > 0; ++i, x /= 4)
        for (int j = 0, y = b; y > 0; ++j, y /= 4)
          if (x % 4 == 3 && y % 4 == 3) lost += 2 << (2 * (i + j));
      CHECK(lut(a, b) == a * b - lost);
    }
}

TEST_CASE("MBM adds 5/64 of 2^(ka+kb); ALM-SOA sets low bits of the logarithm") {
  const Lut plain = table("mitchell"), mbm = table("mbm"), soa = table("alm_soa(m=3)");
  for (int a = 1; a < 256; ++a)
    for (int b = 1; b < 256; ++b) {
      const int k = static_cast<int>(binary(a).size() + binary(b).size()) - 2;
      const int corrected = plain(a, b) + static_cast<int>(std::floor(std::ldexp(5.0, k - 6)));
      CHECK(mbm(a, b) == (corrected > 65535 ? plain(a, b) : corrected));
      // Seven fraction bits, three of them ones: the mantissa is an odd multiple of 8/128, less
      // 1/128.
      const int digits = static_cast<int>(binary(soa(a, b)).size()) - 1;
      if (digits >= 7) CHECK((soa(a, b) >> (digits - 7)) % 8 == 7);
    }
}

TEST_CASE("lower-part OR: an exact adder where no column below k has two ones") {
  const Lut lut = table("lower_or(k=6)");
  for (int a = 0; a < 256; ++a)
    for (int i = 0; i < 8; ++i) {
      CHECK(lut(a, 1 << i) == a << i);
      CHECK(lut(1 << i, a) == a << i);
    }
  CHECK(lut(3, 3) == 7);          // 011 | 110
  CHECK(lut(7, 3) == 15);         // 0111 | 1110
  CHECK(lut(48, 3) == 112 + 64);  // 110000, 1100000: OR below 64, both bits 5 set carry
}

TEST_CASE("TOSAM, worked by hand") {
  // a = b = 3 = 2·1.5: t = 2 keeps Y = 0.10, h = 0 makes both factors 0.1: 4·(1 + 1 + 1/4) = 9.
  CHECK(parse_design("tosam(h=0,t=2)")(3, 3) == 9);
  // a = 8: Y = 0, its midpoint 0.1: 8·4·(1 + 0 + 0 + 1/4) for b = 4.
  CHECK(parse_design("tosam(h=0,t=2)")(8, 4) == 40);
}

TEST_CASE("a compressor tree without approximate columns is exact at every width") {
  for (int width = 4; width <= 16; width += 2)
    for (const char* text : {"momeni(design=1,columns=0)", "momeni(design=2,columns=0)"}) {
      CAPTURE(width);
      const DesignInstance design = parse_design(text, width);
      const std::int64_t top = (std::int64_t{1} << width) - 1;
      CHECK(design(top, top) == top * top);
      for (std::int64_t a = 1, b = 1; a < top && b < top; a = a * 5 / 3 + 1, b = b * 2 + 1)
        CHECK(design(a, b) == a * b);
      for (std::int64_t x = 0; x < 2000; ++x) {
        const std::int64_t a = x * 7919 & top, b = x * 104729 & top;
        CHECK(design(a, b) == a * b);
      }
    }
}
