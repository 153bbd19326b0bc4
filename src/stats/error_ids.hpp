// Ids of the failures that this layer reports (AX400-AX499); an id is never reused.
#pragma once

namespace axmul::detail::stats {

inline constexpr int kDistributionSyntax = 400;     // text that is not a distribution
inline constexpr int kDistributionFamily = 401;     // unknown family
inline constexpr int kDistributionParameter = 402;  // missing, unknown or impossible parameter
inline constexpr int kMixtureWeights = 403;         // weights of a mixture
inline constexpr int kTraceUnavailable = 404;       // trace(...) where nothing can read traces
inline constexpr int kMeasuredShape = 410;          // wrong number of values
inline constexpr int kMeasuredValue = 411;          // NaN, infinite, negative or not a number
inline constexpr int kMeasuredSum = 412;            // sum is not 1, or nothing was counted
inline constexpr int kMeasuredFile = 413;           // cannot be read, or of no known kind
inline constexpr int kSignedness = 420;             // distribution and table do not match
inline constexpr int kBadDistribution = 421;        // a distribution that is none (API)
inline constexpr int kQuantileLevel = 422;          // level outside (0, 1]

}  // namespace axmul::detail::stats
