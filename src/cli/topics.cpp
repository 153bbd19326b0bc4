// axmul help TOPIC: what metrics, distributions, formats, orders and models are.
#include <fmt/format.h>

#include "axmul/formats/table_file.hpp"
#include "axmul/stats/metrics.hpp"
#include "cli/characterize_options.hpp"
#include "cli/program.hpp"

namespace axmul::cli {

namespace {

std::string line(const std::string& left, const std::string& right) {
  return fmt::format("  {:<22}  {}\n", left, right);
}

std::string metrics_topic() {
  std::string text =
      "Figures of the error e = approximate − exact under the operand distributions. In JSON, CSV\n"
      "and HDF5 they have these names; error_rate and mred are fractions there, percentages in\n"
      "tables (EP %, MRED %). Any of them serves --sort, --columns, --x and --y.\n\n";
  for (const MetricField& field : metric_fields())
    text += line(std::string(field.name), std::string(field.definition));
  text +=
      "\nCosts, where a design has them: power_rel (power over that of the exact multiplier of "
      "the\n"
      "same source and technology; above 1: more than the exact one), power_mw, area_um2, "
      "delay_ns.\n";
  return text;
}

std::string distributions_topic() {
  return distribution_notes() +
         "\n\nThe i-th --a goes with the i-th --b; one alone repeats, none is uniform. A short "
         "name "
         "before\nthe text stands for it in tables: --a acts=file(h.csv). What lies outside the "
         "operand's range\ngoes to its ends (tails=fold) or is dropped (tails=renormalise).\n";
}

std::string formats_topic() {
  std::string text = "Formats of product tables, recognised by content, then by extension:\n\n";
  for (const TableFormat& format : table_formats()) {
    std::string extensions;
    for (const std::string& e : format.extensions)
      extensions += (extensions.empty() ? "" : " ") + e;
    text += line(format.name + " (" + extensions + ")", format.description);
  }
  return text +
         "\nCircuits (Verilog, BLIF, Yosys JSON) and, with --allow-native-code, C models are "
         "designs "
         "too;\nso are entries of axmul's HDF5 files (FILE.h5:NAME) and generator texts "
         "(axmul generate --list).\n";
}

std::string orders_topic() {
  return "Operand a is the activation and the table's row, operand b the weight and its column.\n"
         "A file may list its products the other way round: published C models often declare\n"
         "f(B, A). Each format states what it assumes (axmul list --formats); --order ab or ba "
         "says\n"
         "what is first, --index value or bits whether rows and columns ascend by operand value or "
         "by\n"
         "two's-complement byte. axmul info tells what was assumed and why, axmul compare says "
         "\"same\n"
         "with operands swapped\". Figures under uniform operands do not notice a swap, all others "
         "do.\n";
}

std::string models_topic() {
  std::string text = "Models of the error that a layer accumulates over its K multiplications:\n\n";
  text += line("global", "one operand distribution each, K independent errors");
  text += line("monte-carlo", "sums of K drawn errors");
  text += line("multi-population", "a distribution of activations per receptive field");
  text += line("permutation", "these activations with these weights, paired at random");
  text += line("stratified", "the same within groups of taps");
  text += line("sampled", "the error itself on the traced receptive fields: no model error");
  return text +
         "\nThe default is sampled where the traces hold receptive fields, else permutation.\n"
         "sigma_rel is the σ of the error over that of the layer's outputs.\n";
}

}  // namespace

std::vector<Topic> help_topics() {
  return {{"metrics", "The error figures and their definitions.", metrics_topic},
          {"distributions", "How operand distributions are written.", distributions_topic},
          {"formats", "Files that hold product tables.", formats_topic},
          {"orders", "Which operand is which.", orders_topic},
          {"models", "How the error of a layer is predicted.", models_topic}};
}

}  // namespace axmul::cli
