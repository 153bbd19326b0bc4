// The AGN gradient search: how much noise each layer tolerates, learned together with the weights
// (E. Trommer, B. Waschneck, A. Kumar, ICCAD 2022, arXiv 2208.07265; DESIGN 5).
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "axmul/model/matching.hpp"
#include "axmul/train/network.hpp"

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

}  // namespace axmul
