// Reads trace files: every size, type and value is checked against the layer's attributes.
#include "axmul/tables/traces.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "axmul/core/errors.hpp"
#include "axmul/core/version.hpp"
#include "axmul/io/h5.hpp"
#include "tables/h5_root.hpp"

namespace axmul {

namespace {

constexpr std::uint64_t kOperands = kOperandCount;

// The group of one layer while it is read.
struct LayerGroup {
  const h5::File& file;
  std::string path;  // "/traces/resnet20/conv1"

  [[noreturn]] void refuse(int id, const std::string& what) const {
    throw InputError(id, Place{file.path()}, path + ": " + what);
  }
  bool has(const std::string& name) const { return file.exists(path + "/" + name); }
  h5::Dataset dataset(const std::string& name) const { return file.dataset(path + "/" + name); }
};

std::vector<double> numbers(const LayerGroup& group, const std::string& name,
                            std::vector<double> fallback) {
  return group.file.attribute_doubles(group.path, name).value_or(std::move(fallback));
}

std::int64_t integer_of(const LayerGroup& group, const std::string& name, double value,
                        std::int64_t least) {
  if (value != std::floor(value) || std::abs(value) > 1e15)
    group.refuse(
        843, "attribute \"" + name + "\" is " + std::to_string(value) + ", it must be an integer");
  const auto integer = static_cast<std::int64_t>(value);
  if (integer < least)
    group.refuse(843, "attribute \"" + name + "\" is " + std::to_string(integer) +
                          ", it must be at least " + std::to_string(least));
  return integer;
}

// An integer attribute, nothing where it is missing.
std::optional<std::int64_t> integer(const LayerGroup& group, const std::string& name,
                                    std::int64_t least) {
  const auto value = group.file.attribute_double(group.path, name);
  if (!value) return std::nullopt;
  return integer_of(group, name, *value, least);
}

std::size_t count(const LayerGroup& group, const std::string& name, std::size_t fallback) {
  const auto value = integer(group, name, 1);
  return value ? static_cast<std::size_t>(*value) : fallback;
}

OperandType type_of(const LayerGroup& group) {
  const auto text = group.file.attribute_text(group.path, "type");
  if (!text)
    group.refuse(843, "attribute \"type\" is missing; it must be \"u8u8\", \"s8s8\" or \"u8s8\"");
  const auto type = parse_operand_type(*text);
  if (!type)
    group.refuse(
        843, "attribute \"type\" is \"" + *text + "\", it must be \"u8u8\", \"s8s8\" or \"u8s8\"");
  return *type;
}

std::string position(std::uint64_t index, const h5::Shape& shape) {
  h5::Shape at(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    at[axis] = index % shape[axis];
    index /= shape[axis];
  }
  return h5::to_string(at);
}

// The bytes of operand values, each checked against the type.
std::vector<std::uint8_t> operand_bytes(const LayerGroup& group, const h5::Dataset& dataset,
                                        bool is_signed) {
  if (dataset.type() == h5::Type::uint8 && !is_signed) return dataset.read<std::uint8_t>();
  const std::int64_t least = is_signed ? -128 : 0, most = least + 255;
  const std::vector<std::int64_t> values = dataset.read<std::int64_t>();
  std::vector<std::uint8_t> bytes(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < least || values[i] > most)
      throw InputError(842, Place{group.file.path()},
                       dataset.path() + ": value " + std::to_string(values[i]) + " at " +
                           position(i, dataset.shape()) + " is outside the operand type (" +
                           std::to_string(least) + " to " + std::to_string(most) + ")");
    bytes[i] = operand_byte(static_cast<int>(values[i]));
  }
  return bytes;
}

std::vector<std::uint32_t> counts(const LayerGroup& group, const h5::Dataset& dataset) {
  const std::vector<std::int64_t> values = dataset.read<std::int64_t>();
  std::vector<std::uint32_t> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 || values[i] > std::int64_t{UINT32_MAX})
      throw InputError(842, Place{group.file.path()},
                       dataset.path() + ": count " + std::to_string(values[i]) + " at " +
                           position(i, dataset.shape()) + " must be from 0 to 2^32 - 1");
    result[i] = static_cast<std::uint32_t>(values[i]);
  }
  return result;
}

[[noreturn]] void wrong_shape(const LayerGroup& group, const h5::Dataset& dataset,
                              const std::string& wanted) {
  throw InputError(
      841, Place{group.file.path()},
      dataset.path() + ": has shape " + h5::to_string(dataset.shape()) + ", it must be " + wanted);
}

// Extents without the group axis, which is there exactly when groups > 1 (or is 1).
h5::Shape without_groups(const LayerGroup& group, const h5::Dataset& dataset, std::size_t groups,
                         const std::string& axes) {
  h5::Shape shape = dataset.shape();
  if (shape.size() == 3 && shape[0] == groups)
    shape.erase(shape.begin());
  else if (groups > 1 || shape.size() != 2)
    wrong_shape(group, dataset,
                groups > 1 ? "[" + std::to_string(groups) + ", " + axes +
                                 "] with attribute groups = " + std::to_string(groups)
                           : "[" + axes + "]");
  return shape;
}

void read_activations(const LayerGroup& group, LayerOperands& layer) {
  const bool has_patches = group.has("patches"), has_hist = group.has("hist_a");
  if (!has_patches && !has_hist)
    group.refuse(844, "has neither dataset \"patches\" nor \"hist_a\"");
  if (has_patches) {
    const h5::Dataset patches = group.dataset("patches");
    const h5::Shape shape = without_groups(group, patches, layer.groups, "S, K");
    if (shape[0] == 0) group.refuse(844, "dataset \"patches\" has zero receptive fields");
    if (shape[1] == 0) wrong_shape(group, patches, "[S, K] with K of at least 1");
    if (layer.fan_in != 0 && shape[1] != layer.fan_in)
      wrong_shape(group, patches,
                  "[S, " + std::to_string(layer.fan_in) + "]: attribute fan_in is " +
                      std::to_string(layer.fan_in));
    layer.fan_in = static_cast<std::size_t>(shape[1]);
    layer.patch_count = static_cast<std::size_t>(shape[0]);
    layer.patches = operand_bytes(group, patches, a_is_signed(layer.type));
  }
  if (has_hist) {
    const h5::Dataset hist = group.dataset("hist_a");
    const h5::Shape shape = without_groups(group, hist, layer.groups, "S, 256");
    if (shape[0] == 0) group.refuse(844, "dataset \"hist_a\" has zero receptive fields");
    if (shape[1] != kOperands) wrong_shape(group, hist, "[S, 256]");
    if (has_patches && shape[0] != layer.patch_count)
      wrong_shape(group, hist,
                  "[" + std::to_string(layer.patch_count) + ", 256] as \"patches\" has " +
                      std::to_string(layer.patch_count) + " receptive fields");
    layer.patch_count = static_cast<std::size_t>(shape[0]);
    layer.hist_a = counts(group, hist);
  }
}

void read_weights(const LayerGroup& group, LayerOperands& layer) {
  const bool has_weights = group.has("weights"), has_hist = group.has("hist_b");
  if (!has_weights && !has_hist)
    group.refuse(844, "has neither dataset \"weights\" nor \"hist_b\"");
  if (has_weights) {
    const h5::Dataset weights = group.dataset("weights");
    const h5::Shape shape = without_groups(group, weights, layer.groups, "K, M");
    if (layer.fan_in != 0 && shape[0] != layer.fan_in)
      wrong_shape(group, weights,
                  "[" + std::to_string(layer.fan_in) + ", M] as the fan-in K is " +
                      std::to_string(layer.fan_in));
    const std::uint64_t channels = shape[1] * layer.groups;
    if (channels == 0 || shape[0] == 0) group.refuse(844, "dataset \"weights\" is empty");
    if (layer.out_channels != 0 && channels != layer.out_channels)
      wrong_shape(group, weights,
                  "[K, M] for the " + std::to_string(layer.out_channels) +
                      " channels of attribute out_channels");
    layer.fan_in = static_cast<std::size_t>(shape[0]);
    layer.out_channels = static_cast<std::size_t>(channels);
    layer.weights = operand_bytes(group, weights, b_is_signed(layer.type));
  }
  if (has_hist) {
    const h5::Dataset hist = group.dataset("hist_b");
    const h5::Shape shape = hist.shape();
    if (shape.size() != 2 || shape[1] != kOperands ||
        (layer.out_channels != 0 && shape[0] != layer.out_channels))
      wrong_shape(group, hist,
                  layer.out_channels == 0 ? "[M, 256]"
                                          : "[" + std::to_string(layer.out_channels) + ", 256]");
    if (shape[0] == 0) group.refuse(844, "dataset \"hist_b\" is empty");
    layer.out_channels = static_cast<std::size_t>(shape[0]);
    layer.hist_b = counts(group, hist);
  }
}

// Without patches and weights fan_in may come from the histograms: every row sums to it.
void settle_fan_in(const LayerGroup& group, LayerOperands& layer) {
  if (layer.fan_in != 0) return;
  if (layer.hist_a.empty()) group.refuse(843, "attribute \"fan_in\" is missing");
  std::uint64_t sum = 0;
  for (std::size_t v = 0; v < kOperandCount; ++v) sum += layer.hist_a[v];
  layer.fan_in = static_cast<std::size_t>(sum);
}

void read_quantisation(const LayerGroup& group, LayerOperands& layer) {
  layer.a_zero_point = static_cast<std::int32_t>(std::clamp<std::int64_t>(
      integer(group, "a_zero_point", -1000000).value_or(0), -1000000, 1000000));
  layer.b_zero_point.clear();
  for (const double value : numbers(group, "b_zero_point", {0}))
    layer.b_zero_point.push_back(static_cast<std::int32_t>(
        std::min<std::int64_t>(integer_of(group, "b_zero_point", value, -1000000), 1000000)));
  layer.a_scale = group.file.attribute_double(group.path, "a_scale").value_or(1);
  layer.b_scale = numbers(group, "b_scale", {1});
}

// output_std is of the integer sums: of the real outputs it tells only where all channels have one
// scale. output_std_real is of the real outputs.
void read_output_std(const LayerGroup& group, LayerOperands& layer) {
  const auto sums = group.file.attribute_double(group.path, "output_std");
  const auto real = group.file.attribute_double(group.path, "output_std_real");
  if (sums && !has_unequal_scales(layer)) layer.output_std = *sums;
  if (!real) return;
  const double from_real = *real / acc_scale(layer);
  if (std::abs(layer.output_std - from_real) > 1e-6 * from_real)
    group.refuse(843, "attribute \"output_std_real\" is " + std::to_string(*real) +
                          ", but output_std * a_scale * b_scale is " +
                          std::to_string(layer.output_std * acc_scale(layer)) +
                          "; leave one of them out");
  if (std::isnan(layer.output_std)) layer.output_std = from_real;
}

// The kernel's shape must give the fan-in, wherever the file states enough of it.
void check_kernel(const LayerGroup& group, const LayerOperands& layer) {
  const auto h = integer(group, "kernel_h", 1), w = integer(group, "kernel_w", 1),
             c = integer(group, "in_channels", 1);
  if (!h || !w || !c) return;
  const auto fan_in = static_cast<std::int64_t>(layer.fan_in);
  const auto groups = static_cast<std::int64_t>(layer.groups);
  if (*c % groups != 0)
    group.refuse(841, "attribute \"in_channels\" is " + std::to_string(*c) +
                          ", groups = " + std::to_string(groups) + " must divide it");
  const double product =
      static_cast<double>(*h) * static_cast<double>(*w) * static_cast<double>(*c / groups);
  if (product != static_cast<double>(fan_in))
    group.refuse(841, "kernel_h * kernel_w * in_channels / groups = " + std::to_string(*h) + " * " +
                          std::to_string(*w) + " * " + std::to_string(*c) + " / " +
                          std::to_string(groups) +
                          " is not the fan-in K = " + std::to_string(fan_in));
}

void read_image(const LayerGroup& group, LayerOperands& layer) {
  if (!group.has("image")) return;
  const h5::Dataset image = group.dataset("image");
  if (image.shape() != h5::Shape{layer.patch_count})
    wrong_shape(group, image,
                "[" + std::to_string(layer.patch_count) + "], one entry per receptive field");
  for (const std::int64_t index : image.read<std::int64_t>()) {
    if (index < 0 || index > INT32_MAX)
      throw InputError(
          842, Place{group.file.path()},
          image.path() + ": image " + std::to_string(index) + " is no index of an image");
    layer.image.push_back(static_cast<std::int32_t>(index));
  }
}

LayerOperands read_layer(const LayerGroup& group, const std::string& name) {
  LayerOperands layer;
  layer.name = name;
  layer.type = type_of(group);
  layer.layer_index = integer(group, "layer_index", 0).value_or(0);
  layer.fan_in = count(group, "fan_in", 0);
  layer.out_channels = count(group, "out_channels", 0);
  layer.groups = count(group, "groups", 1);
  layer.kernel_h = count(group, "kernel_h", 1);
  layer.kernel_w = count(group, "kernel_w", 1);
  layer.ops = group.file.attribute_double(group.path, "ops").value_or(0);
  const std::string order = group.file.attribute_text(group.path, "tap_order").value_or("c,kh,kw");
  if (order != "c,kh,kw")
    group.refuse(843, "attribute \"tap_order\" is \"" + order + "\", it must be \"c,kh,kw\"");
  read_quantisation(group, layer);
  read_activations(group, layer);
  read_weights(group, layer);
  settle_fan_in(group, layer);
  check_kernel(group, layer);
  layer.in_channels = count(
      group, "in_channels",
      std::max<std::size_t>(1, layer.fan_in * layer.groups / (layer.kernel_h * layer.kernel_w)));
  read_image(group, layer);
  check_layer(layer, group.file.path());
  read_output_std(group, layer);
  check_layer(layer, group.file.path());
  return layer;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 12); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > 12 ? text + ", …" : text;
}

}  // namespace

struct TraceFile::State {
  h5::File file;
  std::vector<std::string> networks;

  std::string network(const std::string& wanted) const {
    if (wanted.empty() && networks.size() == 1) return networks.front();
    if (std::ranges::count(networks, wanted) > 0) return wanted;
    throw InputError(840, Place{file.path()},
                     wanted.empty()
                         ? "holds several networks (" + joined(networks) + "); name one"
                         : "no network \"" + wanted + "\"; there is " + joined(networks));
  }
};

TraceFile::TraceFile(const std::string& path)
    : state_(std::make_unique<State>(State{h5::File::open(path), {}})) {
  detail::check_root(state_->file, {"axmul-traces"});
  if (state_->file.is_group("/traces"))
    for (const h5::Entry& entry : state_->file.list("/traces"))
      if (entry.kind == h5::Kind::group) state_->networks.push_back(entry.name);
  if (state_->networks.empty())
    throw InputError(840, Place{path}, "holds no network: no group below /traces");
}

TraceFile::~TraceFile() = default;
TraceFile::TraceFile(TraceFile&&) noexcept = default;
TraceFile& TraceFile::operator=(TraceFile&&) noexcept = default;

bool TraceFile::is_one(const std::string& path) {
  if (!h5::File::is_hdf5(path)) return false;
  try {
    return h5::File::open(path).attribute_text("/", "format") == "axmul-traces";
  } catch (const InputError&) {
    return false;
  }
}

const std::string& TraceFile::path() const { return state_->file.path(); }
const std::vector<std::string>& TraceFile::networks() const { return state_->networks; }

double TraceFile::ops_not_covered(const std::string& network) const {
  const std::string group = "/traces/" + state_->network(network);
  const double ops = state_->file.attribute_double(group, "ops_not_covered").value_or(0);
  if (!(ops >= 0) || !std::isfinite(ops))
    throw InputError(843, Place{path()},
                     group + ": attribute \"ops_not_covered\" is no number from 0 up");
  return ops;
}

std::optional<std::size_t> TraceFile::calls_not_counted(const std::string& network) const {
  const std::string group = "/traces/" + state_->network(network);
  const auto calls = state_->file.attribute_double(group, "calls_not_counted");
  if (!calls) return std::nullopt;
  if (!(*calls >= 0) || *calls > 1e9 || *calls != std::floor(*calls))
    throw InputError(843, Place{path()},
                     group + ": attribute \"calls_not_counted\" is no whole number from 0 up");
  return static_cast<std::size_t>(*calls);
}

std::vector<std::string> TraceFile::layers(const std::string& network) const {
  const std::string group = "/traces/" + state_->network(network);
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (const h5::Entry& entry : state_->file.list(group)) {
    if (entry.kind != h5::Kind::group) continue;
    const LayerGroup layer{state_->file, group + "/" + entry.name};
    found.emplace_back(integer(layer, "layer_index", 0).value_or(0), entry.name);
  }
  if (found.empty()) throw InputError(840, Place{path()}, group + ": holds no layers");
  std::ranges::stable_sort(found, {}, &std::pair<std::int64_t, std::string>::first);
  std::vector<std::string> names;
  for (auto& [index, name] : found) names.push_back(std::move(name));
  return names;
}

LayerOperands TraceFile::layer(const std::string& name, const std::string& network) const {
  const std::string group = "/traces/" + state_->network(network);
  if (name.empty() || name.find('/') != std::string::npos ||
      !state_->file.is_group(group + "/" + name))
    throw InputError(840, Place{path()},
                     group + ": no layer \"" + name + "\"; there are " + joined(layers(network)));
  return read_layer({state_->file, group + "/" + name}, name);
}

std::vector<LayerOperands> read_traces(const std::string& path, const std::string& network,
                                       std::span<const std::string> layers) {
  const TraceFile file(path);
  const std::vector<std::string> names =
      layers.empty() ? file.layers(network) : std::vector(layers.begin(), layers.end());
  std::vector<LayerOperands> result;
  for (const std::string& name : names) result.push_back(file.layer(name, network));
  return result;
}

namespace {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

struct TraceArguments {
  std::string file, layer, network, operand;
};

TraceArguments parse_arguments(std::string_view arguments) {
  TraceArguments parsed;
  const std::string whole(arguments);
  for (std::size_t at = 0, part = 0; at <= arguments.size(); ++part) {
    const std::size_t end = std::min(arguments.find(',', at), arguments.size());
    const std::string text = trimmed(arguments.substr(at, end - at));
    at = end + 1;
    const std::size_t equals = text.find('=');
    const std::string key = part == 0 ? "" : trimmed(text.substr(0, equals));
    const std::string value =
        part == 0 || equals == std::string::npos ? text : trimmed(text.substr(equals + 1));
    if (part == 0)
      parsed.file = value;
    else if (key == "layer")
      parsed.layer = value;
    else if (key == "network")
      parsed.network = value;
    else if (key == "operand")
      parsed.operand = value;
    else
      throw UsageError(845, "trace(" + whole + "): unknown part \"" + text +
                                "\"; write trace(FILE,layer=NAME,operand=a|b)");
  }
  if (parsed.file.empty() || parsed.layer.empty() ||
      (parsed.operand != "a" && parsed.operand != "b"))
    throw UsageError(845, "trace(" + whole +
                              "): needs a file, layer=NAME and operand=a or operand=b, as in "
                              "trace(resnet20.h5,layer=conv1,operand=a)");
  return parsed;
}

std::array<double, kOperandCount> operand_counts(const LayerOperands& layer, bool is_a) {
  std::array<double, kOperandCount> sums{};
  const auto& bytes = is_a ? layer.patches : layer.weights;
  const auto& hist = is_a ? layer.hist_a : layer.hist_b;
  const bool is_signed = is_a ? a_is_signed(layer.type) : b_is_signed(layer.type);
  for (const std::uint8_t byte : bytes) ++sums[operand_index(byte, is_signed)];
  if (bytes.empty())
    for (std::size_t i = 0; i < hist.size(); ++i) sums[i % kOperandCount] += hist[i];
  return sums;
}

}  // namespace

DistributionContext trace_context() {
  DistributionContext context;
  context.trace_reader = [](std::string_view arguments, bool is_signed) {
    const TraceArguments wanted = parse_arguments(arguments);
    const LayerOperands layer = TraceFile(wanted.file).layer(wanted.layer, wanted.network);
    const bool is_a = wanted.operand == "a";
    const bool has_sign = is_a ? a_is_signed(layer.type) : b_is_signed(layer.type);
    if (has_sign != is_signed)
      throw InputError(846, Place{wanted.file},
                       "layer \"" + wanted.layer + "\": operand " + wanted.operand + " is " +
                           (has_sign ? "signed" : "unsigned") + ", the multiplier's is " +
                           (is_signed ? "signed" : "unsigned"));
    std::string text = "trace(" + stored_path(wanted.file) + ",layer=" + wanted.layer;
    if (!wanted.network.empty()) text += ",network=" + wanted.network;
    text += ",operand=" + wanted.operand + ")";
    return distribution_from_counts(text, is_signed, operand_counts(layer, is_a));
  };
  return context;
}

}  // namespace axmul
