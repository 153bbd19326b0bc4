// The rare-event warning on ResNet-20 x 35 published multipliers, predicted from the first half of
// the receptive fields, truth from the second: of other images.
#include <algorithm>
#include <map>
#include <set>

#include "model/network_support.hpp"

using namespace axmul;
using namespace axmul::test;

TEST_CASE("the warning fires for JQQ and for no multiplier of under 15 % half-split error") {
  for (const Encoding encoding : {Encoding::sign_magnitude, Encoding::affine}) {
    const std::optional<Network> network = load(encoding);
    if (!network) AXMUL_SKIP("needs AXMUL_DATA/traces and /evoapprox");
    CAPTURE(encoding == Encoding::affine);
    ValidationOptions options;
    options.models = {ErrorModel::sampled};
    options.predict.intervals = false;
    const ValidationReport report = run(*network, options, "rare events, split half");
    const std::vector<RarePair>& rare = report.models.front().rare;
    std::set<std::string> warned;
    for (const RarePair& pair : rare) {
      CAPTURE(pair.layer);
      CAPTURE(pair.multiplier);
      CHECK(pair.rel_error >= 0.15);
      warned.insert(pair.multiplier);
    }
    CHECK(warned == std::set<std::string>{"mul8u_1446", "mul8u_JQQ"});
    const auto layers = [&](const char* name) {
      return std::ranges::count(rare, name, &RarePair::multiplier);
    };
    CHECK(layers("mul8u_JQQ") >= (encoding == Encoding::affine ? 11 : 5));
    // The worst prediction of all is warned of.
    const ModelValidation& sampled = report.models.front();
    CHECK(std::ranges::any_of(rare, [&](const RarePair& pair) {
      return pair.layer == sampled.max_layer && pair.multiplier == sampled.max_multiplier;
    }));
  }
}
