// Predictions of a network's layers for a library, and their place in HDF5 (/model/<network>).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/tables/error_table.hpp"

namespace axmul {

/// What outputs say of a layer.
struct AXMUL_API LayerSummary {
  std::string name;
  OperandType type = OperandType::u8u8;
  std::size_t fan_in = 0, out_channels = 0;
  double ops = 0, output_std = 0;
  double acc_scale = 1;  ///< real value of one unit of the layer's figures
};

/// The figures of a prediction by their names, in the order in which outputs list them.
struct AXMUL_API PredictionFigure {
  const char* name;
  const char* units;
  const char* long_name;
  const char* definition;
  double (*get)(const Prediction&);
  bool always;  ///< false: outputs leave it out where it is NaN everywhere
};
AXMUL_API std::span<const PredictionFigure> prediction_figures();

/// Predictions of several models, collected batch by batch of multipliers.
struct AXMUL_API NetworkPredictions {
  struct Name {
    std::string name, sha256;
  };
  std::vector<LayerSummary> layers;
  std::vector<ErrorModel> models;
  std::vector<Name> multipliers;
  std::vector<double> ns_per_prediction;  ///< per model, mean over batches

  /// Starts with the layers and models that all batches have.
  NetworkPredictions(std::span<const LayerOperands> network, std::vector<ErrorModel> error_models);
  /// Adds one batch: `batches` has one matrix per model, all of the multipliers named.
  void append(const std::vector<Name>& names, std::vector<PredictionMatrix> batches);

  const Prediction& cell(std::size_t model, std::size_t layer, std::size_t multiplier) const {
    return cells_[multiplier * models.size() * layers.size() + model * layers.size() + layer];
  }

 private:
  std::vector<Prediction> cells_;  // [multiplier, model, layer]
};

struct AXMUL_API PredictionFileOptions {
  FileOrigin origin;
  std::string network = "network";  ///< group /model/<network>
  bool channels = true;             ///< figures per output channel where the cells have them
  bool force = false;
};

/// Writes /model/<network>: prediction_figures() [model, layer, multiplier]; output_std, acc_scale,
/// fan_in, ops [layer];
/// <layer>/mean_channel and sigma_channel [model, multiplier, channel], NaN where a model has none.
/// The words are those of src/README.md#words.
/// Throws OutputError as AtomicFile and h5::File, UsageError AX840 for a network name with '/'.
AXMUL_API void write_predictions(const std::string& path, const NetworkPredictions& predictions,
                                 const PredictionFileOptions& options = {});

}  // namespace axmul
