// The figures that the papers print, at the widths they print them for. Sources: luts/README.md.
#include <cmath>
#include <cstdlib>

#include "axmul/core/philox.hpp"
#include "axmul/designs/designs.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

// Relative errors of a design over operand pairs without a zero, in percent; MED and counts too.
struct Figures {
  double mred = 0, bias = 0, std = 0, largest = 0, smallest = 0, med = 0;
  double largest_error = 0, smallest_error = 0, correct = 0, pairs = 0;
};

class Collector {
 public:
  explicit Collector(const DesignInstance& design) : design_(design) {}
  void add(std::int64_t a, std::int64_t b) {
    const double exact = static_cast<double>(a * b);
    const double error = static_cast<double>(design_(a, b) - a * b);
    const double relative = 100 * error / exact;
    sums_.mred += std::fabs(relative);
    sums_.bias += relative;
    squares_ += relative * relative;
    sums_.med += std::fabs(error);
    sums_.largest = std::max(sums_.largest, relative);
    sums_.smallest = std::min(sums_.smallest, relative);
    sums_.largest_error = std::max(sums_.largest_error, error);
    sums_.smallest_error = std::min(sums_.smallest_error, error);
    sums_.correct += error == 0;
    ++sums_.pairs;
  }
  Figures figures() const {
    Figures f = sums_;
    f.mred /= f.pairs;
    f.bias /= f.pairs;
    f.med /= f.pairs;
    f.std = std::sqrt(squares_ / f.pairs - f.bias * f.bias);
    return f;
  }

 private:
  const DesignInstance& design_;
  Figures sums_;
  double squares_ = 0;
};

Figures all_pairs(const std::string& text, int width = 8) {
  const DesignInstance design = parse_design(text, width);
  Collector collector(design);
  const std::int64_t end = std::int64_t{1} << width;
  for (std::int64_t a = 1; a < end; ++a)
    for (std::int64_t b = 1; b < end; ++b) collector.add(a, b);
  return collector.figures();
}

// 4 million random pairs of 16-bit operands: a mean of spread s is good to s/2000.
Figures random_pairs(const std::string& text) {
  const DesignInstance design = parse_design(text, 16);
  Collector collector(design);
  Philox random(20260101);
  for (int i = 0; i < 4000000; ++i) {
    const auto a = static_cast<std::int64_t>(1 + random.next_below(65535));
    collector.add(a, static_cast<std::int64_t>(1 + random.next_below(65535)));
  }
  return collector.figures();
}

// |ours − printed| within half a unit of the last printed digit, plus a sampling error.
bool agrees(double ours, double printed, int digits, double sampling = 0) {
  return std::fabs(ours - printed) <= 0.5 * std::pow(10.0, -digits) * (1 + 1e-9) + sampling;
}

// Printed figures that were cut, not rounded.
bool agrees_cut(double ours, double printed, int digits) {
  return std::floor(ours * std::pow(10.0, digits) + 1e-9) ==
         std::round(printed * std::pow(10.0, digits));
}

}  // namespace

TEST_CASE("DRUM, 16 bits: mean absolute error, bias, standard deviation and maximum") {
  struct Row {
    int k;
    double largest, mred, bias, std;
  };
  // Hashemi et al. 2015, p. 422; the bias without its sign, which the paper leaves open.
  for (const Row& row : {Row{3, 56.25, 11.90, 2.08, 14.75}, Row{4, 26.56, 5.89, 0.53, 7.26},
                         Row{5, 12.86, 2.94, 0.14, 3.61}, Row{6, 6.31, 1.47, 0.04, 1.80},
                         Row{7, 3.10, 0.73, 0.01, 0.90}, Row{8, 1.54, 0.37, 0.01, 0.45}}) {
    CAPTURE(row.k);
    const std::string text = "drum(k=" + std::to_string(row.k) + ")";
    const Figures f = random_pairs(text);
    const double sampling = 4 * row.std / 2000;  // 4 standard errors of the mean
    CHECK(agrees(f.mred, row.mred, 2, sampling));
    CHECK(agrees(f.bias, row.bias, 2, sampling));
    CHECK(agrees(f.std, row.std, 2, sampling));
    // The true maximum is that of the operand most overstated, squared; the paper's is the largest
    // of 10^9 random pairs: it may fall short by a little, never exceed.
    const DesignInstance design = parse_design(text, 16);
    double ratio = 1;
    for (int a = 1; a < 65536; ++a) ratio = std::max(ratio, static_cast<double>(design(a, 1)) / a);
    const double largest = 100 * (ratio * ratio - 1);
    CHECK(row.largest <= largest + 0.005);
    CHECK(row.largest >= 0.98 * largest);
  }
}

TEST_CASE("Mitchell: never high, at most 1/9 low; mean −1/12 of 2^(ka+kb)") {
  const Figures f = all_pairs("mitchell");
  CHECK(f.largest == 0);
  CHECK(agrees(f.smallest, -11.1, 1));  // Mitchell 1962
  CHECK(agrees(random_pairs("mitchell").smallest, -11.1, 1, 0.05));
  // Saadat et al. 2018: mean error −0.08333·2^(ka+kb) within one pair of octaves.
  const DesignInstance design = parse_design("mitchell", 16);
  double sum = 0;
  for (int a = 1024; a < 2048; ++a)
    for (int b = 512; b < 1024; ++b) sum += static_cast<double>(design(a, b) - a * b);
  CHECK(agrees(sum / (1024.0 * 512) / (1024.0 * 512), -0.08333, 3));
}

TEST_CASE("Kulkarni: error probability and mean error for 4, 8, 12 and 16 bits") {
  // Kulkarni et al. 2011, Table I: over all pairs, zero products count as no error; digits are cut.
  for (const auto& [width, probability, mean] :
       {std::tuple{4, 0.19, 2.60}, {8, 0.46, 3.25}, {12, 0.67, 3.31}}) {
    const Figures f = all_pairs("kulkarni", width);
    const double nonzero = f.pairs / std::pow(4.0, width);
    CHECK(agrees_cut(f.mred * nonzero, mean, 2));
    CHECK(agrees_cut((1 - f.correct / f.pairs) * nonzero, probability, 2));
    CHECK(agrees(f.smallest, -22.22, 2));
  }
  const Figures f = random_pairs("kulkarni");
  CHECK(agrees(f.mred, 3.32, 2, 0.012));
  CHECK(agrees(1 - f.correct / f.pairs, 0.81, 2, 0.001));
}

TEST_CASE("RoBA: at most 1/9 off to either side, exact where an operand is a power of two") {
  const Figures f = all_pairs("roba");
  CHECK(agrees(f.largest, 11.1, 1));
  CHECK(agrees(f.smallest, -11.1, 1));
  const Lut u = generate("roba").lut, s = generate("roba(type=s8s8)").lut;
  for (int k = 0; k < 7; ++k)
    for (int x = -128; x < 128; ++x) {
      CHECK(s(1 << k, x) == x * (1 << k));
      CHECK(u(x + 128, 1 << k) == (x + 128) * (1 << k));
    }
  // AS-RoBA: an operand of −1 gives a 100 % error.
  const Lut as = generate("roba(negation=approximate,type=s8s8)").lut;
  for (int x = 1; x < 128; ++x) CHECK(std::abs(as(-1, x)) <= 1);
}

TEST_CASE("Babić: maximum and mean relative errors of the 8- and 12-bit multiplier") {
  // Babić et al. 2011, p. 31.
  const double mean8[] = {8.9131, 0.8337, 0.0708, 0.0048}, mean12[] = {9.3692, 0.9726, 0.1029};
  const double bound[] = {25, 6.25, 1.5625, 0.390625};
  for (int k = 0; k < 4; ++k) {
    const std::string text = "babic(corrections=" + std::to_string(k) + ")";
    const Figures f = all_pairs(text);
    CHECK(agrees(f.mred, mean8[k], 4));
    CHECK(f.largest == 0);
    CHECK(-f.smallest < bound[k]);
    CHECK(-f.smallest > 0.85 * bound[k]);
    if (k < 3) CHECK(agrees(all_pairs(text, 12).mred, mean12[k], 4));
  }
}

TEST_CASE("Momeni: Multipliers 1 to 4 to the last digit") {
  // Momeni et al. 2015, p. 7 of the paper: correct outputs of 65025, mean NED, largest NED above
  // and below.
  const auto check = [](const std::string& text, int correct, double mean, double above,
                        double below) {
    CAPTURE(text);
    const Figures f = all_pairs(text);
    CHECK(f.correct == correct);
    CHECK(agrees(f.med / 65025, mean, 7));
    CHECK(agrees(f.largest_error / 65025, above, 6));
    CHECK(agrees(-f.smallest_error / 65025, below, 6));
  };
  check("momeni(design=1,columns=7)", 5888, 0.9199e-3, 0.3199e-2, 0.2707e-2);
  check("momeni(design=2,columns=7)", 9320, 0.7827e-3, 0.1845e-2, 0.3076e-2);
  const auto check_high = [](const std::string& text, int correct, double mean) {
    CAPTURE(text);
    const Figures f = all_pairs(text);
    CHECK(f.correct == correct);
    CHECK(agrees(f.med / 65025, mean, 5));
  };
  check_high("momeni(design=1,columns=16)", 103, 0.6065e-1);
  check_high("momeni(design=2,columns=16)", 458, 0.5352e-1);
}

TEST_CASE("compressor cells: mean error under partial-product statistics") {
  // Wang, Qian, MinAC, ISCAS 2022, in 1/256. With four approximate columns a 4-bit tree has one
  // approximate compressor, on the four bits of column 3, each one with probability 1/4.
  for (const auto& [head, printed] : {std::pair{"momeni(design=2", 100},
                                      {"akbari(cell=c4", 38},
                                      {"yang(", 1},
                                      {"lin(", 2},
                                      {"ha(", 16}}) {
    const std::string text = std::string(head) + (std::string(head).back() == '(' ? "" : ",");
    const DesignInstance design = parse_design(text + "columns=4)", 4);
    std::int64_t sum = 0;
    for (int a = 0; a < 16; ++a)
      for (int b = 0; b < 16; ++b) sum += std::abs(design(a, b) - a * b);
    CHECK(sum == 8 * printed);
  }
}

TEST_CASE("TOSAM, 16 bits: the worked example and the ends of the range of mean errors") {
  // Vahdat et al. 2019: 11761·2482 = 29190802 is 0.99 % off; mean errors run from 11 % to 0.3 %.
  const auto p = static_cast<double>(parse_design("tosam(h=3,t=7)", 16)(11761, 2482));
  CHECK(agrees(100 * std::fabs(p - 29190802) / 29190802, 0.99, 2));
  CHECK(agrees(random_pairs("tosam(h=0,t=2)").mred, 11, 0));
  CHECK(agrees(random_pairs("tosam(h=5,t=9)").mred, 0.3, 1));
}

TEST_CASE("MBM, 16 bits: mean and peak error") {
  // Saadat et al. 2018: bias −0.09 %, mean 2.58 %, peak 7.81 %.
  const Figures f = random_pairs("mbm");
  CHECK(agrees(f.mred, 2.58, 2, 0.006));
  CHECK(agrees(f.bias, -0.09, 2, 0.006));
  CHECK(agrees(f.largest, 7.81, 2, 0.01));
  CHECK(agrees(all_pairs("mbm").bias, 0.05, 2));  // 8 bits
}

TEST_CASE("SSM, 16 bits: mean accuracy of 10-bit segments") {
  // Narayanamoorthy et al. 2015: 99.6 % for SSM10x10; 98.0 % for SSM8x8 and 99.0 % for ESSM8x8 on
  // operands that the paper does not describe further.
  CHECK(agrees(100 - random_pairs("ssm(m=10)").mred, 99.6, 1, 0.001));
  CHECK(agrees(100 - random_pairs("ssm(m=8)").mred, 98.0, 1, 0.04));
  CHECK(agrees(100 - random_pairs("ssm(m=8,positions=3)").mred, 99.0, 1, 0.09));
}

TEST_CASE("broken array and operand truncation: published library circuits of 16 and 12 bits") {
  // EvoApproxLib mul16u_GPV: MAE 671055872, WCE 2684223489. All errors are one-sided, so the MAE is
  // the mean of a·b less the mean of what is kept: bits 15·14 and 15·15.
  const DesignInstance bam = parse_design("broken_array(h=15,v=29)", 16);
  CHECK(65535LL * 65535 - bam(65535, 65535) == 2684223489LL);  // rows of b below 15 are gone
  CHECK(bam(65535, 32767) == 0);
  CHECK(bam(49152, 32768) == (3LL << 29));
  CHECK(agrees(32767.5 * 32767.5 - (3LL << 29) / 4.0, 671055872, 0));
  // EvoApproxLib mul12u_34Q: MAE 256000, WCE 1024001, MRE 15.79 %.
  const Figures f = all_pairs("operand_truncation(ka=7,kb=7)", 12);
  CHECK(agrees(f.med * f.pairs / std::pow(2.0, 24), 256000, 0));
  CHECK(-f.smallest_error == 1024001);
  CHECK(agrees(f.mred, 15.79, 2));
}

TEST_CASE("perforation: NMED is 2^p·(2^m − 1)/(4·(2^n − 1))") {
  // Zervakis et al. 2016, uniform operands.
  for (int width : {8, 12})
    for (const auto& [p, m] : {std::pair{0, 1}, {1, 5}, {3, 4}, {2, 2}}) {
      const Figures f =
          all_pairs("perforated(p=" + std::to_string(p) + ",m=" + std::to_string(m) + ")", width);
      const double top = std::pow(2.0, width) - 1;
      const double nmed = f.med * f.pairs / std::pow(4.0, width) / (top * top);
      CHECK(nmed == doctest::Approx(std::pow(2.0, p) * (std::pow(2.0, m) - 1) / (4 * top)));
    }
}
