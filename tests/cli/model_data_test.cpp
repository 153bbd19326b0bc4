// predict, validate and match on the traced ResNet-20 and published tables.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/run_cli.hpp"
#include "support/support.hpp"

using namespace axmul;
using test::run_cli;

TEST_CASE("predict gives the matrix; match keeps within what layers tolerate") {
  const auto traces = test::data_path("traces/resnet20.h5");
  const auto tables = test::data_path("evoapprox");
  if (!traces || !tables) AXMUL_SKIP("needs AXMUL_DATA");
  const test::ScratchDir dir;
  const auto predicted = run_cli({"predict", "--traces", traces->string(), "--library",
                                  (*tables / "mul8u_2AC.bin").string(),
                                  (*tables / "mul8u_1JFF.bin").string(), "--format", "json"});
  CHECK(predicted.code == 2);  // a stray word is said, not ignored
  const auto result = run_cli(
      {"predict", "--traces", traces->string(), "--library", (*tables / "mul8u_2AC.bin").string(),
       "--library", (*tables / "mul8u_1JFF.bin").string(), "--layers",
       "layer1.0.conv1,layer3.2.conv2", "--model", "permutation,sampled", "--format", "json"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const auto json = nlohmann::json::parse(result.out);
  CHECK(json["schema"] == "axmul.prediction/1");
  CHECK(json["layers"].size() == 2);
  CHECK(json["models"][0]["sigma_acc"][0][1] == 0.0);  // 1JFF is exact
  const double permutation = json["models"][0]["sigma_acc"][0][0];
  const double sampled = json["models"][1]["sigma_acc"][0][0];
  CHECK(permutation > 0);
  CHECK(std::abs(permutation - sampled) < 0.2 * sampled);

  const std::string library = (dir / "lib.h5").string();
  REQUIRE(run_cli({"library", "build", tables->string(), "--costs",
                   (*tables / "facts.csv").string(), "-o", library})
              .code == 0);
  nlohmann::json sigma{{"schema", "axmul.sigma/1"}, {"layers", nlohmann::json::array()}};
  for (const auto& layer : json["layers"])
    sigma["layers"].push_back({{"layer", layer["layer"]}, {"sigma_l", 0.05}});
  test::write_text(dir / "sigma.json", sigma.dump());
  const std::vector<std::string> words{"match",
                                       "--traces",
                                       traces->string(),
                                       "--library",
                                       library,
                                       "--sigma",
                                       (dir / "sigma.json").string(),
                                       "--layers",
                                       "layer1.0.conv1,layer3.2.conv2",
                                       "--format",
                                       "json"};
  const auto matched = run_cli(words);
  REQUIRE_MESSAGE(matched.code == 0, matched.err);
  const auto match = nlohmann::json::parse(matched.out);
  CHECK(match["schema"] == "axmul.match/1");
  CHECK(match["relative_energy"].get<double>() < 1);
  for (const auto& layer : match["layers"]) {
    CHECK(layer["sigma_compared"].get<double>() <= 0.05);
    CHECK(layer["multiplier"] != "mul8u_199Z");  // free and always wrong: never a candidate
  }
  // The same file has no curvatures; with them one budget serves both layers.
  auto together = words;
  together.insert(together.end(), {"--rule", "budget"});
  const auto refused = run_cli(together);
  CHECK(refused.code == 3);
  CHECK(refused.err.find("loss_curvature") != std::string::npos);
  CHECK(match["loss_rise"].is_null());
  for (std::size_t l = 0; l < 2; ++l) sigma["layers"][l]["loss_curvature"] = l == 0 ? 0.1 : 2.0;
  test::write_text(dir / "sigma.json", sigma.dump());
  const auto budgeted = run_cli(together);
  REQUIRE_MESSAGE(budgeted.code == 0, budgeted.err);
  const auto budget = nlohmann::json::parse(budgeted.out);
  CHECK(budget["rule"] == "budget");
  CHECK(budget["loss_budget"].get<double>() == doctest::Approx(2.1 * 0.05 * 0.05));
  CHECK(budget["loss_rise"].get<double>() <= budget["loss_budget"].get<double>());
  CHECK(budget["relative_energy"].get<double>() < match["relative_energy"].get<double>());
  CHECK(budget["layers"][0]["sigma_compared"].get<double>() > 0.05);  // paid for by the other

  auto without = words;
  without.erase(without.begin() + 7, without.begin() + 9);
  CHECK(run_cli(without).code == 3);  // layers without a sigma

  const auto verified = run_cli({"library", "verify", library});
  CHECK_MESSAGE(verified.code == 0, verified.out);
  CHECK(run_cli({"predict", "--traces", library, "--library", library}).code == 3);
}

TEST_CASE("validate reports every model against full simulation") {
  const auto traces = test::data_path("traces/resnet20.h5");
  const auto tables = test::data_path("evoapprox");
  if (!traces || !tables) AXMUL_SKIP("needs AXMUL_DATA");
  const auto result = run_cli({"validate", "--traces", traces->string(), "--library",
                               (*tables / "mul8u_2AC.bin").string(), "--library",
                               (*tables / "mul8u_JV3.bin").string(), "--layers",
                               "layer1.0.conv1,layer2.0.conv2", "--format", "json"});
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const auto json = nlohmann::json::parse(result.out);
  CHECK(json["schema"] == "axmul.validation/1");
  CHECK(json["pairs"] == 4);
  CHECK(json["models"].size() == 6);
  for (const auto& model : json["models"])
    if (model["model"] == "sampled") CHECK(model["median_rel_error"].get<double>() < 0.1);
}
