// axmul train trace: the operands of every layer as a trace file.
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/tables/traces.hpp"
#include "axmul/train/trace.hpp"
#include "cli_train/commands.hpp"
#include "cli_train/job.hpp"
#include "command/output.hpp"

namespace axmul::train {
namespace {

using cli::Session;

std::string as_table(const Session& session, const std::vector<LayerOperands>& layers,
                     const Coverage& coverage) {
  cli::TextTable table({"layer", "type", "fan-in", "channels", "ops", "patches", "output std"},
                       "llrrrrr");
  for (const LayerOperands& o : layers)
    table.row({o.name, std::string(to_string(o.type)), std::to_string(o.fan_in),
               std::to_string(o.out_channels), std::to_string(static_cast<std::int64_t>(o.ops)),
               std::to_string(o.patch_count), cli::short_number(o.output_std)});
  if (coverage.ops_not_covered > 0)
    table.row({"(in no layer)", "–", "–", "–",
               std::to_string(static_cast<std::int64_t>(coverage.ops_not_covered)), "–", "–"});
  const std::string share = coverage_sentence(coverage);
  return table.render(cli::use_color(session, session.io.out_is_tty)) +
         (share.empty() ? share : share + "\n");
}

int trace_command_body(Session& session) {
  const auto output = session.args.text("output");
  if (!output) throw UsageError(964, "trace needs --output FILE.h5");
  Job job = prepare(session, DataPart::train);
  if (!has_weights(job)) throw UsageError(959, "trace needs --weights FILE");
  quantize_network(job);
  const auto images =
      static_cast<std::size_t>(session.args.integer("images", 1, 1 << 30).value_or(kTraceImages));
  NetworkTraceOptions options;
  if (const auto patches = session.args.integer("patches", 1, 1 << 24))
    options.patches = static_cast<std::size_t>(*patches);
  options.seed = job.options.seed;
  const auto layers =
      trace_network(job.network, sample_images(job, images), job.normalisation, options);
  TraceOptions file;
  file.origin.title = "Operands of the layers of " + job.network.architecture;
  file.origin.command = session.command_line;
  file.origin.reproducible_command = "axmul train trace " + job.network.architecture;
  file.origin.seed = static_cast<std::int64_t>(job.options.seed);
  file.force = session.args.has("force");
  const Coverage coverage = coverage_of(job.network);
  file.ops_not_covered = coverage.ops_not_covered;
  file.calls_not_counted = coverage.calls_not_counted;
  write_traces(*output, job.network.architecture, layers, file);
  session.io.out << as_table(session, layers, coverage);
  if (!session.quiet) session.io.err << "wrote " << *output << '\n';
  return 0;
}

}  // namespace

cli::CommandSpec trace_command() {
  cli::CommandSpec spec;
  spec.name = "trace";
  spec.purpose = "Record what the layers of a quantised network multiply, for the error models.";
  spec.examples = {
      {"axmul train trace resnet20 --data cifar10:DIR --weights resnet20.h5 -o "
       "traces.h5",
       "2048 receptive fields a layer, of 128 training images"}};
  spec.positionals = {network_positional()};
  spec.options = data_options();
  const auto more = arithmetic_options();
  spec.options.insert(spec.options.end(), more.begin(), more.end());
  cli::OptionSpec output{"output", "FILE", "Trace file to write (HDF5)."};
  output.short_name = 'o';
  spec.options.insert(spec.options.end(), {{"images", "N", "Training images that are run.",
                                            std::to_string(kTraceImages)},
                                           {"patches", "N", "Receptive fields kept per layer.",
                                            std::to_string(NetworkTraceOptions{}.patches)},
                                           output,
                                           {"force", "", "Replace an existing file."}});
  spec.notes =
      "The images are evenly spaced over the training part; the receptive fields kept of each "
      "layer\n"
      "are evenly spaced over all of theirs. output_std is over all outputs of all these images.";
  spec.run = trace_command_body;
  return spec;
}

}  // namespace axmul::train
