// Stages of a run: every one resets the network to what it starts from, so that skipping finished
// stages changes nothing.
#include "train/flow/run_stages.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "axmul/core/errors.hpp"
#include "axmul/core/sha256.hpp"
#include "axmul/io/atomic_file.hpp"
#include "io/json.hpp"
#include "train/torch_types.hpp"

namespace axmul::train {
namespace {

namespace fs = std::filesystem;

// Whether test image i is for choosing: `count` of `size`, evenly spaced, so that data ordered by
// class gives all classes.
bool is_selection(std::size_t i, std::size_t size, std::size_t count) {
  return (i + 1) * count / size != i * count / size;
}

EvaluationReport part_of(const EvaluationReport& all, std::size_t count, bool selection) {
  EvaluationReport part;
  for (std::size_t i = 0; i < all.labels.size(); ++i)
    if (is_selection(i, all.labels.size(), count) == selection) {
      part.labels.push_back(all.labels[i]);
      part.predicted.push_back(all.predicted[i]);
    }
  return part;
}

double share_right(const EvaluationReport& r) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < r.labels.size(); ++i) right += r.labels[i] == r.predicted[i];
  return static_cast<double>(right) / std::max(1.0, static_cast<double>(r.labels.size()));
}

// Without `reference` the figures of a difference stay unknown.
Accuracy accuracy_of(const EvaluationReport& part, const EvaluationReport* reference) {
  Accuracy a;
  a.images = part.labels.size();
  a.top1 = share_right(part);
  if (reference == nullptr) return a;
  const PairedComparison compared = compare_predictions(part, *reference);
  a.difference = compared.difference;
  a.standard_error = compared.standard_error;
  a.p_value = compared.p_value;
  return a;
}

// get() would also make 1 of 1.5.
std::vector<std::int32_t> classes_from(const Json& list) {
  for (const Json& value : list)
    if (!value.is_number_integer())
      throw Json::other_error::create(501, "a class is no whole number", nullptr);
  return list.get<std::vector<std::int32_t>>();
}

// The evaluation that an earlier call stored; nothing where the network has another state by now.
std::optional<EvaluationReport> stored_evaluation(const Run& run, const std::string& path,
                                                  const std::string& name, const ImageSet& images,
                                                  const std::string& state) {
  const Json j = unseal(path, stage_id(run, name));
  return reading_stage_file(path, [&]() -> std::optional<EvaluationReport> {
    EvaluationReport report;
    report.labels = classes_from(j.at("labels"));
    report.predicted = classes_from(j.at("evaluations").at(0).at("predicted"));
    report.images = report.labels.size();
    if (report.labels != images.labels)
      refuse_stage_file(path, "it is of other test images than --data has now");
    const int classes = run.job.network.options.classes;
    if (report.predicted.size() != report.labels.size() ||
        std::any_of(report.predicted.begin(), report.predicted.end(),
                    [&](std::int32_t p) { return p < 0 || p >= classes; }))
      refuse_stage_file(path, "its predictions are not one class for each image");
    report.top1 = share_right(report);
    if (j.at("state").get<std::string>() != state) return std::nullopt;
    return report;
  });
}

std::vector<EpochRecord> stored_epochs(const std::string& path, const StageId& id, int count,
                                       const Network& net) {
  const Json j = unseal(path, id);
  return reading_stage_file(path, [&] {
    auto epochs = epochs_from_json(j, path);
    if (epochs.size() != static_cast<std::size_t>(count))
      refuse_stage_file(path, "it has " + std::to_string(epochs.size()) + " epochs, not " +
                                  std::to_string(count));
    for (const EpochRecord& e : epochs)
      if (!e.sigma_l.empty() && e.sigma_l.size() != net.layers.size())
        refuse_stage_file(path, "its noise levels are of another network");
    return epochs;
  });
}

}  // namespace

StageId stage_id(const Run& run, const std::string& stage) {
  Sha256 sum;
  sum.update(std::string_view(run.settings));
  return {sum.hex(), stage};
}

std::string make_folder(const Run& run, const std::string& name) {
  std::string path = run.plan.folder + "/" + name;
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw OutputError(961, path + ": cannot be made a folder: " + error.message());
  return path;
}

void reset_network(Run& run, const StateDict& state) {
  Network& net = run.job.network;
  for (const auto& layer : net.layers) {
    layer->mean_acc.clear();
    layer->mean_acc_of.clear();
    layer->multiplier = nullptr;
    layer->table.reset();
    layer->mode = LayerMode::quantized;
  }
  for (std::size_t i = 0; i < net.layers.size(); ++i)
    net.layers[i]->noise_stream = static_cast<std::uint64_t>(i) << 40;
  net.step = 0;
  load_state(net, state, "state of the run");
}

std::vector<EpochRecord> train_stage(Run& run, const std::string& name, const Schedule& schedule,
                                     const std::function<at::Tensor(const Network&)>& extra) {
  const std::string folder = make_folder(run, name);
  const std::string weights = folder + "/weights.h5", history = folder + "/epochs.json";
  Network& net = run.job.network;
  if (run.plan.resume && fs::exists(weights) && fs::exists(history)) {
    run.events.status(name + ": done already");
    const StateDict state = unseal_weights(weights, stage_id(run, name));
    const auto epochs = stored_epochs(history, stage_id(run, name), schedule.epochs, net);
    reading_stage_file(weights, [&] { load_state(net, state, weights); });
    run.events.finished(name);
    return epochs;
  }
  run.events.status(name + ":");
  run.events.training(name, schedule);
  TrainOptions options;
  options.schedule = schedule;
  options.batch = run.plan.job.batch;
  options.augmentation = chosen_augmentation(run.job);
  options.seed = run.plan.job.seed;
  options.checkpoint = folder + "/checkpoint.safetensors";
  options.checkpoint_minutes = run.plan.checkpoint_minutes;
  options.resume = run.plan.resume;
  options.settings = run.settings + " " + name;
  options.extra_loss = extra;
  options.on_epoch = [&](const EpochRecord& r) { run.events.epoch(r); };
  options.on_step = [&](const StepRecord& r) { run.events.step(r); };
  const TrainReport report =
      train_network(net, train_images(run.job), nullptr, run.job.normalisation, options);
  StateDict state = state_of(net);
  describe_weights(run.job, state);
  seal(state, stage_id(run, name));
  write_state_dict(state, weights);
  write_file(history, seal(epochs_to_json(report.epochs), stage_id(run, name)), true);
  std::error_code ignored;
  fs::remove(options.checkpoint, ignored);
  run.events.finished(name);
  return report.epochs;
}

EvaluationReport evaluate_all(Run& run, const std::string& name) {
  const std::string path = make_folder(run, name) + "/evaluation.json";
  const ImageSet& images = test_images(run.job);
  const std::string state = checksum_of(state_of(run.job.network));
  if (run.plan.resume && fs::exists(path))
    if (auto report = stored_evaluation(run, path, name, images, state)) {
      // A forward pass sets what depends on the data's size.
      for_each_batch(images, 1, 1, run.job.normalisation, [&](const at::Tensor& x, std::size_t) {
        const at::NoGradGuard guard;
        run.job.network.training = false;
        forward(run.job.network, x);
      });
      return *report;
    }
  const Progress progress = run.events.progress(name + ": test");
  EvaluationReport report =
      evaluate(run.job.network, images, run.job.normalisation, run.plan.job.batch, progress);
  Json j{{"schema", "axmul.evaluation/1"}, {"labels", report.labels}, {"state", state}};
  j["evaluations"].push_back(
      Json{{"name", name}, {"top1", report.top1}, {"predicted", report.predicted}});
  write_file(path, seal(std::move(j), stage_id(run, name)), true);
  return report;
}

Accuracy accuracy_on(const Run& run, const EvaluationReport& all, bool selection, bool compared) {
  const std::size_t count = run.plan.selection_images;
  const EvaluationReport reference = part_of(run.reference, count, selection);
  return accuracy_of(part_of(all, count, selection), compared ? &reference : nullptr);
}

Accuracy selection_accuracy(Run& run) {
  const ImageSet& all = test_images(run.job);
  std::vector<std::uint32_t> indices;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (is_selection(i, all.size(), run.plan.selection_images))
      indices.push_back(static_cast<std::uint32_t>(i));
  const EvaluationReport report = evaluate(run.job.network, select_images(all, indices),
                                           run.job.normalisation, run.plan.job.batch);
  const EvaluationReport reference = part_of(run.reference, run.plan.selection_images, true);
  return accuracy_of(report, &reference);
}

void prepare_network(Run& run) {
  Network& net = run.job.network;
  if (!has_weights(run.job)) {
    set_mode(net, LayerMode::float32);
    run.record.baseline_epochs = train_stage(run, "baseline", *run.plan.baseline);
  } else {
    set_mode(net, LayerMode::float32);
  }
  const EvaluationReport in_float = evaluate_all(run, "baseline");
  run.reference = in_float;
  run.record.float_report = accuracy_on(run, in_float, false, false);
  quantize_network(run.job);
  for (const auto& layer : net.layers) layer->observe = true;
  run.record.quantize_epochs = train_stage(run, "quantized", *run.plan.quantize);
  for (const auto& layer : net.layers) layer->observe = false;
  run.reference = evaluate_all(run, "quantized");
  run.record.quantized_selection = accuracy_on(run, run.reference, true, false);
  run.record.quantized_report = accuracy_on(run, run.reference, false, false);
  run.record.encoding = to_string(net.layers.front()->encoding);
  run.start = state_of(net);
  for (const auto& layer : net.layers) run.record.layer_names.push_back(layer->name);
}

void write_record(const Run& run) {
  write_file(run.plan.folder + "/run.json", to_json(run.record), true);
  write_run_h5(run.plan.folder + "/run.h5", run.record);
}

}  // namespace axmul::train
