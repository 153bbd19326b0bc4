// Normal draws; the rest of the generator is in the header.
#include "axmul/core/philox.hpp"

#include <cmath>
#include <numbers>

namespace axmul {

double Philox::next_normal() {
  const double u = 1.0 - next_double();  // (0, 1]: the logarithm is finite
  const double v = next_double();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

}  // namespace axmul
