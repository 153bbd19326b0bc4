// Places the cells of a 4:2-compressor tree stage by stage, least significant column first.
#include "designs/compressor_tree.hpp"

#include <algorithm>

#include "axmul/core/errors.hpp"

namespace axmul::detail::designs {

namespace {

using Columns = std::vector<std::vector<int>>;

// Where the column under work takes its bits from and leaves them.
struct StageColumn {
  std::vector<int> waiting;  // not yet in a cell
  std::vector<int> sums;
  std::vector<int> pending;  // carry-outs of the column to the right
  int take() {
    const int bit = waiting.front();
    waiting.erase(waiting.begin());
    return bit;
  }
  int take_pending() {
    if (pending.empty()) return kNoBit;
    const int bit = pending.front();
    pending.erase(pending.begin());
    return bit;
  }
};

class TreeBuilder {
 public:
  TreeBuilder(int width, int approximate_columns, bool has_carry_out)
      : approximate_columns_(approximate_columns), has_carry_out_(has_carry_out) {
    tree_.width = width;
    tree_.bits = width * width;
    columns_.resize(static_cast<std::size_t>(2 * width));
    for (int j = 0; j < width; ++j)
      for (int i = 0; i < width; ++i)
        columns_[static_cast<std::size_t>(i + j)].push_back(j * width + i);
  }

  CompressorTree build() {
    while (height() > 2) {
      std::size_t target = 2;
      while (2 * target < height()) target *= 2;
      reduce_to(target);
    }
    tree_.final_columns = columns_;
    return tree_;
  }

 private:
  bool takes_carry_in(int c) const { return c >= approximate_columns_ || has_carry_out_; }

  // Whether column c will place more compressors than carry-outs already go to.
  bool free_carry_in(int c, std::size_t target, const std::vector<int>& carries,
                     const std::vector<int>& carry_outs) const {
    const auto index = static_cast<std::size_t>(c);
    if (index >= columns_.size() || !takes_carry_in(c)) return false;
    const std::size_t size = columns_[index].size() + carries.size();
    const std::size_t compressors = size > target ? (size - target + 1) / 3 : 0;
    return compressors > carry_outs.size();
  }

  std::size_t height() const {
    std::size_t most = 0;
    for (const auto& column : columns_) most = std::max(most, column.size());
    return most;
  }

  void reduce_to(std::size_t target) {
    Columns next(columns_.size());
    std::vector<int> carries, carry_outs;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      StageColumn column{columns_[c], {}, carry_outs};
      const std::vector<int> carried = carries;
      carries.clear();
      carry_outs.clear();
      int excess =
          static_cast<int>(column.waiting.size() + carried.size()) - static_cast<int>(target);
      while (excess > 0 && column.waiting.size() >= 2)
        excess -= place(column, static_cast<int>(c), excess, target, carries, carry_outs);
      // Order decides which bits meet in the next stage. Carries and sums in turn, half adders that
      // feed a carry-in, and full adders where compressors have none give the error figures that
      // Momeni et al. print for Multipliers 1 to 4, and their numbers of cells for Multiplier 1.
      for (std::size_t k = 0; k < std::max(carried.size(), column.sums.size()); ++k) {
        if (k < carried.size()) next[c].push_back(carried[k]);
        if (k < column.sums.size()) next[c].push_back(column.sums[k]);
      }
      next[c].insert(next[c].end(), column.waiting.begin(), column.waiting.end());
      next[c].insert(next[c].end(), column.pending.begin(), column.pending.end());
    }
    columns_ = next;
  }

  // Places one cell in the column; returns by how much it lowers it.
  int place(StageColumn& column, int c, int excess, std::size_t target, std::vector<int>& carries,
            std::vector<int>& carry_outs) {
    const int inputs = excess >= 2 ? 4 : 2;
    const int taken = std::min(inputs, static_cast<int>(column.waiting.size()));
    TreeCell cell{TreeCell::Kind::half_adder, c};
    for (int k = 0; k < taken; ++k) cell.inputs[static_cast<std::size_t>(k)] = column.take();
    if (taken == 3 && !takes_carry_in(c)) {
      cell.kind = TreeCell::Kind::full_adder;  // a compressor would have two inputs idle
    } else if (taken >= 3) {
      const bool approximate = c < approximate_columns_;
      cell.kind =
          approximate ? TreeCell::Kind::approximate_compressor : TreeCell::Kind::exact_compressor;
      if (takes_carry_in(c)) cell.carry_out = tree_.bits + 2;
      cell.inputs[4] = column.take_pending();
      // A cell without a carry-out cannot take a carry-in either: it waits for the next stage.
      if (cell.carry_out == kNoBit && cell.inputs[4] != kNoBit) {
        column.pending.push_back(cell.inputs[4]);
        cell.inputs[4] = kNoBit;
      }
    } else if (!column.pending.empty()) {
      cell.kind = TreeCell::Kind::full_adder;
      cell.inputs[2] = column.take_pending();
    }
    cell.sum = tree_.bits;
    cell.carry = tree_.bits + 1;
    tree_.bits += cell.carry_out == kNoBit ? 2 : 3;
    column.sums.push_back(cell.sum);
    const bool to_carry_in = cell.kind == TreeCell::Kind::half_adder &&
                             free_carry_in(c + 1, target, carries, carry_outs);
    (to_carry_in ? carry_outs : carries).push_back(cell.carry);
    if (cell.carry_out != kNoBit) carry_outs.push_back(cell.carry_out);
    tree_.cells.push_back(cell);
    return taken - 1;
  }

  int approximate_columns_;
  bool has_carry_out_;
  Columns columns_;
  CompressorTree tree_;
};

}  // namespace

CompressorTree compressor_tree(int width, int approximate_columns, bool has_carry_out) {
  return TreeBuilder(width, approximate_columns, has_carry_out).build();
}

}  // namespace axmul::detail::designs
