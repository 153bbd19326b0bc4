// Reads the development traces and tables for the tests of this layer, which stands below the
// trace reader; both are trusted files, so nothing is checked here beyond what io checks.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "axmul/core/lut.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/model/layer_operands.hpp"

namespace axmul::test {

inline std::vector<LayerOperands> load_traces(const std::filesystem::path& path,
                                              const std::string& network) {
  const h5::File file = h5::File::open(path.string());
  std::vector<LayerOperands> layers;
  for (const auto& entry : file.list("/traces/" + network)) {
    const std::string group = "/traces/" + network + "/" + entry.name;
    const auto number = [&](const std::string& name) {
      return *file.attribute_double(group, name);
    };
    const auto count = [&](const std::string& name) {
      return static_cast<std::size_t>(number(name));
    };
    LayerOperands layer;
    layer.name = entry.name;
    layer.layer_index = static_cast<std::int64_t>(number("layer_index"));
    layer.fan_in = count("fan_in");
    layer.ops = number("ops");
    layer.in_channels = count("in_channels");
    layer.out_channels = count("out_channels");
    layer.kernel_h = count("kernel_h");
    layer.kernel_w = count("kernel_w");
    layer.output_std = number("output_std");
    layer.a_zero_point = static_cast<std::int32_t>(number("a_zero_point"));
    layer.b_zero_point = {static_cast<std::int32_t>(number("b_zero_point"))};
    layer.a_scale = number("a_scale");
    layer.b_scale = {number("b_scale")};
    layer.patches = file.read<std::uint8_t>(group + "/patches");
    layer.weights = file.read<std::uint8_t>(group + "/weights");
    layer.image = file.read<std::int32_t>(group + "/image");
    layer.patch_count = layer.image.size();
    layers.push_back(std::move(layer));
  }
  std::sort(layers.begin(), layers.end(), [](const LayerOperands& x, const LayerOperands& y) {
    return x.layer_index < y.layer_index;
  });
  return layers;
}

struct NamedLut {
  std::string name;
  Lut lut;
};

/// All *.bin of a folder but the exact one: 65536 little-endian uint16, first operand slow.
inline std::vector<NamedLut> load_tables(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".bin") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<NamedLut> tables;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    std::vector<std::int32_t> products(kLutSize);
    for (std::int32_t& p : products) {
      const int low = file.get(), high = file.get();
      p = low | high << 8;
    }
    if (!file) throw std::runtime_error("cannot read " + path.string());
    Lut lut(OperandType::u8u8, products);
    if (lut == Lut::exact(OperandType::u8u8)) continue;
    tables.push_back({path.stem().string(), std::move(lut)});
  }
  return tables;
}

}  // namespace axmul::test
