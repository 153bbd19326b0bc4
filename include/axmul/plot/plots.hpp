// The kinds of pictures: each takes figures that somebody computed and draws them. Nothing is
// computed here but where things go, so a picture cannot disagree with the tables.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/lut.hpp"
#include "axmul/plot/picture.hpp"
#include "axmul/stats/metrics.hpp"

namespace axmul::plot {

/// A design with the figures of its errors under one pair of distributions.
struct AXMUL_API DesignFigures {
  std::string name;
  OperandType type = OperandType::u8u8;
  std::string a = "uniform", b = "uniform";  ///< canonical texts
  ErrorReport report;                        ///< with the distribution's parts
};

struct AXMUL_API HeatmapOptions {
  double limit = 0;  ///< largest |e| that the colours tell apart; 0: the largest there is
};
/// Errors over both operands, row a upwards, column b to the right, colours zero-centred; beside
/// them the mean error given b and given a.
AXMUL_API Picture heatmap(const DesignFigures& design, const ErrorMap& errors,
                          const HeatmapOptions& heatmap = {}, const PictureOptions& options = {});

/// Probability of each error; where there are too many to stand side by side, of bins, with e = 0
/// apart.
AXMUL_API Picture pmf(const DesignFigures& design, const PictureOptions& options = {});

/// Mean error ± standard deviation given a, and given b.
AXMUL_API Picture conditional(const DesignFigures& design, const PictureOptions& options = {});

/// How often each of the 16 output bits is wrong.
AXMUL_API Picture bits(const DesignFigures& design, const PictureOptions& options = {});

/// P(|e| ≥ x) of up to six designs.
AXMUL_API Picture compare(std::span<const DesignFigures> designs,
                          const PictureOptions& options = {});
inline constexpr std::size_t kMostCompared = 6;

/// A design in a plane of two figures, lower being better in both.
struct AXMUL_API FrontPoint {
  std::string name;
  double x = 0, y = 0;
  bool on_front = false;
  bool is_own = true;  ///< false: of the library behind
  SizedType type = OperandType::u8u8;
};
/// Each operand type has a front of its own, on_front as the caller computed it.
/// title: of each figure with its unit. Points that lack a figure are left out and counted.
AXMUL_API Picture pareto_front(std::span<const FrontPoint> points, const std::string& x_title,
                               const std::string& y_title, const PictureOptions& options = {});

/// Figures of layers × multipliers, as predict gives them.
struct AXMUL_API LayerMatrix {
  std::vector<std::string> layers, multipliers;
  std::vector<double> values;  ///< [layer, multiplier]; NaN unknown
  std::string figure;          ///< "sigma_rel" …
  std::string model;           ///< of the prediction
};
AXMUL_API Picture layer_heatmap(const LayerMatrix& matrix, const PictureOptions& options = {});

/// Predicted against measured σ of pairs of layer and multiplier.
struct AXMUL_API SigmaPair {
  std::string layer, multiplier;
  double predicted = 0, measured = 0;
};
AXMUL_API Picture model_scatter(std::span<const SigmaPair> pairs, const std::string& model,
                                const PictureOptions& options = {});

}  // namespace axmul::plot
