// axmul train run: from a network to an assignment of multipliers, with a record and a report.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/tables/library_build.hpp"
#include "cli_train/commands.hpp"
#include "command/output.hpp"
#include "io/json.hpp"
#include "train/flow/run_points.hpp"

namespace axmul::train {
namespace {

namespace fs = std::filesystem;
using cli::Session;

std::vector<std::string> split_values(const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values) {
    std::stringstream stream(value);
    std::string part;
    while (std::getline(stream, part, ','))
      if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

// The library that comes with axmul: installed, or in the source tree that this was built in.
std::string shipped_library() {
  std::error_code error;
  const fs::path bin = fs::read_symlink("/proc/self/exe", error).parent_path();
  std::vector<fs::path> places = {bin / "../share/axmul/axmul-library.h5"};
  for (fs::path up = bin; up.has_relative_path(); up = up.parent_path())
    places.push_back(up / "luts/axmul-library.h5");
  for (const fs::path& place : places)
    if (fs::exists(place, error)) return place.lexically_normal().string();
  throw InputError(975, "the shipped library is not found (" +
                            places.front().lexically_normal().string() +
                            "); name one with --library");
}

// Matching refuses costs of different origin; better before the training than after it. Multipliers
// of different operand types never meet in one match.
void check_costs(const std::vector<Multiplier>& library) {
  for (const OperandType type : {OperandType::u8u8, OperandType::s8s8, OperandType::u8s8}) {
    std::vector<Multiplier> same;
    for (const Multiplier& m : library)
      if (m.lut.type() == type) same.push_back(m);
    PredictionMatrix none;
    none.multipliers = same.size();
    match({}, same, none, {});
  }
}

std::vector<Multiplier> load_library(Session& session, RunRecord& record) {
  record.libraries = session.args.values("library");
  if (record.libraries.empty()) record.libraries = {shipped_library()};
  const DesignList list = find_designs(record.libraries);
  for (const std::string& warning : list.warnings) cli::warn(session, warning);
  std::vector<Multiplier> library;
  for (const DesignRef& design : list.designs) {
    library.push_back(design.load());
    library.back().name = design.name;
  }
  if (const auto costs = session.args.text("costs")) {
    const CostJoin join = join_costs(read_costs(*costs), library);
    for (const std::string& note : join.notes) cli::warn(session, *costs + ": " + note);
    if (!join.missing.empty())
      cli::warn(session, std::to_string(join.missing.size()) + " rows of " + *costs +
                             " belong to no multiplier of the library, " + join.missing.front() +
                             " for one");
  }
  if (std::none_of(library.begin(), library.end(),
                   [](const Multiplier& m) { return m.cost.power_rel > 0; }))
    throw InputError(976,
                     "no multiplier of the library has a positive power_rel, so none can be "
                     "chosen; give costs with --costs FILE.csv");
  check_costs(library);
  return library;
}

std::vector<double> numbers_of(const Session& session, const char* option, int id) {
  std::vector<double> numbers;
  for (const std::string& text : split_values(session.args.values(option))) {
    std::size_t used = 0;
    double value = 0;
    try {
      value = std::stod(text, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    if (used != text.size())
      throw UsageError(id, "--" + std::string(option) + ": \"" + text + "\" is not a number");
    numbers.push_back(value);
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

std::vector<double> lambdas_of(const Session& session, bool brief) {
  if (session.args.values("lambda") == std::vector<std::string>{"none"}) return {};
  std::vector<double> lambdas = numbers_of(session, "lambda", 970);
  if (!lambdas.empty()) return lambdas;
  return brief ? std::vector<double>{0.1, 0.3} : std::vector<double>{0.1, 0.2, 0.4};
}

std::vector<double> energies_of(const Session& session) {
  std::vector<double> energies = numbers_of(session, "energy", 990);
  for (const double e : energies)
    if (!(e > 0 && e < 1)) throw UsageError(990, "--energy must lie between 0 and 1");
  return energies;
}

std::vector<ErrorModel> models_of(const Session& session) {
  std::vector<ErrorModel> models;
  for (const std::string& name : split_values(session.args.values("error-model"))) {
    const auto model = parse_error_model(name);
    if (!model) {
      std::string known;
      for (const ErrorModel m : kErrorModels)
        known += (known.empty() ? "" : ", ") + std::string(to_string(m));
      throw UsageError(977, "--error-model \"" + name + "\" is unknown; one of " + known);
    }
    if (std::find(models.begin(), models.end(), *model) == models.end()) models.push_back(*model);
  }
  if (models.empty()) models = {ErrorModel::sampled};
  return models;
}

std::vector<MatchRule> rules_of(const Session& session) {
  std::vector<MatchRule> rules;
  for (const std::string& name : split_values(session.args.values("rule"))) {
    const auto rule = parse_match_rule(name);
    if (!rule) throw UsageError(991, "--rule \"" + name + "\" is none of tolerance, budget");
    if (std::find(rules.begin(), rules.end(), *rule) == rules.end()) rules.push_back(*rule);
  }
  if (rules.empty()) rules = {MatchRule::budget};
  return rules;
}

Schedule stage_schedule(const Session& session, TrainingKind kind, const std::string& network,
                        bool brief) {
  Schedule s = usual_schedule(kind, network, brief);
  const std::string prefix(to_string(kind));
  if (const auto v = session.args.integer(prefix + "-epochs", 0, 100000)) {
    // Drops keep their place in the course of the training.
    for (int& drop : s.drops)
      drop = static_cast<int>(
          std::lround(static_cast<double>(drop) * static_cast<double>(*v) / std::max(1, s.epochs)));
    s.epochs = static_cast<int>(*v);
  }
  const double before = s.learning_rate;
  if (const auto v = session.args.number(prefix + "-lr", 0, 1e6)) s.learning_rate = *v;
  if (kind == TrainingKind::search) {
    const double sigma_lr = session.args.number("sigma-lr", 0, 1e6).value_or(before * s.sigma_rate);
    s.sigma_rate = s.learning_rate > 0 ? sigma_lr / s.learning_rate : 0;
  }
  return s;
}

std::size_t natural(const Session& session, const char* option, std::int64_t low,
                    std::size_t fallback) {
  const auto value = session.args.integer(option, low, 1 << 30);
  return value ? static_cast<std::size_t>(*value) : fallback;
}

Json schedule_json(const Schedule& s) {
  return {{"epochs", s.epochs},        {"lr", s.learning_rate},  {"drops", s.drops},
          {"factor", s.factor},        {"momentum", s.momentum}, {"weight_decay", s.weight_decay},
          {"sigma_rate", s.sigma_rate}};
}

// Everything that decides the result; folders and the number of threads do not.
std::string settings_text(const Session& session, const RunPlan& plan) {
  Json j{{"network", session.args.positional(0)},
         {"baseline", schedule_json(plan.baseline)},
         {"quantize", schedule_json(plan.quantize)},
         {"search", schedule_json(plan.search)},
         {"retrain", schedule_json(plan.retrain)},
         {"sigma_max", plan.noise.sigma_max},
         {"sigma_init", plan.noise.sigma_init},
         {"patches", plan.patches},
         {"trace_images", plan.trace_images},
         {"fold_images", plan.fold_images},
         {"norm_images", plan.norm_images},
         {"fold", plan.fold},
         {"max_multipliers", plan.most},
         {"selection_images", plan.selection_images},
         {"greedy_images", plan.greedy_images},
         {"exact_layers", plan.exact_layers},
         {"first_error_model", to_string(plan.models.front())},
         {"first_rule", to_string(plan.rules.front())}};
  if (plan.pessimistic) j["pessimistic"] = true;
  for (const char* name :
       {"data", "weights", "mean", "std", "limit", "test-limit", "batch", "seed", "augment",
        "encoding", "per-channel", "calibrate", "recalibrate", "library", "costs", "model"})
    if (session.args.has(name)) j[name] = session.args.values(name);
  return j.dump();
}

// The settings of the run that the folder holds. Without them its stages may be of any run.
Json held_settings(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    throw InputError(946, {path},
                     why +
                         ", so the options of this run are not known and it cannot be continued; "
                         "put the file back, or start the run anew with --force");
  };
  try {
    Json held = parse_json(read_file(path));
    const Seal found = take_checksum(held);
    if (found == Seal::none) refuse("carries no checksum");
    if (found == Seal::broken) refuse("was changed or damaged: its checksum is wrong");
    return held;
  } catch (const Json::exception& error) {
    refuse(std::string("is damaged: ") + error.what());
  } catch (const InputError& error) {
    if (error.id() == 946) throw;
    refuse(std::string("cannot be read: ") + error.what());
  }
  return {};
}

// Names what differs from the run that the folder holds.
void refuse_other_settings(const std::string& path, const RunPlan& plan) {
  const Json wanted = Json::parse(plan.settings), held = held_settings(path);
  if (held == wanted) return;
  std::string differ;
  const auto show = [](const Json& j, const std::string& key) {
    return j.is_object() && j.contains(key) ? j[key].dump() : std::string("not given");
  };
  for (const auto& [key, value] : wanted.items())
    if (!held.is_object() || !held.contains(key) || held[key] != value)
      differ += "; " + key + ": there " + show(held, key) + ", here " + value.dump();
  if (held.is_object())
    for (const auto& [key, value] : held.items())
      if (!wanted.contains(key))
        differ += "; " + key + ": there " + value.dump() + ", here not given";
  throw UsageError(
      973, path + " is of a run with other options, which --resume cannot continue" + differ);
}

bool is_stage(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return entry.is_directory() && (name == "baseline" || name == "quantized" || name == "control" ||
                                  name.starts_with("lambda-") || name.starts_with("uniform-") ||
                                  name.starts_with("greedy-"));
}

bool has_stages(const std::string& folder) {
  std::error_code error;
  const fs::directory_iterator entries(folder, error);
  return !error && std::any_of(begin(entries), end(entries), is_stage);
}

// What an earlier run left, so that --resume after an interrupted --force finds none of it.
void remove_run(const std::string& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool record = name == "run.json" || name == "run.h5" || name == "report.txt";
    if (!(is_stage(entry) || (record && !entry.is_directory()))) continue;
    std::error_code error;
    fs::remove_all(entry.path(), error);
    if (error)
      throw OutputError(961, entry.path().string() + ": cannot be removed: " + error.message());
  }
}

// Makes the folder and refuses one that holds another run.
void claim_folder(const Session& session, const RunPlan& plan) {
  std::error_code error;
  fs::create_directories(plan.folder, error);
  if (error || !fs::is_directory(plan.folder))
    throw OutputError(961, plan.folder + ": cannot be made a folder: " + error.message());
  const std::string path = plan.folder + "/settings.json";
  const bool known = fs::exists(path);
  if (!known && plan.resume && has_stages(plan.folder))
    throw InputError(946, {path},
                     "is missing, so it is not known which run the stages in this folder are of; "
                     "put it back, or start the run anew with --force");
  if (known || (session.args.has("force") && has_stages(plan.folder))) {
    if (!plan.resume && !session.args.has("force"))
      throw UsageError(962, plan.folder +
                                " holds a run already; continue it with --resume, replace it with "
                                "--force, or choose another folder with --out");
    // Points differ in lambda, error model, rule and baselines only, so a run may grow by these;
    // the first model and rule have points without a suffix, so they stay.
    if (plan.resume)
      refuse_other_settings(path, plan);
    else
      remove_run(plan.folder);
  }
  Json settings = Json::parse(plan.settings);
  add_checksum(settings);
  write_file(path, settings.dump() + "\n", true);
}

RunPlan make_plan(Session& session, Job& job) {
  const auto& args = session.args;
  const bool brief = args.text_or("schedule", "reference") == "short";
  const std::string& network = job.network.architecture;
  RunPlan plan;
  plan.folder = args.text_or("out", "runs/" + today() + "-" + network);
  plan.resume = args.has("resume");
  plan.baseline = stage_schedule(session, TrainingKind::baseline, network, brief);
  plan.quantize = stage_schedule(session, TrainingKind::quantize, network, brief);
  plan.search = stage_schedule(session, TrainingKind::search, network, brief);
  plan.retrain = stage_schedule(session, TrainingKind::retrain, network, brief);
  plan.noise.sigma_max = args.number("sigma-max", -1e9, 1e9).value_or(plan.noise.sigma_max);
  plan.noise.sigma_init = args.number("sigma-init", -1e9, 1e9).value_or(plan.noise.sigma_init);
  plan.lambdas = lambdas_of(session, brief);
  for (const double lambda : plan.lambdas) {
    plan.noise.lambda = lambda;
    check_search_options(plan.noise);
  }
  plan.energies = energies_of(session);
  plan.models = models_of(session);
  plan.rules = rules_of(session);
  plan.patches = natural(session, "patches", 2, plan.patches);
  plan.trace_images = natural(session, "trace-images", 1, plan.trace_images);
  plan.fold_images = natural(session, "fold-images", 1, plan.fold_images);
  plan.norm_images = natural(session, "norm-images", 0, plan.norm_images);
  plan.fold = !args.has("no-fold");
  plan.pessimistic = args.has("pessimistic");
  if (plan.pessimistic && plan.models != std::vector{ErrorModel::sampled})
    throw UsageError(969,
                     "--pessimistic compares the larger σ of the models sampled and "
                     "permutation; leave --error-model at sampled");
  plan.most = natural(session, "max-multipliers", 1, 0);
  plan.greedy_images = natural(session, "greedy-images", 1, plan.greedy_images);
  plan.uniform_names = split_values(args.values("uniform"));
  for (const std::string& name : split_values(args.values("baselines"))) {
    if (name != "uniform" && name != "greedy")
      throw UsageError(978, "--baselines: \"" + name + "\" is none of uniform, greedy");
    (name == "uniform" ? plan.uniform : plan.greedy) = true;
  }
  plan.uniform = plan.uniform || !plan.uniform_names.empty();
  if (plan.lambdas.empty() && plan.energies.empty() && plan.uniform_names.empty())
    throw UsageError(978,
                     "--lambda none needs baselines: --uniform NAMES, or --baselines with "
                     "--energy");
  plan.exact_layers = split_values(args.values("exact-layers"));
  for (const std::string& name : plan.exact_layers)
    if (find_layer(job.network, name) == nullptr)
      throw UsageError(955, "--exact-layers: " + network + " has no layer \"" + name + "\"");
  const std::size_t tests = test_images(session, job).size();
  plan.selection_images = natural(session, "selection", 1, std::max<std::size_t>(1, tests / 5));
  if (plan.selection_images >= tests)
    throw UsageError(979, "--selection " + std::to_string(plan.selection_images) +
                              " leaves none of the " + std::to_string(tests) +
                              " test images for the report");
  plan.checkpoint_minutes = args.number("checkpoint-minutes", 0, 1e9).value_or(10);
  plan.settings = settings_text(session, plan);
  return plan;
}

// --- report --------------------------------------------------------------------------------------

std::string fixed(double value, int digits) {
  if (std::isnan(value)) return "–";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}

std::string signed_points(double fraction) {
  if (std::isnan(fraction)) return "–";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%+.2f", 100 * fraction);
  return buffer;
}

std::string point_table(const RunRecord& record, bool color) {
  cli::TextTable table({"", "point", "model", "rule", "energy", "saved %", "selection pp",
                        "report pp", "± SE", "top-1 %", "σ in interval"},
                       "llllrrrrrrr");
  for (const RunPoint& p : record.points) {
    const IntervalShare share = interval_share(p);
    table.row({p.chosen ? "*" : "", p.name, p.model, p.rule,
               energy_figure(p.energy, record.coverage), saving_figure(p.energy, record.coverage),
               signed_points(p.selection.difference), signed_points(p.report.difference),
               fixed(100 * p.report.standard_error, 2), fixed(100 * p.report.top1, 2),
               std::to_string(share.inside) + "/" + std::to_string(share.of)});
  }
  return table.render(color);
}

std::string layer_table(const RunPoint& point, const Coverage& coverage, bool color) {
  const double ops = coverage.ops_covered + coverage.ops_not_covered;
  cli::TextTable table({"layer", "multiplier", "power", "share of ops", "σ_l", "σ of multiplier",
                        "σ predicted", "σ measured"},
                       "llrrrrrr");
  for (const PointLayer& l : point.layers)
    table.row({l.layer, l.is_exact() ? "exact" : l.multiplier, fixed(l.power_rel, 3),
               cli::percent(l.ops / ops), fixed(l.sigma_l, 3), fixed(l.sigma_compared, 3),
               cli::short_number(l.predicted_sigma), cli::short_number(l.measured_sigma)});
  if (coverage.ops_not_covered > 0)
    table.row({"(in no layer)", "exact", "1.000", cli::percent(coverage.share_not_covered()), "–",
               "–", "–", "–"});
  return table.render(color);
}

std::string report_text(const RunRecord& r, bool color) {
  std::string text;
  if (r.schedule == "short") text += "schedule short: a first look, not the reference\n";
  text += "float " + fixed(100 * r.float_report.top1, 2) + " %, 8 bit " +
          fixed(100 * r.quantized_report.top1, 2) + " % of " +
          std::to_string(r.quantized_report.images) + " test images; points are chosen on " +
          std::to_string(r.quantized_selection.images) +
          " others.\nDifferences are to the 8-bit network, image by image.\n\n";
  text += point_table(r, color);
  if (const std::string share = coverage_sentence(r.coverage); !share.empty())
    text += "energy: " + share + "\n";
  IntervalShare all;
  for (const RunPoint& p : r.points) {
    const IntervalShare share = interval_share(p);
    all.inside += share.inside;
    all.of += share.of;
  }
  if (all.of > 0)
    text += "measured σ within the model's 95 % interval: " + std::to_string(all.inside) + " of " +
            std::to_string(all.of) + " (" +
            cli::percent(static_cast<double>(all.inside) / static_cast<double>(all.of)) + ")\n";
  const auto chosen =
      std::find_if(r.points.begin(), r.points.end(), [](const RunPoint& p) { return p.chosen; });
  if (chosen == r.points.end())
    return text + "no search point loses at most " + signed_points(r.max_loss).substr(1) +
           " pp on the selection images\n";
  text += "\nchosen: " + chosen->name + ", " + signed_points(chosen->report.difference) + " ± " +
          fixed(100 * chosen->report.standard_error, 2) +
          " pp\nmultiplications: " + energy_sentence(chosen->energy, r.coverage) + " (costs " +
          r.cost_source + (r.technology.empty() ? "" : ", " + r.technology) +
          "; sign logic is not counted)\nrise of the loss before retraining: predicted " +
          fixed(chosen->loss_rise, 4) + ", tolerated " + fixed(chosen->loss_budget, 4) + "\n";
  return text + layer_table(*chosen, r.coverage, color);
}

int run_command_body(Session& session) {
  Job job = prepare(session, DataPart::test);
  Run run{session, job, make_plan(session, job), {}, {}, {}, {}};
  run.library = load_library(session, run.record);
  claim_folder(session, run.plan);
  run.record.network = job.network.architecture;
  run.record.data = job.spec.text;
  run.record.weights = job.weights_path;
  run.record.schedule = session.args.text_or("schedule", "reference");
  run.record.command = session.command_line;
  run.record.options_json = run.plan.settings;
  run.record.seed = job.seed;
  run.record.threads = default_threads();
  run.record.sigma_max = run.plan.noise.sigma_max;
  run.record.max_loss = session.args.number("max-loss", 0, 100).value_or(1.0) / 100;
  try {
    prepare_network(run);
    for (const double lambda : run.plan.lambdas) search_points(run, lambda);
    baseline_points(run);
  } catch (const InterruptedError&) {
    session.io.err << (session.io.err_is_tty ? "\r\033[K" : "")
                   << "interrupted; the same command with --out " << run.plan.folder
                   << " --resume continues\n";
    throw;
  }
  write_file(run.plan.folder + "/report.txt", report_text(run.record, false), true);
  session.io.out << report_text(run.record, cli::use_color(session, session.io.out_is_tty))
                 << "record " << run.plan.folder << "/run.json, run.h5\n";
  return 0;
}

std::vector<cli::OptionSpec> run_options() {
  return {
      {"library", "LIB", "Multipliers: HDF5 library, folder, tables or generator texts.",
       "the shipped library", true},
      {"costs", "CSV", "Costs to join by name or sha256 (power_mw or PDK45_PWR_mW …)."},
      {"lambda", "L,…", "What noise is worth in the search, one point each; none: only baselines.",
       "0.1,0.2,0.4; short 0.1,0.3", true},
      {"sigma-max", "X", "Noise beyond this share of a layer's output earns nothing.", "0.5"},
      {"sigma-init", "X", "Noise level at the start.", "0.1"},
      {"error-model", "NAME,…",
       "Error models of the matching, a point each: sampled, permutation, multi-population …",
       "sampled", true},
      {"rule", "RULE,…",
       "Rules of the matching, a point each: tolerance (each layer by itself), budget (all "
       "together, within the same rise of the loss).",
       "budget", true},
      {"pessimistic", "",
       "Match by an upper bound: the larger σ of the models sampled and permutation. For "
       "multipliers that err rarely."},
      {"patches", "N", "Receptive fields traced per layer.", "512"},
      {"trace-images", "N", "Training images that are traced.", "128"},
      {"fold-images", "N", "Training images that measure the errors, and their means.", "128"},
      {"no-fold", "", "Leave the mean errors in."},
      {"norm-images", "N", "Training images that batch-norm statistics are taken anew from.",
       "1024"},
      {"max-multipliers", "N", "At most N distinct multipliers.", "any number"},
      {"exact-layers", "A,B", "Layers that stay exact.", "", true},
      {"baselines", "WHICH", "Compare with uniform and greedy assignments.", "", true},
      {"uniform", "NAME,…", "Multipliers of the uniform baseline.", "near the search's energies",
       true},
      {"energy", "E,…", "Energies of the baselines' points.", "the search's", true},
      {"greedy-images", "N", "Training images that measure the sensitivities.", "256"},
      {"selection", "N", "Evenly spaced test images that points are chosen on; the others report.",
       "a fifth"},
      {"max-loss", "PP", "The chosen point loses at most this on the selection images.", "1"},
      {"schedule",
       "NAME",
       "Epochs and learning rates of all stages.",
       "reference",
       false,
       {"reference", "short"}},
      {"baseline-epochs", "N", "Epochs of the float training (without --weights).",
       "the schedule's"},
      {"baseline-lr", "X", "Its learning rate.", "the schedule's"},
      {"quantize-epochs", "N", "Epochs in 8-bit arithmetic; 0: find activation ranges only.",
       "the schedule's"},
      {"quantize-lr", "X", "Its learning rate.", "the schedule's"},
      {"search-epochs", "N", "Epochs of every search.", "the schedule's"},
      {"search-lr", "X", "Its learning rate of the weights.", "the schedule's"},
      {"sigma-lr", "X", "Its learning rate of the noise levels.", "0.1; short 0.03"},
      {"retrain-epochs", "N", "Epochs on approximate multipliers.", "the schedule's"},
      {"retrain-lr", "X", "Its learning rate.", "the schedule's"},
      {"augment",
       "WHAT",
       "Random changes of training images.",
       "flip+crop for photographs",
       false,
       {"none", "flip", "crop", "flip+crop"}},
      {"checkpoint-minutes", "X", "Time between checkpoints inside an epoch.", "10"},
      {"out", "DIR", "Folder of the run.", "runs/<date>-<network>"},
      {"resume", "", "Go on with the run in --out; finished stages are read back."},
      {"force", "", "Replace a run that --out holds."}};
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
