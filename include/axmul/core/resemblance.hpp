// How far a table resembles the exact product of its operands: what tells the right reading of a
// file from wrong ones, and a multiplier from an adder.
//
// A table is a mean, a part of its row, a part of its column and the rest, its interaction. A sum
// of one-operand functions, as an adder or a table of a constant, has no interaction; a table in
// foreign byte order, base or index has one that is foreign to the product's.
// src/formats/README.md#resemblance lists what was measured on either side of each limit.
#pragma once

#include "axmul/core/api.hpp"
#include "axmul/core/lut.hpp"

namespace axmul {

/// A table t beside the exact products ab. A table of zeros has cosine, interaction and gain 0.
struct AXMUL_API Resemblance {
  double cosine = 0;         ///< Σ t·ab / √(Σ t² · Σ (ab)²), −1 … 1
  double interaction = 0;    ///< the same of the interactions alone: their correlation
  double gain = 0;           ///< slope of t's interaction over that of ab: 1 for a·b + r(a) + c(b)
  double squared_error = 0;  ///< Σ (t − ab)² / Σ (ab)²: 0 for the exact product, 1 for zeros

  /// cosine · interaction, 0 where one of them is negative: of several readings of a table, the
  /// one with the greatest score is meant. 1 for the exact product.
  double score() const;
  /// Whether an 8x8 multiplier, however coarse, may be meant: the interactions correlate
  /// (kLeastInteraction), at the product's own scale (within kMostScale), the squared error is not
  /// a multiple of that of a table of zeros (kMostSquaredError) and the score is no chance
  /// (kLeastScore). Where nothing else tells the operand type, kTellingScore is asked of it.
  bool is_product() const;

  static constexpr double kLeastInteraction = 0.42;
  /// The table's scale lies between the slopes of the two regressions, gain and gain/interaction²:
  /// neither may lie wholly beyond this factor.
  static constexpr double kMostScale = 1.7;
  static constexpr double kMostSquaredError = 2.5;
  static constexpr double kLeastScore = 0.26;
  static constexpr double kTellingScore = 0.4;
};

/// Of the table as it is. Takes some ten microseconds.
AXMUL_API Resemblance resemblance(const Lut& lut);

}  // namespace axmul
