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

TEST_CASE("cost prices circuits in layers in three ways, and says which; match can compare any") {
  const auto traces = test::data_path("traces/resnet20.h5");
  if (!traces) AXMUL_SKIP("needs AXMUL_DATA/traces");
  const test::ScratchDir dir;
  const std::vector<std::string> where{"--traces", traces->string(), "--layers",
                                       "layer1.0.conv1,layer3.2.conv2"};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), where.begin(), where.end());
    return run_cli(words);
  };
  const auto priced = run({"cost", "exact", "operand_truncation(ka=1,kb=1)", "--format", "json"});
  REQUIRE_MESSAGE(priced.code == 0, priced.err);
  const auto json = nlohmann::json::parse(priced.out);
  CHECK(json["schema"] == "axmul.layer_costs/1");
  CHECK(json["energies"]["held"].get<std::string>().find("weights held") != std::string::npos);
  const auto& exact = json["designs"][0];
  const auto& cut = json["designs"][1];
  for (const char* way : {"traced", "held"}) {
    CHECK(exact[way].get<double>() == doctest::Approx(1).epsilon(1e-9));
    CHECK(cut[way].get<double>() > 0);
    // In the network: layers weighed by what the exact multiplier takes there.
    double energy = 0, all = 0;
    for (std::size_t l = 0; l < 2; ++l) {
      const double one =
          json["layers"][l]["ops"].get<double>() *
          json["layers"][l]["exact_" + std::string(way)]["switching_energy"].get<double>();
      energy += one * cut["layers"][l][way].get<double>();
      all += one;
    }
    CHECK(cut[way].get<double>() == doctest::Approx(energy / all));
  }
  CHECK(run({"cost", "exact", "--scope", "mac"}).out.find("accumulator") != std::string::npos);

  nlohmann::json sigma{{"schema", "axmul.sigma/1"}, {"layers", nlohmann::json::array()}};
  for (const char* layer : {"layer1.0.conv1", "layer3.2.conv2"})
    sigma["layers"].push_back({{"layer", layer}, {"sigma_l", 0.2}});
  test::write_text(dir / "sigma.json", sigma.dump());
  const auto matched = run({"match", "--library", "operand_truncation(ka=1,kb=1)", "--sigma",
                            (dir / "sigma.json").string(), "--energy", "held", "--format", "json"});
  REQUIRE_MESSAGE(matched.code == 0, matched.err);
  const auto match = nlohmann::json::parse(matched.out);
  CHECK(match["energy"] == "held");
  CHECK(match["energy_scope"] == "multiplier");
  CHECK(match["cost_source"].get<std::string>().find("weights held") != std::string::npos);
  for (std::size_t l = 0; l < 2; ++l) {
    if (match["layers"][l]["multiplier"] == "exact") continue;
    CHECK(match["layers"][l]["power_rel"].get<double>() ==
          doctest::Approx(cut["layers"][l]["held"].get<double>()).epsilon(1e-6));
  }
  // It fits both layers, so the network's energy is the design's.
  CHECK(match["layers"][0]["multiplier"] == "operand_truncation(ka=1,kb=1)");
  CHECK(match["layers"][1]["multiplier"] == "operand_truncation(ka=1,kb=1)");
  CHECK(match["relative_energy"].get<double>() ==
        doctest::Approx(cut["held"].get<double>()).epsilon(1e-6));
}

TEST_CASE("a recorded run is priced anew from its assignments") {
  const auto traces = test::data_path("traces/resnet20.h5");
  if (!traces) AXMUL_SKIP("needs AXMUL_DATA/traces");
  const test::ScratchDir dir;
  std::filesystem::create_directory(dir / "circuits");
  REQUIRE(run_cli({"generate", "operand_truncation(ka=3,kb=1)", "-o",
                   (dir / "circuits/mul8u_mine.v").string()})
              .code == 0);
  // The record names the transposed table: found all the same, and priced as such.
  const auto listed = run_cli({"list", "operand_truncation(ka=1,kb=3)", "--format", "json"});
  REQUIRE(listed.code == 0);
  const std::string sha256 =
      nlohmann::json::parse(listed.out)["designs"][0]["sha256"].get<std::string>();
  nlohmann::json record{{"schema", "axmul.run/1"}, {"points", nlohmann::json::array()}};
  const auto layer = [&](const std::string& name, const std::string& multiplier,
                         const std::string& hash) {
    return nlohmann::json{
        {"layer", name}, {"multiplier", multiplier}, {"sha256", hash}, {"ops", 1000}};
  };
  record["points"].push_back(
      {{"name", "one"},
       {"relative_energy", 0.5},
       {"chosen", true},
       {"report", {{"top1", 0.9}, {"difference", -0.01}, {"standard_error", 0.002}}},
       {"layers",
        {layer("layer1.0.conv1", "mine", sha256), layer("layer3.2.conv2", "exact", "")}}});
  test::write_text(dir / "run.json", record.dump());
  const std::vector<std::string> words{"cost",
                                       "--run",
                                       (dir / "run.json").string(),
                                       "--traces",
                                       traces->string(),
                                       "--circuits",
                                       (dir / "circuits").string(),
                                       "--format",
                                       "json"};
  const auto result = run_cli(words);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const auto point = nlohmann::json::parse(result.out)["points"][0];
  const auto priced =
      run_cli({"cost", "operand_truncation(ka=1,kb=3)", "--traces", traces->string(), "--layers",
               "layer1.0.conv1,layer3.2.conv2", "--format", "json"});
  const auto costs = nlohmann::json::parse(priced.out);
  const double first = costs["layers"][0]["exact_traced"]["switching_energy"].get<double>();
  const double second = costs["layers"][1]["exact_traced"]["switching_energy"].get<double>();
  const double own = costs["designs"][0]["layers"][0]["traced"].get<double>();
  CHECK(point["recorded"] == 0.5);
  CHECK(point["traced"].get<double>() ==
        doctest::Approx((own * first + second) / (first + second)).epsilon(0.03));
  CHECK(point["on_front"].size() == 3);

  record["points"][0]["layers"][0]["sha256"] = std::string(64, '0');
  test::write_text(dir / "run.json", record.dump());
  const auto unknown = run_cli(words);
  CHECK(unknown.code == 3);
  CHECK(unknown.err.find("AX1018") != std::string::npos);
  CHECK(
      run_cli({"cost", "--run", (dir / "run.json").string(), "--traces", traces->string()}).code ==
      2);
  CHECK(run_cli({"cost"}).code == 2);
}
