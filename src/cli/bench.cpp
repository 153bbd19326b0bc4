// axmul bench: how fast LUT simulation is on this machine, beside other ways to do it.
#include "axmul/kernels/bench.hpp"

#include <fmt/format.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cmath>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/tables/traces.hpp"
#include "cli/design_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

std::vector<BenchOperands> traced_operands(const std::string& path) {
  std::vector<BenchOperands> operands;
  for (const LayerOperands& layer : read_traces(path)) {
    if (layer.groups != 1 || !layer.has_patches() || layer.type != OperandType::u8u8) continue;
    operands.push_back({layer.fan_in, layer.out_channels, layer.patches, layer.weights});
  }
  return operands;
}

std::string kernel_list(const OutputTarget& target, bool color) {
  const Lut full_rank =
      Lut::from_function(OperandType::u8u8, [](int a, int b) { return (a * b) & ~7; });
  std::vector<std::uint8_t> activations(8192);
  for (std::size_t i = 0; i < activations.size(); ++i)
    activations[i] = static_cast<std::uint8_t>(i % 101);
  const std::string chosen =
      lut_gemm_kernel_for(full_rank, {4096, 2, 16}, activations, std::vector<std::uint8_t>(32, 1));
  if (target.format == "json") {
    Json json{{"schema", "axmul.kernels/1"}, {"kernels", Json::array()}};
    for (const KernelInfo& k : lut_gemm_kernels())
      json["kernels"].push_back(Json{{"name", k.name},
                                     {"purpose", k.purpose},
                                     {"needs", k.needs},
                                     {"compiled", k.compiled},
                                     {"supported", k.supported},
                                     {"chosen", k.name == chosen}});
    return json.dump(2) + "\n";
  }
  TextTable table({"kernel", "needs", "compiled", "supported", "purpose"}, "lllll");
  for (const KernelInfo& k : lut_gemm_kernels())
    table.row({k.name + (k.name == chosen ? " *" : ""), k.needs, k.compiled ? "yes" : "no",
               k.supported ? "yes" : "no", k.purpose});
  return table.render(color) +
         "* chosen for a full-rank table and many rows; AXMUL_KERNEL=NAME forces one\n";
}

Json spread_json(const BenchSpread& figure) {
  return Json{number(figure.low), number(figure.high)};
}

Json result_json(const BenchResult& r) {
  Json ratios, ratio_spreads, yardsticks;
  for (const BenchYardstick& y : bench_yardsticks()) {
    ratios[y.name] = number((r.ratio_to.*y.field).median);
    ratio_spreads[y.name] = spread_json(r.ratio_to.*y.field);
    yardsticks[y.name] = number((r.yardstick_mac_per_cycle.*y.field).median);
  }
  return Json{{"shape", Json{{"m", r.shape.m}, {"k", r.shape.k}, {"n", r.shape.n}}},
              {"lut", r.lut},
              {"kernel", r.kernel},
              {"threads", r.threads},
              {"operands", r.real_operands ? "traced" : "synthetic"},
              {"mac_per_second", number(r.mac_per_second.median)},
              {"mac_per_second_spread", spread_json(r.mac_per_second)},
              {"mac_per_cycle", number(r.mac_per_cycle.median)},
              {"mac_per_cycle_spread", spread_json(r.mac_per_cycle)},
              {"ratio_to", ratios},
              {"ratio_to_spread", ratio_spreads},
              {"yardstick_mac_per_cycle", yardsticks},
              {"rounds", r.rounds},
              {"largest_difference", number(r.largest_difference)},
              {"disturbed", r.disturbed}};
}

std::string as_json(const BenchReport& report) {
  Json json{{"schema", "axmul.bench/1"},
            {"clock_ghz", number(report.clock_ghz)},
            {"sgemm_library", report.sgemm_library},
            {"int8_library", report.int8_library},
            {"blas_core", report.blas_core},
            {"blas_own_core", report.blas_own_core},
            {"environment", report.environment},
            {"disturbed", report.disturbed()},
            {"results", Json::array()}};
  for (const BenchResult& r : report.results) json["results"].push_back(result_json(r));
  return json.dump(2) + "\n";
}

/// "12.31 ±4%": nine tenths of the rounds lie no more than that to either side, about.
std::string spread_text(const BenchSpread& figure, double scale) {
  if (std::isnan(figure.median)) return "–";
  return fmt::format("{:.2f} ±{:.0f}%", figure.median * scale, 50 * figure.difference());
}

/// The libraries and what steers them.
std::string circumstances(const BenchReport& report) {
  std::string out = report.sgemm_library.empty() ? "OpenBLAS (not found)" : report.sgemm_library;
  out +=
      " and " + (report.int8_library.empty() ? "oneDNN (not found)" : report.int8_library) + ".\n";
  if (!report.environment.empty()) {
    out += "Set in the environment:";
    for (const std::string& variable : report.environment) out += " " + variable;
    out += "\n";
  }
  if (!report.blas_own_core.empty())
    out += "OpenBLAS would by itself take its core " + report.blas_own_core + " here, not " +
           report.blas_core + ".\n";
  return out;
}

std::string as_table(const BenchReport& report, bool color) {
  std::vector<std::string> header{"n×k×m", "table", "kernel", "threads", "GMAC/s", "MAC/cycle"};
  std::string alignment = "lllrrr";
  for (const BenchYardstick& y : bench_yardsticks()) {
    header.emplace_back(y.label);
    alignment += 'r';
  }
  TextTable table(header, alignment);
  for (const BenchResult& r : report.results) {
    std::vector<std::string> cells{bench_shape_text(r.shape) + (r.disturbed ? " !" : ""),
                                   r.lut + (r.real_operands ? "" : " (synthetic)"),
                                   r.kernel,
                                   std::to_string(r.threads),
                                   spread_text(r.mac_per_second, 1e-9),
                                   spread_text(r.mac_per_cycle, 1)};
    for (const BenchYardstick& y : bench_yardsticks())
      cells.push_back(spread_text(r.ratio_to.*y.field, 1));
    table.row(std::move(cells));
  }
  std::string out = table.render(color);
  out += fmt::format(
      "\nMedians over rounds in which each has a turn; ± half of what the rounds differ, the outer "
      "tenths left out{}.\n"
      "Clock {:.2f} GHz; two 256-bit loads a cycle would allow column tables 32 MAC/cycle.\n",
      report.disturbed() ? "; ! disturbed" : "", report.clock_ghz);
  out +=
      "× = speed over: triple loop on an int32 table (torchapprox's CPU path), a loop of 8 sums on "
      "a\n"
      "16-bit table (AdaPT), AVX2 gather; and the exact products of ";
  return out + circumstances(report);
}

/// What makes figures of this run differ from those of another.
void say_doubts(Session& session, const BenchReport& report) {
  std::size_t count = 0;
  const BenchResult* worst = nullptr;
  for (const BenchResult& r : report.results) {
    count += r.disturbed;
    if (worst == nullptr || r.largest_difference > worst->largest_difference) worst = &r;
  }
  if (count > 0)
    warn(session,
         fmt::format("disturbed: in {} of {} results the rounds differ by more than a quarter (by "
                     "{:.0f} % in {} of {}, {}); something else ran on this machine, and figures "
                     "of another run may differ as much",
                     count, report.results.size(), 100 * worst->largest_difference,
                     worst->differs_most, bench_shape_text(worst->shape), worst->lut));
  if (!report.blas_own_core.empty())
    warn(session, "OPENBLAS_CORETYPE makes OpenBLAS compute with its core " + report.blas_core +
                      "; by itself it would take " + report.blas_own_core +
                      ", so × sgemm is not what it is without that variable");
}

/// Memory that libraries free stays with the process. Else their products pay for its pages anew in
/// some calls and not in others, and rounds differ by a multiple.
void keep_freed_memory() {
#if defined(__GLIBC__)
  constexpr int kNever = 1 << 30;
  mallopt(M_TRIM_THRESHOLD, kNever);
  mallopt(M_MMAP_THRESHOLD, kNever);
#endif
}

int run(Session& session) {
  const OutputTarget target = output_target(session);
  const bool color = target.is_stdout() && use_color(session, session.io.out_is_tty);
  if (session.args.has("list")) {
    write_output(session, target, kernel_list(target, color));
    return 0;
  }
  BenchOptions options;
  for (const std::string& text : session.args.values("shape"))
    options.shapes.push_back(parse_bench_shape(text));
  for (const DesignRef& ref : session_designs(session, session.args.values("lut")).designs) {
    options.luts.push_back({ref.name, ref.load().lut});
    require_8x8(options.luts.back().lut, "LUT GEMM takes");
  }
  if (const auto traces = session.args.text("traces")) options.operands = traced_operands(*traces);
  options.threads = static_cast<int>(session.args.integer("threads", 1, 4096).value_or(1));
  options.levels = static_cast<int>(session.args.integer("levels", 2, 256).value_or(256));
  options.kernel = session.args.text_or("kernel", "");
  options.min_seconds = session.args.number("seconds", 0.01, 600).value_or(0.5);
  keep_freed_memory();
  const BenchReport report = run_bench(options);
  say_doubts(session, report);
  write_output(session, target,
               target.format == "json"  ? as_json(report)
               : target.format == "csv" ? bench_csv(report)
                                        : as_table(report, color));
  return 0;
}

}  // namespace

CommandSpec bench_command() {
  CommandSpec spec;
  spec.name = "bench";
  spec.purpose =
      "Measure LUT simulation on this machine beside the usual loops and exact products, in one "
      "run.";
  spec.examples = {
      {"axmul bench", "three layers of ResNet-20, one thread"},
      {"axmul bench --lut mul8u_2AC.bin --shape 4096,576,64 --threads 2", "one table on one shape"},
      {"axmul bench --list", "kernels: compiled, supported, chosen"}};
  spec.options = {
      {"list", "", "List the kernels instead."},
      {"shape", "N,K,M", "Rows, fan-in, output channels.", "4096,144,16 4096,288,32 4096,576,64",
       true},
      {"lut", "DESIGN", "Table to simulate.", "a broken-array-like one and an exact one", true},
      {"traces", "FILE", "Take operands from traced layers of the same shape.", "synthetic"},
      {"levels", "N", "Clip activations to 0 … N−1.", "256"},
      {"kernel", "NAME", "Force a kernel.", "AXMUL_KERNEL, else the selector's"},
      {"seconds", "S", "Least time per shape and table.", "0.5"}};
  for (OptionSpec& option : output_options({"table", "json", "csv"}))
    spec.options.push_back(std::move(option));
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.notes =
      "bench runs on one thread unless --threads says otherwise. Each round gives every contestant "
      "a\n"
      "turn, and ratios are formed round by round. A result whose rounds differ by more than a "
      "quarter\n"
      "is called disturbed, on stderr and in JSON. Variables that steer OpenBLAS, oneDNN, OpenMP "
      "or\n"
      "axmul are shown, and the core that OpenBLAS would take by itself where one is forced.";
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
