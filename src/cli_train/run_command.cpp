// axmul train run: from a network to an assignment of multipliers, with a record and a report.
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "cli_train/commands.hpp"
#include "cli_train/job.hpp"
#include "cli_train/progress.hpp"
#include "cli_train/run_plan.hpp"
#include "cli_train/run_report.hpp"
#include "command/output.hpp"

namespace axmul::train {
namespace {

int run_command_body(cli::Session& session) {
  set_training_threads(static_cast<int>(session.args.integer("threads", 0, 4096).value_or(0)));
  RunPrinter printer(session);
  RunReport report;
  try {
    report = axmul::run(run_plan(session), printer);
  } catch (const InterruptedError&) {
    if (!printer.folder().empty())
      session.io.err << (session.io.err_is_tty ? "\r\033[K" : "")
                     << "interrupted; the same command with --out " << printer.folder()
                     << " --resume continues\n";
    throw;
  }
  write_file(report.folder + "/report.txt", report_text(report, false), true);
  session.io.out << report_text(report, cli::use_color(session, session.io.out_is_tty)) << "record "
                 << report.folder << "/run.json, run.h5\n";
  return 0;
}

}  // namespace

cli::CommandSpec run_command() {
  cli::CommandSpec spec;
  spec.name = "run";
  spec.purpose =
      "The whole way: train, quantise, learn what each layer tolerates, match, retrain, report.";
  spec.examples = {
      {"axmul train run lenet5 --schedule short", "Fashion-MNIST, the shipped library, minutes"},
      {"axmul train run resnet20 --data cifar10:DIR --weights resnet20.h5 --library evoapprox/ "
       "--costs facts.csv --rule tolerance,budget --error-model multi-population,sampled "
       "--baselines uniform,greedy",
       "the paper's experiment (tolerance, multi-population), ours beside it, and baselines"}};
  spec.positionals = {network_positional()};
  spec.options = data_options();
  const auto add = [&](std::vector<cli::OptionSpec> more) {
    spec.options.insert(spec.options.end(), more.begin(), more.end());
  };
  add(arithmetic_options());
  add(run_options());
  spec.notes =
      "Points are chosen on some of the test images and reported on the others. The folder holds "
      "every\nstage's files, run.json and run.h5 (the record) and report.txt; axmul train pareto "
      "compares runs.";
  spec.run = run_command_body;
  return spec;
}

}  // namespace axmul::train
