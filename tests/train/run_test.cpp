// axmul train run and pareto as commands: records, choice, growth, refusals.
#include <algorithm>
#include <cmath>

#include "train/run_support.hpp"

using namespace axmul;
using nlohmann::json;
using test::Bench;
using test::run;
using test::without_seconds;

namespace {

constexpr const char* kReadBack = R"(
import h5py, json, numpy as np, sys
record = json.load(open(sys.argv[1] + "/run.json"))
with h5py.File(sys.argv[1] + "/run.h5") as f:
    assert f.attrs["format"] == "axmul-run" and f.attrs["format_version"] == "1.0"
    points = record["points"]
    assert [s.decode() for s in f["point"][:]] == [p["name"] for p in points]
    assert np.array_equal(f["relative_energy"][:], [p["relative_energy"] for p in points])
    assert np.array_equal(f["difference_report"][:], [p["report"]["difference"] for p in points])
    assert [s.decode() for s in f["rule"][:]] == [p["rule"] for p in points]
    for name in ["ops", "power_rel", "measured_sigma", "sigma_l", "loss_curvature"]:
        want = np.array([[np.nan if l[name] is None else l[name] for l in p["layers"]]
                         for p in points])
        assert f[name].shape == want.shape and np.array_equal(f[name][:], want, equal_nan=True)
        assert f[name].dims[0][0].name == "/point" and f[name].dims[1][0].name == "/layer"
    names = [l["multiplier"] for p in points for l in p["layers"]]
    assert [s.decode() for s in f["multiplier"][:]] == names
    for p in points:
        if p["search_epochs"]:
            sigma = f["epochs/" + p["name"] + "/search/sigma_l"][:]
            assert np.array_equal(sigma, [e["sigma_l"] for e in p["search_epochs"]])
)";

}  // namespace

TEST_CASE("a run records what it did, chooses by the selection images, and grows") {
  const Bench bench;
  if (!bench.ready()) AXMUL_SKIP("needs the executable axmul-train");
  const std::string options =
      "--baselines uniform,greedy --max-loss 5 --rule budget,tolerance --lambda 0.5,0.02";
  const int code = run(bench.command("whole", options));
  CAPTURE(test::read_text(bench.folder / "stderr"));
  REQUIRE(code == 0);
  const json record = bench.record("whole");
  CHECK(record["schema"] == "axmul.run/1");
  CHECK(record["technology"] == "PDK45");
  CHECK(record["without_cost"] == 1);
  CHECK(record["quantized_selection"]["images"] == 60);
  CHECK(record["quantized_report"]["images"] == 240);
  CHECK(record["quantized_report"]["top1"].get<double>() > 0.9);
  const json& points = record["points"];
  REQUIRE(points.size() >= 6);
  double least = 2;
  std::string wanted = "none", chosen = "none";
  for (const json& p : points) {
    double energy = 0, ops = 0, rise = 0, budget = 0;
    for (const json& l : p["layers"]) {
      CHECK(l["multiplier"] != "mul8u_zero");
      const bool exact = l["multiplier"] == "exact";
      const bool fine = l["multiplier"] == "mul8u_fine";
      CHECK(l["power_rel"].get<double>() ==
            doctest::Approx(exact ? 1.0 : (fine ? 0.2 : 0.1) / 0.391));
      energy += l["ops"].get<double>() * l["power_rel"].get<double>();
      ops += l["ops"].get<double>();
      if (p["method"] != "search") continue;
      const double curvature = l["loss_curvature"];
      budget += curvature * std::pow(l["sigma_l"].get<double>(), 2);
      if (exact) continue;
      rise += curvature * std::pow(l["sigma_compared"].get<double>(), 2);
      if (p["rule"] == "tolerance")
        CHECK(l["sigma_compared"].get<double>() <= l["sigma_l"].get<double>());
    }
    if (p["method"] == "search") {
      CHECK(p["loss_rise"].get<double>() == doctest::Approx(rise));
      CHECK(p["loss_budget"].get<double>() == doctest::Approx(budget));
      CHECK(rise <= budget);
    }
    CHECK(p["relative_energy"].get<double>() == doctest::Approx(energy / ops));
    if (p["chosen"]) chosen = p["name"];
    if (p["method"] == "search" && p["selection"]["difference"].get<double>() >= -0.05 &&
        p["relative_energy"].get<double>() < least) {
      least = p["relative_energy"].get<double>();
      wanted = p["name"];
    }
  }
  CHECK(chosen == wanted);
  CHECK(points[0]["lambda"] == 0.02);
  // More worth, more noise, less energy; and a budget for all never costs more than one for each.
  for (const auto& [cheaper, dearer] : {std::pair{2, 0}, {3, 1}, {0, 1}, {2, 3}})
    CHECK(points[cheaper]["relative_energy"].get<double>() <=
          points[dearer]["relative_energy"].get<double>());
  CHECK(points[2]["name"] == "lambda-0.5");
  CHECK(points[3]["name"] == "lambda-0.5-tolerance");
  CHECK(test::read_text(bench.folder / "whole" / "report.txt").find("within the model's") !=
        std::string::npos);
  test::write_text(bench.folder / "check.py", kReadBack);
  CHECK(test::run_process("/usr/bin/python3 " + bench.path("check.py") + " " +
                          bench.path("whole")) == 0);

  {  // It refuses to mix with other options, and to be overwritten.
    CHECK(run(bench.command("whole", options)) == 2);
    CHECK(run(bench.command("whole", options + " --resume --sigma-max 0.4")) == 2);
    const std::string refusal = test::read_text(bench.folder / "stderr");
    CHECK(refusal.find("AX973") != std::string::npos);
    CHECK(refusal.find("sigma_max: there 0.5, here 0.4") != std::string::npos);
    CHECK(refusal.find("seed") == std::string::npos);
  }
  {  // A further point is added to what there is.
    const std::string more = options + ",0.1";
    REQUIRE(run(bench.command("whole", more + " --resume")) == 0);
    json grown = without_seconds(bench.record("whole")["points"]);
    CHECK(grown[2]["lambda"] == 0.1);
    const json before = without_seconds(points);
    for (const auto& [now, then] : {std::pair{0, 0}, {1, 1}, {4, 2}, {5, 3}}) {
      grown[now]["chosen"] = before[then]["chosen"];  // another may be better by now
      CHECK(grown[now] == before[then]);
    }
    test::write_text(bench.folder / "whole" / "run.json", record.dump());
  }
  {  // Points are placed by pareto.
    const std::string out = bench.path("front.json");
    REQUIRE(run(bench.program + " pareto " + bench.path("whole") + " -o " + out) == 0);
    const json front = json::parse(test::read_text(out));
    REQUIRE(front["points"].size() == points.size());
    for (const json& p : front["points"]) {
      bool beaten = false, beaten_by_kind = false;
      for (const json& q : front["points"]) {
        const double de = q["relative_energy"].get<double>() - p["relative_energy"].get<double>();
        const double da = q["difference"].get<double>() - p["difference"].get<double>();
        const bool beats = de <= 0 && da >= 0 && (de < 0 || da > 0);
        beaten = beaten || beats;
        beaten_by_kind = beaten_by_kind || (beats && q["method"] == p["method"] &&
                                            q["model"] == p["model"] && q["rule"] == p["rule"]);
      }
      CHECK(p["on_front"] == !beaten);
      CHECK(p["on_own_front"] == !beaten_by_kind);
    }
    CHECK(run(bench.program + " pareto " + bench.path("costs.csv") + " >/dev/null 2>&1") == 3);
    json other = record;
    other["technology"] = "another";
    other.erase("checksum");
    test::write_text(bench.folder / "other.json", other.dump());
    CHECK(run(bench.program + " pareto " + bench.path("whole") + " " + bench.path("other.json") +
              " >/dev/null 2>" + bench.path("stderr")) == 3);
    CHECK(test::read_text(bench.folder / "stderr").find("AX988") != std::string::npos);
  }
}

TEST_CASE("layers that stay exact leave all distinct multipliers to the others") {
  const Bench bench;
  if (!bench.ready()) AXMUL_SKIP("needs the executable axmul-train");
  REQUIRE(run(bench.command("few",
                            "--lambda 2 --exact-layers conv1 --max-multipliers 1 --rule "
                            "tolerance,budget")) == 0);
  CHECK(test::read_text(bench.folder / "stderr").find("no multiplier fits") == std::string::npos);
  {  // --force leaves nothing of it, but nothing that is not a run's either.
    test::write_text(bench.folder / "few" / "notes.txt", "mine");
    CHECK(run(bench.command("few", "--lambda 2 --exact-layers conv9 --force")) == 2);
    CHECK(std::filesystem::exists(bench.folder / "few" / "lambda-2"));  // refused before
    const json before = bench.record("few");
    CHECK(run(bench.command("few", "--lambda none --uniform mul8u_fine --force")) == 0);
    CHECK_FALSE(std::filesystem::exists(bench.folder / "few" / "lambda-2"));
    CHECK(std::filesystem::exists(bench.folder / "few" / "notes.txt"));
    CHECK(bench.record("few")["points"].size() == 1);
    test::write_text(bench.folder / "few" / "run.json", before.dump());
  }
  for (const json& p : bench.record("few")["points"]) {
    CHECK(p["layers"][0]["multiplier"] == "exact");
    CHECK(p["relative_energy"].get<double>() < 0.99);
    double rise = 0;
    for (const json& l : p["layers"])
      if (l["layer"] != "conv1") {
        CHECK(l["multiplier"] == p["layers"][1]["multiplier"]);
        rise += l["loss_curvature"].get<double>() * std::pow(l["sigma_compared"].get<double>(), 2);
      }
    CHECK(p["loss_rise"].get<double>() == doctest::Approx(rise));
  }
}

TEST_CASE("figures out of range and costs that do not compare are refused before any training") {
  const Bench bench;
  if (!bench.ready()) AXMUL_SKIP("needs the executable axmul-train");
  const auto refused = [&](const std::string& options, int code, const std::string& id) {
    CAPTURE(options);
    CHECK(run(bench.command("bad", options)) == code);
    CHECK(test::read_text(bench.folder / "stderr").find(id) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(bench.folder / "bad" / "baseline"));
  };
  refused("--lambda nan", 2, "AX970");
  refused("--sigma-max 0", 2, "AX970");
  refused("--selection 300", 2, "AX979");
  refused("--rule cheapest", 2, "AX991");
  refused("--exact-layers conv9", 2, "AX955");
  test::write_text(bench.folder / "costs.csv", "name,power_mw\nmul8u_fine,0.2\n");
  refused("", 3, "AX976");
}

TEST_CASE("a library whose costs mix technologies is refused") {
  const Bench bench;
  if (!bench.ready()) AXMUL_SKIP("needs the executable axmul-train");
  // The shipped library has estimated costs; one entry gets a published one.
  test::write_text(bench.folder / "costs.csv", "name,PDK45_PWR_mW\ndrum(k=6),0.2\n");
  const std::string library = (test::source_dir() / "luts" / "axmul-library.h5").string();
  CHECK(run(bench.command("mixed", "--lambda 0.1 --library " + library)) == 3);
  const std::string text = test::read_text(bench.folder / "stderr");
  CHECK(text.find("AX708") != std::string::npos);
  CHECK(text.find("drum(k=6)") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(bench.folder / "mixed" / "baseline"));
}
