// The noise node of autograd, in blocks that stay in the cache; the draws are made anew in the
// backward pass instead of being kept.
#include "train/layer/noise.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "axmul/train/layer.hpp"
#include "train/torch_types.hpp"

namespace axmul {
namespace {

constexpr std::size_t kBlock = 4096;  // a multiple of kNormalPiece; floats of one go into L1
static_assert(kBlock % detail::kNormalPiece == 0);

// Calls work(block, begin, end) for all blocks of n elements, on all threads.
template <class Work>
void for_blocks(std::size_t n, const Work& work) {
  const auto blocks = static_cast<std::ptrdiff_t>((n + kBlock - 1) / kBlock);
#pragma omp parallel for schedule(static) if (blocks > 1)
  for (std::ptrdiff_t i = 0; i < blocks; ++i) {
    const std::size_t begin = static_cast<std::size_t>(i) * kBlock;
    work(static_cast<std::size_t>(i), begin, std::min(n, begin + kBlock));
  }
}

std::size_t count(const at::Tensor& x) { return static_cast<std::size_t>(x.numel()); }

struct Spread {
  double mean = 0, std = 0;
};

// Blocks are added up in their order, so threads change nothing.
Spread spread_of(const at::Tensor& y) {
  const std::size_t n = count(y);
  std::vector<detail::Moments> parts((n + kBlock - 1) / kBlock);
  const float* from = y.data_ptr<float>();
  for_blocks(n, [&](std::size_t block, std::size_t begin, std::size_t end) {
    parts[block] = detail::moments(from + begin, end - begin);
  });
  detail::Moments total;
  for (const detail::Moments& part : parts) {
    total.sum += part.sum;
    total.sum_squares += part.sum_squares;
  }
  const double mean = total.sum / static_cast<double>(n);
  const double variance = total.sum_squares / static_cast<double>(n) - mean * mean;
  // Written so that a NaN stays.
  return {mean, std::sqrt(variance < 0 ? 0 : variance)};
}

class Noise : public torch::autograd::Function<Noise> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& y,
                            const at::Tensor& sigma_l, std::int64_t seed, std::int64_t stream) {
    const std::size_t n = count(y);
    const Spread spread = spread_of(y);
    const double sigma = sigma_l.item<double>();
    const auto scale = static_cast<float>(spread.std * sigma);
    at::Tensor noisy = at::empty_like(y);
    const float* from = y.data_ptr<float>();
    float* to = noisy.data_ptr<float>();
    for_blocks(n, [&](std::size_t, std::size_t begin, std::size_t end) {
      float normal[kBlock];
      detail::normal_draws(normal, end - begin, begin, static_cast<std::uint64_t>(seed),
                           static_cast<std::uint64_t>(stream));
      detail::add_scaled(from + begin, normal, end - begin, scale, to + begin);
    });
    context->save_for_backward({y});
    context->saved_data["figures"] =
        c10::IValue(std::vector<double>{spread.mean, spread.std, sigma});
    context->saved_data["counter"] = c10::IValue(std::vector<std::int64_t>{seed, stream});
    return noisy;
  }

  // With s = std(y), D = Σ dz·n: dL/dsigma = s·D and dL/dy = dz + sigma·D·(y − mean)/(count·s).
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::Tensor y = context->get_saved_variables()[0];
    const auto figures = context->saved_data["figures"].toDoubleVector();
    const auto counter = context->saved_data["counter"].toIntVector();
    const at::Tensor dz = gradients[0].contiguous(y.suggest_memory_format());
    const std::size_t n = count(y);
    const float* from = dz.data_ptr<float>();
    std::vector<double> parts((n + kBlock - 1) / kBlock);
    for_blocks(n, [&](std::size_t block, std::size_t begin, std::size_t end) {
      float normal[kBlock];
      detail::normal_draws(normal, end - begin, begin, static_cast<std::uint64_t>(counter[0]),
                           static_cast<std::uint64_t>(counter[1]));
      parts[block] = detail::dot(from + begin, normal, end - begin);
    });
    double projected = 0;
    for (const double part : parts) projected += part;
    const double s = figures[1];
    const double slope = s > 0 ? figures[2] * projected / (static_cast<double>(n) * s) : 0.0;
    at::Tensor dy = at::empty_like(y);
    const float* outputs = y.data_ptr<float>();
    float* to = dy.data_ptr<float>();
    for_blocks(n, [&](std::size_t, std::size_t begin, std::size_t end) {
      detail::add_centred(from + begin, outputs + begin, end - begin, static_cast<float>(slope),
                          static_cast<float>(figures[0]), to + begin);
    });
    return {dy, at::scalar_tensor(s * projected), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor detail::add_noise(const at::Tensor& y, const at::Tensor& sigma_l, std::uint64_t seed,
                             std::uint64_t stream) {
  if (!y.device().is_cpu()) {
    at::Tensor normal = at::empty(y.sizes(), at::kFloat);
    fill_normal({normal.data_ptr<float>(), count(normal)}, seed, stream);
    return y + normal.to(y.device()) * (y.std(false) * sigma_l);
  }
  return Noise::apply(y.contiguous(y.suggest_memory_format()), sigma_l,
                      static_cast<std::int64_t>(seed), static_cast<std::int64_t>(stream));
}

void fill_normal(std::span<float> out, std::uint64_t seed, std::uint64_t stream) {
  for_blocks(out.size(), [&](std::size_t, std::size_t begin, std::size_t end) {
    detail::normal_draws(out.data() + begin, end - begin, begin, seed, stream);
  });
}

void set_noise_level(MultiplyLayer& layer, double sigma_l) {
  const at::NoGradGuard guard;
  if (layer.sigma_l.defined())
    layer.sigma_l.fill_(sigma_l);
  else
    layer.sigma_l = at::scalar_tensor(sigma_l).set_requires_grad(true);
}

}  // namespace axmul
