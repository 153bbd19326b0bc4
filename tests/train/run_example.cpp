// LeNet-5 on Fashion-MNIST, from nothing to a multiplier for each layer: run_example FOLDER
#include <axmul/core/errors.hpp>
#include <axmul/train/run.hpp>
#include <cstdio>

struct Words : axmul::RunEvents {
  void status(const std::string& text) override { std::fprintf(stderr, "%s\n", text.c_str()); }
  void warning(const std::string& text) override { status("warning: " + text); }
};

int main(int, char** argv) {
  axmul::set_training_threads(2);
  axmul::RunPlan plan;
  plan.job.network = "lenet5";  // on Fashion-MNIST, as nothing else is said
  plan.job.limit = 1000;        // images: a first look; without these two lines it takes all
  plan.job.test_limit = 500;
  plan.schedule = "short";
  plan.lambdas = {0.1, 0.5};  // two searches, a point each
  plan.folder = argv[1];
  plan.resume = true;  // finished stages are not done again
  Words words;
  try {
    const axmul::RunReport report = axmul::run(plan, words);
    for (const axmul::RunPoint& p : report.points)
      std::printf("%s: energy %.4f, top-1 %.2f %%, %+.2f pp\n", p.name.c_str(), p.energy,
                  100 * p.report.top1, 100 * p.report.difference);
    if (const axmul::RunPoint* chosen = axmul::chosen_point(report))
      for (const axmul::PointLayer& layer : chosen->layers)
        std::printf("%s %s\n", layer.layer.c_str(), layer.multiplier.c_str());
  } catch (const axmul::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
