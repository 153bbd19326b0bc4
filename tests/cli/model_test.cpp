// predict, validate and match on a small trace: what they refuse, warn of and say of a figure.
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "axmul/core/philox.hpp"
#include "axmul/formats/table_file.hpp"
#include "axmul/model/error_model.hpp"
#include "axmul/tables/traces.hpp"
#include "cli/run_cli.hpp"
#include "support/support.hpp"

using namespace axmul;
using nlohmann::json;
using test::run_cli;

namespace {

// A network of one layer, a table that errs everywhere and one that errs for one operand, which
// one receptive field meets.
struct Bench {
  test::ScratchDir dir;
  LayerOperands layer;
  std::string traces, sigma, library;

  Bench() {
    layer.name = "conv";
    layer.type = OperandType::u8u8;
    layer.fan_in = 9;
    layer.ops = 1000;
    layer.in_channels = 1;
    layer.kernel_h = layer.kernel_w = 3;
    layer.out_channels = 4;
    layer.patch_count = 60;
    layer.b_zero_point = {128};
    Philox random(7);
    for (std::size_t i = 0; i < 60 * 9; ++i)
      layer.patches.push_back(static_cast<std::uint8_t>(random.next_below(200)));
    layer.patches[9 * 11 + 3] = 255;
    for (std::size_t i = 0; i < 9 * 4; ++i)
      layer.weights.push_back(static_cast<std::uint8_t>(100 + random.next_below(60)));
    layer.output_std = 12000;
    traces = (dir / "t.h5").string();
    sigma = (dir / "sigma.json").string();
    library = (dir / "library.h5").string();
    std::filesystem::create_directories(dir / "tables");
    const auto save = [&](const std::string& name, const Lut& lut) {
      write_table((dir / "tables").string() + "/" + name + ".npy", {name, lut});
    };
    save("exact", Lut::exact(OperandType::u8u8));
    save("often", test::random_lut(OperandType::u8u8, 5, 300));
    save("rare", Lut::from_function(OperandType::u8u8, [](int a, int b) {
           return a * b + (a == 255 ? 40 * (b - 120) : 0);
         }));
    test::write_text(dir / "costs.csv", "name,power_mw\nexact,1\noften,0.2\nrare,0.1\n");
    const auto built = run_cli({"library", "build", (dir / "tables").string(), "--costs",
                                (dir / "costs.csv").string(), "-o", library});
    REQUIRE_MESSAGE(built.code == 0, built.err);
    write(0.1);
  }
  void write(double sigma_l) {
    write_traces(traces, "net", std::span(&layer, 1), {{}, true});
    test::write_text(
        dir / "sigma.json",
        json{{"schema", "axmul.sigma/1"}, {"layers", {{{"layer", "conv"}, {"sigma_l", sigma_l}}}}}
            .dump());
  }
  std::vector<std::string> words(const std::string& command,
                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{command, "--traces",   traces,  "--library",
                                 library, "--encoding", "affine"};
    if (command == "match") all.insert(all.end(), {"--sigma", sigma});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

std::size_t index_of(const json& prediction, const std::string& name) {
  for (std::size_t j = 0; j < prediction["multipliers"].size(); ++j)
    if (prediction["multipliers"][j]["name"] == name) return j;
  FAIL("no multiplier " << name);
  return 0;
}

bool says(const std::string& text, const std::string& part) {
  INFO(text);
  const bool found = text.find(part) != std::string::npos;
  CHECK_MESSAGE(found, part);
  return found;
}

}  // namespace

TEST_CASE("predict --intervals gives intervals in every format, as the library does") {
  const Bench bench;
  const auto plain = run_cli(bench.words("predict", {"--format", "json"}));
  REQUIRE_MESSAGE(plain.code == 0, plain.err);
  CHECK_FALSE(json::parse(plain.out)["models"][0].contains("sigma_lower"));
  const auto result =
      run_cli(bench.words("predict", {"--format", "json", "--intervals", "--model", "all"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const json out = json::parse(result.out);
  const auto layers = read_traces(bench.traces);
  for (const json& model : out["models"]) {
    PredictOptions options;
    options.model = *parse_error_model(model["model"].get<std::string>());
    const Lut lut = test::random_lut(OperandType::u8u8, 5, 300);
    const Prediction p = predict(layers, {&lut, 1}, options).cells.front();
    const std::size_t often = index_of(out, "often");
    if (std::isnan(p.sigma_interval.lower)) {
      CHECK(model["sigma_lower"][0][often].is_null());
      continue;
    }
    CHECK(model["sigma_lower"][0][often] == p.sigma_interval.lower);
    CHECK(model["sigma_upper"][0][often] == p.sigma_interval.upper);
    CHECK(model["mean_lower"][0][often] == p.mean_interval.lower);
    CHECK(model["mean_upper"][0][often] == p.mean_interval.upper);
    CHECK(p.sigma_interval.lower < p.sigma_acc);
  }
  const auto table = run_cli(bench.words("predict", {"--intervals"}));
  says(table.out, " … ");
  const auto csv = run_cli(bench.words("predict", {"--format", "csv", "--intervals"}));
  says(csv.out, ",mean_lower,mean_upper,sigma_lower,sigma_upper\n");
}

TEST_CASE("rare events are warned of, and every format says so") {
  const Bench bench;
  const auto result = run_cli(bench.words("predict", {"--format", "json"}));
  REQUIRE_MESSAGE(result.code == 0, result.err);
  says(result.err, "rare errs rarely in 1 layer: in conv its σ rests on 1.0 of 60 receptive fields");
  CHECK(result.err.find("often") == std::string::npos);
  const json out = json::parse(result.out);
  const std::size_t rare = index_of(out, "rare"), often = index_of(out, "often");
  const json& model = out["models"][0];
  CHECK(model["model"] == "sampled");
  CHECK(model["rare_events"][0][rare] == 1);
  CHECK(model["rare_events"][0][often] == 0);
  CHECK(model["fields_90"][0][rare] == 1);
  CHECK(model["effective_fields"][0][often].get<double>() > 25);
  // The bound is the larger of sampled and permutation, told where events are rare.
  const auto both =
      run_cli(bench.words("predict", {"--format", "json", "--model", "permutation,sampled"}));
  const json of = json::parse(both.out);
  const double larger = std::max(of["models"][0]["sigma_acc"][0][rare].get<double>(),
                                 of["models"][1]["sigma_acc"][0][rare].get<double>());
  CHECK(model["sigma_bound"][0][rare] == larger);
  CHECK(model["sigma_bound"][0][often].is_null());
  CHECK_FALSE(of["models"][1]["sigma_bound"][0][often].is_null());
  says(run_cli(bench.words("predict")).out, " !");
  const auto csv = run_cli(bench.words("predict", {"--format", "csv"}));
  says(csv.out, ",effective_fields,fields_90,rare_events,sigma_bound");

  const auto validated =
      run_cli(bench.words("validate", {"--split", "none", "--model", "sampled"}));
  says(validated.out, "sampled warns of rare events: rare in 1 layer");
  const auto as_json = run_cli(
      bench.words("validate", {"--split", "none", "--model", "sampled", "--format", "json"}));
  const json pairs = json::parse(as_json.out)["models"][0]["rare_events"];
  REQUIRE(pairs.size() == 1);
  CHECK(pairs[0]["multiplier"] == "rare");
  CHECK(pairs[0]["rel_error"] == 0.0);  // the truth is of the same receptive fields
}

TEST_CASE("match refuses what tells no σ, and keeps a layer exact that tolerates nothing") {
  Bench bench;
  const auto run = [&](std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--format", "json"});
    return run_cli(bench.words("match", more));
  };
  const auto fine = run();
  REQUIRE_MESSAGE(fine.code == 0, fine.err);
  CHECK(json::parse(fine.out)["layers"][0]["multiplier"] != "exact");

  const auto one = run({"--patches", "1"});
  CHECK(one.code == 3);
  says(one.err, "one receptive field tells no σ");

  bench.layer.ops = 0;
  bench.write(0.1);
  const auto without = run();
  CHECK(without.code == 3);
  says(without.err, "\"ops\"");
  bench.layer.ops = 1000;

  // The exact multiplier of the library errs nowhere, so it may serve; without it none may.
  bench.write(0);
  const auto nothing = run();
  CHECK(nothing.code == 0);
  CHECK(json::parse(nothing.out)["layers"][0]["multiplier"] == "exact");
  CHECK(json::parse(nothing.out)["relative_energy"] == 1.0);
  const std::string whole_library = bench.library;
  bench.library += ":rare";
  const auto none = run();
  CHECK(none.code == 0);
  const json exact = json::parse(none.out);
  CHECK(exact["layers"][0]["multiplier"] == "exact");
  CHECK(exact["layers"][0]["none_fits"] == true);
  CHECK(exact["relative_energy"] == 1.0);
  says(none.err, "conv tolerates no error (sigma_l is 0); it stays exact");
  bench.library = whole_library;

  const LayerOperands whole = bench.layer;
  bench.layer = select_patches(whole, {0, 0, 0});
  bench.write(0.1);
  const auto same = run();
  CHECK(same.code == 3);
  says(same.err, "no exact sum differs");
  bench.layer = whole;

  bench.layer.output_std = 12000 * 50.0;  // not in accumulator units
  bench.write(0.1);
  says(run().err, "is it in accumulator units");
}

TEST_CASE("a word has one meaning in predictions and in matches") {
  Bench bench;
  bench.write(0.2);
  for (const bool pessimistic : {false, true}) {
    std::vector<std::string> words{"--format", "json"};
    if (pessimistic) words.emplace_back("--pessimistic");
    const auto matched = run_cli(bench.words("match", words));
    REQUIRE_MESSAGE(matched.code == 0, matched.err);
    const json match = json::parse(matched.out);
    CHECK(match["pessimistic"] == pessimistic);
    const json& got = match["layers"][0];
    const json predicted = json::parse(
        run_cli(bench.words("predict", {"--format", "json", "--model", "permutation,sampled"}))
            .out);
    const std::size_t j = index_of(predicted, got["multiplier"]);
    const json& sampled = predicted["models"][1];
    for (const char* name : {"sigma_rel", "sigma_corrected_rel", "effective_fields", "fields_90"})
      CHECK(got[name] == sampled[name][0][j]);
    CHECK(got["rare_events"] == (sampled["rare_events"][0][j] == 1));
    const char* compared = pessimistic ? "sigma_corrected_bound" : "sigma_corrected";
    const double sigma = sampled[compared][0][j].get<double>() / 12000;
    CHECK(got["sigma_compared"].get<double>() == doctest::Approx(sigma).epsilon(1e-12));
    CHECK(got["sigma_compared"].get<double>() <= got["threshold"].get<double>());
  }
  const auto refused = run_cli(bench.words("match", {"--pessimistic", "--model", "permutation"}));
  CHECK(refused.code == 2);
  says(refused.err, "--pessimistic");
}

TEST_CASE("unequal scales without output_std_real: σ is not known relative to the outputs") {
  Bench bench;
  bench.layer.b_scale = {0.1, 0.2, 0.3, 0.4};
  bench.layer.output_std = std::nan("");
  bench.write(0.1);
  const auto predicted = run_cli(bench.words("predict", {"--format", "json"}));
  REQUIRE_MESSAGE(predicted.code == 0, predicted.err);
  says(predicted.err, "output_std_real is missing");
  CHECK(json::parse(predicted.out)["models"][0]["sigma_rel"][0][0].is_null());
  const auto matched = run_cli(bench.words("match"));
  CHECK(matched.code == 3);
  says(matched.err, "output_std_real");
  bench.layer.output_std = 12000;
  bench.write(0.1);
  const json out = json::parse(run_cli(bench.words("predict", {"--format", "json"})).out);
  CHECK(out["layers"][0]["output_std"].get<double>() == doctest::Approx(12000));
  CHECK(out["layers"][0]["acc_scale"].get<double>() ==
        doctest::Approx(std::sqrt((0.01 + 0.04 + 0.09 + 0.16) / 4)));
}
