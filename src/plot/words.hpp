// Words that pictures of designs share.
#pragma once

#include <string>
#include <vector>

#include "axmul/plot/plots.hpp"

namespace axmul::plot {

/// "u8u8, uniform operands" or "u8u8, a ~ normal(…), b ~ uniform".
inline std::string operands_text(const DesignFigures& d) {
  const std::string type(to_string(d.type));
  if (d.a == "uniform" && d.b == "uniform") return type + ", uniform operands";
  if (d.a == d.b) return type + ", a, b ~ " + d.a;
  return type + ", a ~ " + d.a + ", b ~ " + d.b;
}

inline DataColumn numbers_column(std::string name, std::vector<double> values,
                                 std::string units = "1") {
  return {std::move(name), std::move(units), std::move(values), {}};
}
inline DataColumn texts_column(std::string name, std::vector<std::string> values) {
  return {std::move(name), "", {}, std::move(values)};
}

}  // namespace axmul::plot
