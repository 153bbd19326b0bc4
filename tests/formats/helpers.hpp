// What the tests of the formats share.
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "axmul/formats/table_file.hpp"
#include "support/support.hpp"

namespace axmul::test {

/// An asymmetric table that resembles a multiplier and fits 16 bits of its type's signedness.
inline Lut plausible_lut(OperandType type) {
  return Lut::from_function(type, [](int a, int b) { return a * b - (a & 3) * (b & 3) + (a & 1); });
}

inline const std::vector<std::pair<OperandOrder, OperandIndex>>& conventions() {
  static const std::vector<std::pair<OperandOrder, OperandIndex>> all = {
      {OperandOrder::ab, OperandIndex::value},
      {OperandOrder::ab, OperandIndex::bits},
      {OperandOrder::ba, OperandIndex::value},
      {OperandOrder::ba, OperandIndex::bits}};
  return all;
}

inline std::string text_of(OperandOrder order) { return order == OperandOrder::ab ? "ab" : "ba"; }
inline std::string text_of(OperandIndex index) {
  return index == OperandIndex::value ? "value" : "bits";
}

/// Runs a script with Debian's Python in the folder; its output is shown on failure.
inline void run_python(const ScratchDir& dir, const std::string& script) {
  write_text(dir / "script.py", script);
  const std::string command =
      "cd '" + dir.path().string() + "' && /usr/bin/python3 script.py >log 2>&1";
  const int status = std::system(command.c_str());
  const std::string log = read_text(dir / "log");
  CAPTURE(log);
  REQUIRE(status == 0);
}

/// Every entry, so that a failure names the first operands that differ.
inline void check_same(const Lut& x, const Lut& y) {
  REQUIRE(x.type() == y.type());
  int differences = 0;
  for (int a = a_min(x.type()); a <= a_max(x.type()); ++a)
    for (int b = b_min(x.type()); b <= b_max(x.type()); ++b)
      if (x(a, b) != y(a, b) && ++differences == 1) {
        CAPTURE(a);
        CAPTURE(b);
        CHECK(x(a, b) == y(a, b));
      }
  CHECK(differences == 0);
}

}  // namespace axmul::test
