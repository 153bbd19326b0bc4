// Predictions in HDF5, read by h5py: figures, units, rare events, intervals only where asked for.
#include "axmul/tables/predictions.hpp"

#include <cmath>

#include "axmul/core/philox.hpp"
#include "tables/tables_support.hpp"

using namespace axmul;

TEST_CASE("rare events, bounds, intervals and real units stand in the file") {
  LayerOperands layer;
  layer.name = "conv";
  layer.fan_in = 4;
  layer.ops = 100;
  layer.out_channels = 2;
  layer.patch_count = 50;
  layer.output_std = 1000;
  layer.a_scale = 0.5;
  layer.b_scale = {0.3, 0.4};
  Philox random(3);
  for (std::size_t i = 0; i < 50 * 4; ++i)
    layer.patches.push_back(static_cast<std::uint8_t>(random.next_below(200)));
  layer.patches[4 * 20] = 255;
  for (std::size_t i = 0; i < 4 * 2; ++i)
    layer.weights.push_back(static_cast<std::uint8_t>(100 + random.next_below(60)));
  const std::vector<Lut> luts{test::random_lut(OperandType::u8u8, 5, 300),
                              Lut::from_function(OperandType::u8u8, [](int a, int b) {
                                return a * b + (a == 255 ? 9 * b : 0);
                              })};
  const std::vector<NetworkPredictions::Name> names{{"often", "0"}, {"rare", "1"}};
  const test::ScratchDir scratch;
  for (const bool intervals : {false, true}) {
    PredictOptions options;
    options.model = ErrorModel::sampled;
    options.intervals = intervals;
    NetworkPredictions predictions(std::span(&layer, 1), {ErrorModel::sampled});
    std::vector<PredictionMatrix> matrices{predict(std::span(&layer, 1), luts, options)};
    if (intervals) {
      options.model = ErrorModel::permutation;
      add_bounds(matrices[0], predict(std::span(&layer, 1), luts, options));
    }
    predictions.append(names, std::move(matrices));
    const std::string path = scratch / (intervals ? "i.h5" : "p.h5");
    write_predictions(path, predictions);
    CHECK(test::python(R"(import sys, h5py, numpy as np
g = h5py.File(sys.argv[1])['model/network']
assert g['rare_events'].shape == (1, 1, 2) and g['rare_events'][0, 0].tolist() == [0, 1]
assert g['fields_90'][0, 0, 1] == 1 and abs(g['effective_fields'][0, 0, 1] - 1) < 0.1
assert g['effective_fields'][0, 0, 0] > 25
assert abs(g['acc_scale'][0] / (0.5 * np.sqrt((0.09 + 0.16) / 2)) - 1) < 1e-14
assert np.allclose(g['sigma_rel'][:], g['sigma_acc'][:] / g['output_std'][0], rtol=1e-14)
s = np.array([0.3, 0.4]) / np.sqrt((0.09 + 0.16) / 2)
m, d = g['conv/mean_channel'][0], g['conv/sigma_channel'][0]
assert np.allclose(g['mean_acc'][0, 0], (s * m).mean(1), rtol=1e-12)
corrected = ((s * d) ** 2).mean(1)
assert np.allclose(g['sigma_corrected'][0, 0] ** 2, corrected, rtol=1e-12)
assert np.allclose(g['sigma_acc'][0, 0] ** 2, corrected + (s * m).var(1), rtol=1e-12)
more = ['mean_lower', 'mean_upper', 'sigma_lower', 'sigma_upper', 'sigma_bound',
        'sigma_corrected_bound']
if sys.argv[2] == '0':
    assert not any(name in g for name in more)
else:
    assert (g['sigma_lower'][:] < g['sigma_acc'][:]).all()
    assert (g['sigma_upper'][:] > g['sigma_acc'][:]).all()
    assert (g['sigma_bound'][:] >= g['sigma_acc'][:]).all()
    assert all(g[name].attrs['units'] == b'accumulator units' or
               g[name].attrs['units'] == 'accumulator units' for name in more)
)",
                       path + (intervals ? " 1" : " 0")));
  }
}
