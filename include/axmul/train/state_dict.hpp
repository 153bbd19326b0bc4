// State dicts: named tensors of a network, in HDF5, safetensors or PyTorch's files. This header
// needs no libtorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace axmul {

enum class ElementType : std::uint8_t { f32, f64, i64 };

/// A tensor as bytes, row-major, in the machine's order.
struct StateTensor {
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;

  std::size_t elements() const;
  static StateTensor from(std::vector<std::int64_t> shape, const std::vector<float>& values);
  static StateTensor from(std::vector<std::int64_t> shape, const std::vector<double>& values);
  static StateTensor from(std::vector<std::int64_t> shape, const std::vector<std::int64_t>& values);
  /// The values whatever the element type.
  std::vector<double> doubles() const;
};

/// PyTorch's names → tensors, and what else is to be remembered, as texts.
struct StateDict {
  std::map<std::string, StateTensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Metadata key of a checksum. Weights that carry one are held to it when they are read.
inline constexpr const char* kChecksum = "checksum";
/// SHA-256 of names, types, shapes, values and metadata, without the checksum itself.
std::string checksum_of(const StateDict& state);

/// Reads .h5/.hdf5 (a dataset per name; groups become dotted prefixes; root attributes become
/// metadata, arrays of numbers as "0.1,0.2"), .safetensors (F16 and BF16 become F32), or .pt/.pth:
/// a TorchScript archive, or a state dict that torch.save() wrote. A leading "module."
/// of all names (DataParallel) is taken off. Throws InputError AX920 (not such a file; for the .pt
/// files that cannot be read it says what to do), AX921 (broken file, one whose checksum is wrong,
/// HDF5 groups nested deeper than 32 or more than 100,000 tensors), and those of
/// axmul/io/h5.hpp. Nothing in a file is run.
StateDict read_state_dict(const std::string& path);

/// Writes atomically, replacing what is there; the extension decides. Throws those of
/// axmul/io/atomic_file.hpp, UsageError AX923 (extension).
void write_state_dict(const StateDict& state, const std::string& path);

/// The bytes of a safetensors file.
std::vector<std::byte> to_safetensors(const StateDict& state);
StateDict from_safetensors(const std::vector<std::byte>& bytes, const std::string& path);

}  // namespace axmul
