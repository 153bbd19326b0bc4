// Multi-population, global and permutation against NumPy formulas written independently, from the
// paper's equations and the definitions, on the same receptive fields: within 1e-10.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "model/model_support.hpp"

using namespace axmul;
using namespace axmul::test;

namespace {

// Reads raw arrays; prints mean and sigma of each model with all digits.
constexpr const char* kScript = R"(
import sys
import numpy as np
folder, S, K, M = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
X = np.fromfile(folder + "/patches", np.uint8).reshape(S, K)
W = np.fromfile(folder + "/weights", np.uint8).reshape(K, M)
P = np.fromfile(folder + "/products", "<i4").reshape(256, 256)
E = (P - np.outer(np.arange(256), np.arange(256))).astype(np.float64)
q = np.bincount(W.ravel(), minlength=256) / W.size
p = np.stack([np.bincount(x, minlength=256) for x in X]) / K

def show(mean, var):
    print(repr(float(mean)), repr(float(np.sqrt(var))))

# Eq. 15-16 of arXiv 2208.07265: each receptive field is a population of its own.
mu = np.array([ps @ E @ q for ps in p])
v = np.array([((E - m) ** 2 * np.outer(ps, q)).sum() for ps, m in zip(p, mu)])
show(K * mu.mean(), K * v.mean() + K * K * mu.var())
# One population.
pb = p.mean(0)
m = pb @ E @ q
show(K * m, K * ((E - m) ** 2 * np.outer(pb, q)).sum())
# Random pairing of exactly these taps: Hoeffding's variance of the matrix of pair errors.
means, variances = np.empty((S, M)), np.empty((S, M))
for s in range(S):
    for c in range(M):
        A = E[np.ix_(X[s], W[:, c])]
        d = A - A.mean(0) - A.mean(1)[:, None] + A.mean()
        means[s, c], variances[s, c] = A.sum() / K, (d ** 2).sum() / (K - 1)
show(means.mean(), variances.mean() + means.var())
)";

void write_bytes(const std::filesystem::path& path, const void* data, std::size_t size) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
}

}  // namespace

TEST_CASE("NumPy computes the same from the same receptive fields") {
  const LayerOperands layer = random_layer({.s = 64, .k = 27, .m = 6}, 600);
  const Lut lut = random_lut(OperandType::u8u8, 601);
  const ScratchDir folder;
  write_bytes(folder / "patches", layer.patches.data(), layer.patches.size());
  write_bytes(folder / "weights", layer.weights.data(), layer.weights.size());
  write_bytes(folder / "products", lut.products().data(), 4 * kLutSize);
  write_text(folder / "evaluate.py", kScript);
  const std::string out = (folder / "out").string();
  const std::string command = "/usr/bin/python3 '" + (folder / "evaluate.py").string() + "' '" +
                              folder.path().string() + "' 64 27 6 > '" + out + "'";
  if (std::system("/usr/bin/python3 -c 'import numpy' 2> /dev/null") != 0)
    AXMUL_SKIP("needs python3-numpy");
  REQUIRE(std::system(command.c_str()) == 0);
  std::istringstream figures(read_text(out));
  for (const ErrorModel model :
       {ErrorModel::multi_population, ErrorModel::global, ErrorModel::permutation}) {
    CAPTURE(to_string(model));
    double mean = 0, sigma = 0;
    REQUIRE(static_cast<bool>(figures >> mean >> sigma));
    const Prediction p = predict_one(layer, lut, model);
    CHECK(near(p.mean_acc, mean, 1e-10L));
    CHECK(near(p.sigma_acc, sigma, 1e-10L));
  }
}
