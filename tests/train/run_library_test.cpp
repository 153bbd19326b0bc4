// run() from C++: what the command does, with a network and multipliers of the caller's own; what
// happens meanwhile; what is refused.
#include <functional>

#include "axmul/core/errors.hpp"
#include "axmul/train/run.hpp"
#include "support/error_id.hpp"
#include "train/run_support.hpp"

using namespace axmul;
using axmul::test::error_id;
using nlohmann::json;
using test::Bench;

namespace {

struct Heard : RunEvents {
  std::vector<std::string> trained, finished_stages, lines, warnings, points;
  std::string folder;
  std::size_t layers = 0, steps = 0, epochs = 0;
  bool stop = false;

  void warning(const std::string& text) override { warnings.push_back(text); }
  void status(const std::string& text) override { lines.push_back(text); }
  void built(const Network& network) override { layers = network.layers.size(); }
  void started(const std::string& where) override { folder = where; }
  void training(const std::string& stage, const Schedule&) override { trained.push_back(stage); }
  void step(const StepRecord&) override { ++steps; }
  void epoch(const EpochRecord&) override {
    ++epochs;
    if (stop) throw InterruptedError();
  }
  void finished(const std::string& stage) override { finished_stages.push_back(stage); }
  void point(const RunPoint& p) override { points.push_back(p.name); }
};

Multiplier multiplier(const std::string& name, double power_mw, int (*f)(int, int)) {
  Multiplier m{name, Lut::from_function(OperandType::u8u8, f)};
  m.cost.power_rel = power_mw / 0.391;  // of the exact one of EvoApprox8b
  return m;
}

// As Bench::command(), with what that reads from files in memory.
RunPlan plan_of(const Bench& bench, const std::string& out) {
  RunPlan plan;
  plan.job.make = [](const NetworkOptions& options, std::uint64_t seed) {
    return make_network("lenet5", options, seed);
  };
  plan.job.data = "mnist:" + bench.folder.path().string();
  plan.job.batch = 20;
  plan.job.calibration_images = 100;
  plan.multipliers = {multiplier("mul8u_fine", 0.2, [](int a, int b) { return a * b & ~15; }),
                      multiplier("mul8u_coarse", 0.1, [](int a, int b) { return a * b & ~511; })};
  plan.folder = bench.path(out);
  plan.schedule = "short";
  plan.baseline = usual_schedule(TrainingKind::baseline, "lenet5", true);
  plan.baseline->epochs = 12;
  plan.baseline->drops = {6, 9};
  plan.baseline->learning_rate = 0.005;
  plan.quantize = usual_schedule(TrainingKind::quantize, "lenet5", true);
  plan.quantize->epochs = 1;
  plan.quantize->drops = {1};
  plan.retrain = usual_schedule(TrainingKind::retrain, "lenet5", true);
  plan.retrain->epochs = 1;
  plan.retrain->drops = {1};
  plan.lambdas = {0.5};
  plan.fold_images = plan.trace_images = 40;
  return plan;
}

}  // namespace

TEST_CASE("a run of the caller's own network and multipliers is that of the command") {
  const Bench bench;
  if (!bench.ready()) AXMUL_SKIP("needs the executable axmul-train");
  set_training_threads(2);
  RunPlan plan = plan_of(bench, "called");
  Heard heard;
  const RunReport report = run(plan, heard);
  REQUIRE(test::run(bench.command("typed", "--lambda 0.5")) == 0);
  CHECK(test::without_seconds(bench.record("called")["points"]) ==
        test::without_seconds(bench.record("typed")["points"]));

  const json point = bench.record("typed")["points"][0];
  REQUIRE(report.points.size() == 1);
  const RunPoint& p = report.points[0];
  CHECK(p.energy == point["relative_energy"].get<double>());
  CHECK(p.report.top1 == point["report"]["top1"].get<double>());
  CHECK(p.layers[1].sigma_l == point["layers"][1]["sigma_l"].get<double>());
  CHECK(p.layers[1].multiplier == point["layers"][1]["multiplier"].get<std::string>());
  CHECK((chosen_point(report) == &p) == point["chosen"].get<bool>());
  CHECK(report.folder == plan.folder);
  CHECK(report.layer_names.size() == 5);

  const std::vector<std::string> stages = {"baseline", "quantized", "lambda-0.5/search",
                                           "lambda-0.5/retrain"};
  CHECK(heard.trained == stages);
  CHECK(heard.finished_stages == stages);
  CHECK(heard.points == std::vector<std::string>{"lambda-0.5"});
  CHECK(heard.epochs == 12 + 1 + 2 + 1);
  CHECK(heard.steps == heard.epochs * (400 / 20));
  CHECK(heard.folder == plan.folder);
  CHECK(heard.layers == 5);
  CHECK(heard.warnings.empty());

  {  // It goes on with what it finds, as nothing but that plan.
    CHECK(error_id([&] { run(plan); }) == 962);
    plan.resume = true;
    Heard again;
    CHECK(run(plan, again).points[0].report.top1 == p.report.top1);
    CHECK(again.epochs == 0);
    CHECK(again.finished_stages == stages);
    const auto refused = [&](const char* what, const std::function<void(RunPlan&)>& change) {
      CAPTURE(what);
      RunPlan other = plan;
      change(other);
      CHECK(error_id([&] { run(other); }) == 973);
    };
    refused("seed", [](RunPlan& o) { o.job.seed = 2; });
    refused("batch", [](RunPlan& o) { o.job.batch = 21; });
    refused("augmentation", [](RunPlan& o) { o.job.augmentation = Augmentation{true, 0}; });
    refused("encoding", [](RunPlan& o) { o.job.encoding = TableEncoding::affine; });
    refused("mean", [](RunPlan& o) { o.job.mean = std::vector{0.5}; });
    refused("multiplier", [](RunPlan& o) { o.multipliers[0].cost.power_rel *= 0.5; });
    refused("network", [](RunPlan& o) {
      o.job.make = [](const NetworkOptions& n, std::uint64_t seed) {
        return make_network("lenet5", n, seed + 1);
      };
    });
  }
  {  // What events throw ends it, and it goes on from there.
    plan.force = true;
    plan.resume = false;
    Heard impatient;
    impatient.stop = true;
    CHECK_THROWS_AS(run(plan, impatient), InterruptedError);
    CHECK(impatient.epochs == 1);
    CHECK_FALSE(std::filesystem::exists(plan.folder + "/run.json"));
    plan.resume = true;
    CHECK(run(plan).points[0].report.top1 == p.report.top1);
  }
}

TEST_CASE("a plan that has no meaning is refused before any training") {
  const Bench bench;
  const auto refused = [&](const char* what, int id, const std::function<void(RunPlan&)>& change) {
    CAPTURE(what);
    RunPlan plan = plan_of(bench, "bad");
    change(plan);
    CHECK(error_id([&] { run(plan); }) == id);
    CHECK_FALSE(std::filesystem::exists(bench.path("bad") + "/baseline"));
  };
  refused("no network", 987, [](RunPlan& p) { p.job.make = {}; });
  refused("two networks", 987, [](RunPlan& p) {
    p.job.make = {};
    p.job.network = "lenet5";
    p.job.model = "net.pt";
  });
  refused("unknown network", 930, [](RunPlan& p) {
    p.job.make = {};
    p.job.network = "lenet7";
  });
  refused("no data", 901, [](RunPlan& p) { p.job.data = "mnist:/nowhere"; });
  refused("λ", 970, [](RunPlan& p) { p.lambdas = {-1}; });
  refused("σ of the usual λ", 970, [](RunPlan& p) {
    p.lambdas.clear();
    p.noise.sigma_max = 0;
  });
  refused("no model", 977, [](RunPlan& p) { p.models.clear(); });
  refused("no rule", 991, [](RunPlan& p) { p.rules.clear(); });
  refused("pessimistic", 969, [](RunPlan& p) {
    p.pessimistic = true;
    p.models = {ErrorModel::permutation};
  });
  refused("energy", 990, [](RunPlan& p) { p.energies = {1.5}; });
  refused("nothing to do", 978, [](RunPlan& p) { p.only_baselines = p.uniform = true; });
  refused("no such layer", 955, [](RunPlan& p) { p.exact_layers = {"conv9"}; });
  refused("nothing left", 979, [](RunPlan& p) { p.selection_images = 300; });
  refused("no costs", 976, [](RunPlan& p) {
    for (Multiplier& m : p.multipliers) m.cost = {};
  });
  refused("costs of two origins", 708, [](RunPlan& p) { p.multipliers[0].cost.technology = "X"; });
  refused("schedule", 992, [](RunPlan& p) { p.schedule = "shortest"; });
  refused("patches", 992, [](RunPlan& p) { p.patches = 1; });
  refused("batch", 992, [](RunPlan& p) { p.job.batch = 0; });
  refused("max_loss", 992, [](RunPlan& p) { p.max_loss = 2; });
  refused("folder", 961, [&](RunPlan& p) {
    test::write_text(bench.folder / "file", "");
    p.folder = bench.path("file");
  });
}
