// Measurements that layers are asked for.
#include "axmul/train/measure.hpp"

#include "axmul/train/layer.hpp"

namespace axmul {

void ErrorTally::add(const at::Tensor& table_sums, const at::Tensor& exact_sums) {
  const at::Tensor error = table_sums.to(at::kDouble) - exact_sums.to(at::kDouble);
  const at::Tensor sums = error.sum({0, 2, 3}).contiguous();
  const at::Tensor squares = error.square().sum({0, 2, 3}).contiguous();
  sum.resize(static_cast<std::size_t>(sums.numel()), 0.0);
  square_sum.resize(sum.size(), 0.0);
  for (std::size_t m = 0; m < sum.size(); ++m) {
    sum[m] += sums.data_ptr<double>()[m];
    square_sum[m] += squares.data_ptr<double>()[m];
  }
  const std::int64_t outputs = error.numel() / sums.numel();  // of one channel
  count += static_cast<double>(outputs);
}

std::vector<double> ErrorTally::mean() const {
  std::vector<double> means;
  if (count > 0)
    for (const double of_channel : sum) means.push_back(of_channel / count);
  return means;
}

Measuring::~Measuring() {
  for (MultiplyLayer* layer : layers_) {
    layer->error_tally = nullptr;
    layer->capture = nullptr;
  }
}

void Measuring::errors(MultiplyLayer& layer, ErrorTally& tally) {
  layers_.push_back(&layer);
  layer.error_tally = &tally;
}

void Measuring::operands(MultiplyLayer& layer, OperandCapture& capture) {
  layers_.push_back(&layer);
  layer.capture = &capture;
}

}  // namespace axmul
