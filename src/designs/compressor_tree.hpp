// The reduction of a partial-product array by 4:2 compressors, as a list of cells to place.
#pragma once

#include <array>
#include <vector>

namespace axmul::detail::designs {

inline constexpr int kNoBit = -1;  // a constant zero input

/// One cell of the tree. Bits are numbered: a_i·b_j is j·width + i, outputs follow in order.
struct TreeCell {
  enum class Kind { half_adder, full_adder, exact_compressor, approximate_compressor } kind;
  int column = 0;
  std::array<int, 5> inputs{kNoBit, kNoBit, kNoBit, kNoBit, kNoBit};  ///< x1 … x4, carry-in
  int sum = kNoBit, carry = kNoBit,
      carry_out = kNoBit;  ///< weights 1, 2, 2; carry_out may be absent
};

/// A reduction to at most two bits a column, which a carry-propagate adder then adds.
struct CompressorTree {
  int width = 0;
  int bits = 0;                                 ///< partial products and cell outputs
  std::vector<TreeCell> cells;                  ///< in evaluation order
  std::vector<std::vector<int>> final_columns;  ///< 2·width columns of at most two bits
};

/// The two-stage arrangement of Momeni et al. (IEEE TC 2015, Fig. 9: 8 compressors, 2 full and 2
/// half adders, then 10, 1 and 1 for 8 bits), continued to any width: the columns below
/// `approximate_columns` take approximate compressors, which have a carry-out only if
/// `has_carry_out`. Carries above the product's 2·width bits are dropped.
CompressorTree compressor_tree(int width, int approximate_columns, bool has_carry_out);

}  // namespace axmul::detail::designs
