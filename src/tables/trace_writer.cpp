// Writes trace files.
#include <algorithm>
#include <cmath>
#include <set>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/tables/traces.hpp"
#include "tables/h5_columns.hpp"
#include "tables/h5_root.hpp"

namespace axmul {

namespace {

constexpr std::uint64_t kOperands = kOperandCount;

// Values of at most some 64 Ki elements a chunk, whole rows of the last axis.
h5::DatasetOptions packed(const h5::Shape& shape) {
  h5::DatasetOptions options;
  options.deflate = true;
  options.chunk = shape;
  std::uint64_t row = shape.back();
  if (shape.size() > 1) {
    std::uint64_t& rows = options.chunk[shape.size() - 2];
    rows = std::clamp<std::uint64_t>((std::uint64_t{1} << 16) / std::max<std::uint64_t>(1, row), 1,
                                     rows);
  }
  if (shape.size() == 3) options.chunk[0] = 1;
  return options;
}

// The datasets of one layer's group.
class LayerWriter {
 public:
  LayerWriter(h5::File& file, std::string group, const LayerOperands& layer)
      : file_(file), group_(std::move(group)), layer_(layer) {}

  void write() {
    file_.create_group(group_);
    write_attributes();
    const std::uint64_t s = layer_.patch_count, k = layer_.fan_in, m = layer_.channels_per_group();
    dimension("patch", s);
    dimension("tap", k);
    dimension("channel", layer_.out_channels);
    if (layer_.groups > 1) {
      dimension("group", layer_.groups);
      dimension("group_channel", m);
    }
    if (layer_.has_patches())
      operands("patches", layer_.patches, a_is_signed(layer_.type), s, k, "patch", "tap",
               "operand values of activations, one receptive field a row");
    if (layer_.has_weights())
      operands("weights", layer_.weights, b_is_signed(layer_.type), k, m, "tap",
               layer_.groups > 1 ? "group_channel" : "channel",
               "operand values of weights, one output channel a column");
    write_histograms();
    if (!layer_.image.empty()) {
      file_.write<std::int32_t>(path("image"), {s}, layer_.image);
      file_.attach_scale(path("image"), 0, path("patch"));
      detail::set_meaning(file_, path("image"), {"1", "source image of each receptive field", ""});
    }
  }

 private:
  std::string path(const std::string& name) const { return group_ + "/" + name; }

  void dimension(const std::string& name, std::uint64_t length) {
    file_.create_plain_dimension(path(name), length);
  }

  void write_attributes() {
    const auto number = [&](const char* name, std::size_t value) {
      file_.set_attribute(group_, name, static_cast<std::int64_t>(value));
    };
    file_.set_attribute(group_, "layer_index", layer_.layer_index);
    file_.set_attribute(group_, "type", std::string(to_string(layer_.type)));
    number("fan_in", layer_.fan_in);
    if (layer_.ops == std::floor(layer_.ops) && layer_.ops < 9e15)
      file_.set_attribute(group_, "ops", static_cast<std::int64_t>(layer_.ops));
    else
      file_.set_attribute(group_, "ops", layer_.ops);
    number("in_channels", layer_.in_channels);
    number("out_channels", layer_.out_channels);
    number("groups", layer_.groups);
    number("kernel_h", layer_.kernel_h);
    number("kernel_w", layer_.kernel_w);
    file_.set_attribute(group_, "tap_order", layer_.tap_order);
    if (!std::isnan(layer_.output_std)) {
      if (has_unequal_scales(layer_))
        file_.set_attribute(group_, "output_std_real", layer_.output_std * acc_scale(layer_));
      else
        file_.set_attribute(group_, "output_std", layer_.output_std);
    }
    file_.set_attribute(group_, "a_zero_point", std::int64_t{layer_.a_zero_point});
    file_.set_attribute(group_, "a_scale", layer_.a_scale);
    if (layer_.b_zero_point.size() == 1) {
      file_.set_attribute(group_, "b_zero_point", std::int64_t{layer_.b_zero_point.front()});
    } else {
      const std::vector<double> points(layer_.b_zero_point.begin(), layer_.b_zero_point.end());
      file_.set_attribute(group_, "b_zero_point", points);
    }
    if (layer_.b_scale.size() == 1)
      file_.set_attribute(group_, "b_scale", layer_.b_scale.front());
    else
      file_.set_attribute(group_, "b_scale", layer_.b_scale);
  }

  // Attaches the scales of a dataset whose first axis is the group where there are several.
  void attach(const std::string& name, const std::string& slow, const std::string& fast) {
    unsigned axis = 0;
    if (layer_.groups > 1) file_.attach_scale(path(name), axis++, path("group"));
    file_.attach_scale(path(name), axis++, path(slow));
    file_.attach_scale(path(name), axis, path(fast));
  }

  h5::Shape shape(std::uint64_t slow, std::uint64_t fast) const {
    return layer_.groups > 1 ? h5::Shape{layer_.groups, slow, fast} : h5::Shape{slow, fast};
  }

  // uint8 or int8, as the operand is: the byte is the value either way.
  void operands(const std::string& name, const std::vector<std::uint8_t>& bytes, bool is_signed,
                std::uint64_t slow, std::uint64_t fast, const std::string& slow_axis,
                const std::string& fast_axis, const char* long_name) {
    const h5::Shape extents = shape(slow, fast);
    if (is_signed) {
      const std::vector<std::int8_t> values(bytes.begin(), bytes.end());
      file_.write<std::int8_t>(path(name), extents, values, packed(extents));
    } else {
      file_.write<std::uint8_t>(path(name), extents, bytes, packed(extents));
    }
    attach(name, slow_axis, fast_axis);
    detail::set_meaning(file_, path(name), {"1", long_name, ""});
  }

  void operand_scale(const std::string& name, int first) {
    std::vector<std::int16_t> values;
    for (int i = 0; i < kOperandCount; ++i) values.push_back(static_cast<std::int16_t>(first + i));
    file_.write<std::int16_t>(path(name), {kOperands}, values);
    file_.make_scale(path(name));
  }

  void write_histograms() {
    if (!layer_.hist_a.empty()) {
      operand_scale("operand_a", a_min(layer_.type));
      const h5::Shape extents = shape(layer_.patch_count, kOperands);
      file_.write<std::uint32_t>(path("hist_a"), extents, layer_.hist_a, packed(extents));
      attach("hist_a", "patch", "operand_a");
      detail::set_meaning(file_, path("hist_a"),
                          {"1", "counts of activation values per receptive field", ""});
    }
    if (layer_.hist_b.empty()) return;
    operand_scale("operand_b", b_min(layer_.type));
    const h5::Shape extents{layer_.out_channels, kOperands};
    file_.write<std::uint32_t>(path("hist_b"), extents, layer_.hist_b, packed(extents));
    file_.attach_scale(path("hist_b"), 0, path("channel"));
    file_.attach_scale(path("hist_b"), 1, path("operand_b"));
    detail::set_meaning(file_, path("hist_b"),
                        {"1", "counts of weight values per output channel", ""});
  }

  h5::File& file_;
  const std::string group_;
  const LayerOperands& layer_;
};

void check_name(const std::string& what, const std::string& name) {
  if (name.empty() || name == "." || name.find('/') != std::string::npos)
    throw InputError(
        840, Place{},
        what + " name \"" + name + "\" cannot be a group of HDF5: not empty, not \".\", no \"/\"");
}

}  // namespace

struct TraceWriter::State {
  State(const std::string& path, const TraceOptions& options)
      : target(path, options.force),
        file(h5::File::create(target.path())),
        ops_not_covered(options.ops_not_covered),
        calls_not_counted(options.calls_not_counted) {
    file.set_display_path(path);
    detail::write_root(file, "axmul-traces", options.origin);
    file.create_group("/traces");
  }
  AtomicFile target;
  h5::File file;
  std::set<std::string> groups;
  double ops_not_covered;
  std::optional<std::size_t> calls_not_counted;
};

TraceWriter::TraceWriter(const std::string& path, TraceOptions options)
    : state_(std::make_unique<State>(path, options)) {}

TraceWriter::~TraceWriter() = default;

void TraceWriter::add(const std::string& network, const LayerOperands& layer) {
  check_name("network", network);
  check_name("layer", layer.name);
  check_layer(layer);
  const std::string group = "/traces/" + network;
  if (state_->groups.insert(group).second) {
    state_->file.create_group(group);
    if (state_->ops_not_covered > 0)
      state_->file.set_attribute(group, "ops_not_covered", state_->ops_not_covered);
    if (state_->calls_not_counted)
      state_->file.set_attribute(group, "calls_not_counted",
                                 static_cast<std::int64_t>(*state_->calls_not_counted));
  }
  if (!state_->groups.insert(group + "/" + layer.name).second)
    throw InputError(840, Place{}, "layer \"" + layer.name + "\" is there twice");
  LayerWriter(state_->file, group + "/" + layer.name, layer).write();
}

void TraceWriter::finish() {
  state_->file.close();
  state_->target.commit();
}

void write_traces(const std::string& path, const std::string& network,
                  std::span<const LayerOperands> layers, const TraceOptions& options) {
  TraceWriter writer(path, options);
  for (const LayerOperands& layer : layers) writer.add(network, layer);
  writer.finish();
}

}  // namespace axmul
