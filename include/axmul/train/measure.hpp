// What layers can be asked for while they run, beside their outputs: the errors of their sums, the
// operands they multiplied.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace axmul {

struct MultiplyLayer;

/// Errors of an approximate layer's sums, added up over the passes it is asked of.
struct ErrorTally {
  /// What the layer hands on meanwhile: its exact sums, or the table's sums less the mean error
  /// that was met so far, this pass included.
  bool hands_on_corrected = false;
  std::vector<double> sum, square_sum;  ///< of table − exact, accumulator units, per output channel
  double count = 0;                     ///< outputs of one channel

  void add(const at::Tensor& table_sums, const at::Tensor& exact_sums);  ///< [N, out, OH, OW]
  std::vector<double> mean() const;  ///< per output channel; empty where nothing came through
};

/// What a quantised layer multiplied in its last pass; undefined before the first.
struct OperandCapture {
  at::Tensor codes;        ///< uint8 bit patterns of a, [N, H, W, C]
  at::Tensor accumulator;  ///< float32 sum of (a − z_a)(b − z_b), [N, out, OH, OW]
};

/// Asks layers for measurements as long as it lives. A layer answers one of a kind at a time; what
/// is asked for must live as long.
class Measuring {
 public:
  Measuring() = default;
  ~Measuring();
  Measuring(const Measuring&) = delete;
  Measuring& operator=(const Measuring&) = delete;

  void errors(MultiplyLayer& layer, ErrorTally& tally);          ///< in approximate mode
  void operands(MultiplyLayer& layer, OperandCapture& capture);  ///< in quantised mode

 private:
  std::vector<MultiplyLayer*> layers_;
};

}  // namespace axmul
