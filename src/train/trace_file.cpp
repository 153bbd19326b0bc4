// Trace files: patches and weights as operand values, int8 or uint8 by the layer's type.
#include "train/trace_file.hpp"

#include <cstdlib>
#include <ctime>

#include "axmul/core/version.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/h5.hpp"

namespace axmul::detail {
namespace {

// "<UTC> <command line>"; the date of SOURCE_DATE_EPOCH where that is set.
std::string history(const std::string& command) {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  const bool fixed = epoch != nullptr && *epoch != '\0';
  const std::time_t when = fixed ? static_cast<std::time_t>(std::atoll(epoch)) : std::time(nullptr);
  std::tm parts{};
  gmtime_r(&when, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text) + " " + (fixed ? "axmul train trace" : command);
}

void write_bytes(h5::File& file, const std::string& path, const h5::Shape& shape,
                 const std::vector<std::uint8_t>& bytes, bool is_signed) {
  h5::DatasetOptions options;
  options.chunk = shape;
  options.deflate = true;
  if (is_signed) {
    std::vector<std::int8_t> values(bytes.begin(), bytes.end());
    file.write<std::int8_t>(path, shape, values, options);
  } else {
    file.write<std::uint8_t>(path, shape, bytes, options);
  }
}

void write_attributes(h5::File& file, const std::string& group, const LayerOperands& o) {
  const auto set = [&](const char* name, std::size_t value) {
    file.set_attribute(group, name, static_cast<std::int64_t>(value));
  };
  file.set_attribute(group, "layer_index", o.layer_index);
  file.set_attribute(group, "type", std::string(to_string(o.type)));
  set("fan_in", o.fan_in);
  file.set_attribute(group, "ops", static_cast<std::int64_t>(o.ops));
  set("in_channels", o.in_channels);
  set("out_channels", o.out_channels);
  set("groups", o.groups);
  set("kernel_h", o.kernel_h);
  set("kernel_w", o.kernel_w);
  file.set_attribute(group, "tap_order", o.tap_order);
  file.set_attribute(group, "output_std", o.output_std);
  file.set_attribute(group, "a_zero_point", static_cast<std::int64_t>(o.a_zero_point));
  file.set_attribute(group, "b_zero_point", static_cast<std::int64_t>(o.b_zero_point.front()));
  file.set_attribute(group, "a_scale", o.a_scale);
  if (o.b_scale.size() == 1)
    file.set_attribute(group, "b_scale", o.b_scale.front());
  else
    file.set_attribute(group, "b_scale", std::span<const double>(o.b_scale));
}

void write_layer(h5::File& file, const std::string& group, const LayerOperands& o) {
  file.create_group(group);
  write_attributes(file, group, o);
  h5::Shape patches = {o.patch_count, o.fan_in}, weights = {o.fan_in, o.channels_per_group()};
  if (o.groups > 1) {
    patches.insert(patches.begin(), o.groups);
    weights.insert(weights.begin(), o.groups);
  }
  file.write<std::int32_t>(group + "/image", {o.image.size()}, o.image);
  write_bytes(file, group + "/patches", patches, o.patches, a_is_signed(o.type));
  write_bytes(file, group + "/weights", weights, o.weights, b_is_signed(o.type));
  file.make_scale(group + "/image");
  file.create_plain_dimension(group + "/tap", o.fan_in);
  file.create_plain_dimension(group + "/channel", o.channels_per_group());
  const unsigned first = o.groups > 1 ? 1 : 0;
  if (o.groups > 1) {
    file.create_plain_dimension(group + "/group", o.groups);
    file.attach_scale(group + "/patches", 0, group + "/group");
    file.attach_scale(group + "/weights", 0, group + "/group");
  }
  file.attach_scale(group + "/patches", first, group + "/image");
  file.attach_scale(group + "/patches", first + 1, group + "/tap");
  file.attach_scale(group + "/weights", first, group + "/tap");
  file.attach_scale(group + "/weights", first + 1, group + "/channel");
}

}  // namespace

void write_trace_file(const std::string& path, const std::string& network,
                      std::span<const LayerOperands> layers, const std::string& command,
                      bool force) {
  AtomicFile target(path, force);
  h5::File file = h5::File::create(target.path());
  file.set_display_path(path);
  file.set_attribute("/", "format", "axmul-traces");
  file.set_attribute("/", "format_version", "1.0");
  file.set_attribute("/", "title", "Operands of the layers of " + network);
  file.set_attribute("/", "source", source_text());
  file.set_attribute("/", "history", history(command));
  file.create_group("/traces");
  file.create_group("/traces/" + network);
  for (const LayerOperands& layer : layers)
    write_layer(file, "/traces/" + network + "/" + layer.name, layer);
  file.close();
  target.commit();
}

}  // namespace axmul::detail
