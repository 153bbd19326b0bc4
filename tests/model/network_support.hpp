// ResNet-20's traced layers, the published tables, and the bounds that validation is held to.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "axmul/model/validation.hpp"
#include "model/model_support.hpp"
#include "model/trace_loader.hpp"

namespace axmul::test {

struct Network {
  std::vector<LayerOperands> layers;
  std::vector<Lut> luts;
  std::vector<std::string> names;
};

inline std::optional<Network> load(Encoding encoding) {
  const auto traces = data_path("traces/resnet20.h5"), tables = data_path("evoapprox");
  if (!traces || !tables) return std::nullopt;
  Network network;
  for (const LayerOperands& layer : load_traces(*traces, "resnet20"))
    network.layers.push_back(recode(layer, encoding));
  for (NamedLut& table : load_tables(*tables)) {
    network.names.push_back(table.name);
    network.luts.push_back(std::move(table.lut));
  }
  return network;
}

inline void print(const std::string& title, const ValidationReport& report) {
  if (std::getenv("AXMUL_TEST_VERBOSE") == nullptr) return;
  std::printf("%s: %zu pairs, %zu excluded\n", title.c_str(), report.pairs, report.excluded);
  for (const ModelValidation& m : report.models)
    std::printf(
        "  %-16s pearson %.4f spearman %.4f  sigma %.2f / %.2f / %.1f %% (%s, %s)  mean %.3f / "
        "%.3f  channel %.2f / %.2f %%  %.3f ms\n",
        std::string(to_string(m.model)).c_str(), m.pearson, m.spearman, 100 * m.rel_error.median,
        100 * m.rel_error.p90, 100 * m.rel_error.max, m.max_layer.c_str(), m.max_multiplier.c_str(),
        m.mean_error.median, m.mean_error.p90, 100 * m.channel_rel_error.median,
        100 * m.channel_rel_error.p90, m.ns_per_prediction * 1e-6);
}

inline ValidationReport run(const Network& network, ValidationOptions options,
                            const std::string& title) {
  const ValidationReport report = validate(network.layers, network.luts, network.names, options);
  print(title, report);
  return report;
}

// The wanted model's row.
inline const ModelValidation& of(const ValidationReport& report, ErrorModel model) {
  for (const ModelValidation& m : report.models)
    if (m.model == model) return m;
  throw std::runtime_error("model was not validated");
}

inline void check_bounds(const ModelValidation& m, double median, double p90) {
  CAPTURE(to_string(m.model));
  CHECK(m.rel_error.median <= median);
  CHECK(m.rel_error.p90 <= p90);
}

}  // namespace axmul::test
