// Shapes and results of the benchmark as text, the same for every program.
#include <charconv>
#include <cmath>
#include <cstdio>

#include "axmul/core/errors.hpp"
#include "axmul/kernels/bench.hpp"

namespace axmul {

namespace {

std::string number(double x) {
  if (std::isnan(x)) return "NaN";
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

/// A cell, in quotes where it must be.
std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::string bench_shape_text(const GemmShape& s) {
  return std::to_string(s.n) + "×" + std::to_string(s.k) + "×" + std::to_string(s.m);
}

GemmShape parse_bench_shape(const std::string& text) {
  std::size_t values[3] = {};
  const char* at = text.data();
  const char* end = text.data() + text.size();
  for (int i = 0; i < 3; ++i) {
    const auto result = std::from_chars(at, end, values[i]);
    const bool separated = i == 2 ? result.ptr == end : result.ptr != end && *result.ptr == ',';
    if (result.ec != std::errc() || !separated || values[i] == 0)
      throw UsageError(612,
                       "a shape is n,k,m (rows, fan-in, output channels), such as "
                       "4096,144,16, not \"" +
                           text + "\"");
    at = result.ptr + 1;
  }
  return {values[0], values[1], values[2]};
}

std::string bench_csv(const BenchReport& report) {
  std::string out = "n,k,m,table,operands,kernel,threads,rounds,mac_per_second,mac_per_cycle";
  for (const BenchYardstick& y : bench_yardsticks()) out += std::string(",ratio_to_") + y.name;
  for (const BenchYardstick& y : bench_yardsticks())
    out += "," + std::string(y.name) + "_mac_per_cycle";
  out += ",disturbed\n";
  for (const BenchResult& r : report.results) {
    out += std::to_string(r.shape.n) + "," + std::to_string(r.shape.k) + "," +
           std::to_string(r.shape.m) + "," + cell(r.lut) + "," +
           (r.real_operands ? "traced" : "synthetic") + "," + r.kernel + "," +
           std::to_string(r.threads) + "," + std::to_string(r.rounds) + "," +
           number(r.mac_per_second.median) + "," + number(r.mac_per_cycle.median);
    for (const BenchYardstick& y : bench_yardsticks())
      out += "," + number((r.ratio_to.*y.field).median);
    for (const BenchYardstick& y : bench_yardsticks())
      out += "," + number((r.yardstick_mac_per_cycle.*y.field).median);
    out += r.disturbed ? ",1\n" : ",0\n";
  }
  return out;
}

}  // namespace axmul
