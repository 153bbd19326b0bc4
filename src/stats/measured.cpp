// Measured distributions from files (CSV, NPY, HDF5).
#include "axmul/core/errors.hpp"
#include "stats/distribution_internal.hpp"
#include "stats/error_ids.hpp"

namespace axmul {
namespace detail::stats {
Probabilities read_measured(const std::string& path, bool) {
  throw InputError(kMeasuredFile, Place{path, 0}, "measured distributions cannot be read yet");
}
}  // namespace detail::stats
JointDistribution read_joint_distribution(const std::string& path, OperandType) {
  throw InputError(detail::stats::kMeasuredFile, Place{path, 0},
                   "joint distributions cannot be read yet");
}
}  // namespace axmul
