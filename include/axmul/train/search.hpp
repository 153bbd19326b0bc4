// The AGN gradient search: how much noise each layer tolerates, learned together with the weights
// (E. Trommer, B. Waschneck, A. Kumar, ICCAD 2022, arXiv 2208.07265; src/README.md#networks).
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "axmul/model/matching.hpp"
#include "axmul/train/network.hpp"
#include "axmul/train/training.hpp"

namespace axmul {

/// L = cross-entropy − lambda · Σ over layers of (ops/Σops) · min(|sigma_l|, sigma_max)
struct SearchOptions {
  double lambda = 0.2;      ///< ≥ 0: what noise is worth
  double sigma_max = 0.5;   ///< > 0: more noise than this earns nothing
  double sigma_init = 0.1;  ///< 0 < sigma_init ≤ sigma_max
};

/// Throws UsageError AX970 where a figure is out of its range or not finite (names it).
void check_search_options(const SearchOptions& options);

/// Puts all layers in noise mode with sigma_l = sigma_init. The network must be calibrated.
void start_search(Network& network, const SearchOptions& options);

/// The second term of the loss, with gradients to every sigma_l; 0 gradient where |sigma_l| is past
/// sigma_max. Needs `ops`, so a forward pass before.
at::Tensor noise_reward(const Network& network, const SearchOptions& options);

/// min(|sigma_l|, sigma_max) of every layer, in order of execution; 0 where a layer has none.
std::vector<LayerSigma> learned_sigmas(const Network& network, const SearchOptions& options);

struct Curvature {
  double value = 0;           ///< of the loss per layer: a in L(s) = L(0) + a·s²
  double standard_error = 0;  ///< of `value`, from the scatter between batches
};
/// How the mean cross-entropy rises with the noise power of each layer while all layers are noisy
/// with `level` and the weights are left alone: (∂L/∂sigma_l)/(2·level), mean over the batches of
/// these images (in an order drawn from the seed), batch norms with the statistics of each batch as
/// in training. In order of execution; the network is left as it was, sigma_l included. Throws
/// UsageError AX970 where a layer is not in noise mode or level is not positive, AX944 for fewer
/// than two batches, InputError AX942 where the network's output is not finite.
std::vector<Curvature> noise_curvatures(Network& network, const ImageSet& images,
                                        const Normalisation& normalisation, double level,
                                        std::size_t batch, std::uint64_t seed,
                                        const Progress& progress = {});

/// What matching takes: the value, but at least one standard error, so that no layer's noise seems
/// harmless by chance.
double cautious(const Curvature& curvature);

}  // namespace axmul
