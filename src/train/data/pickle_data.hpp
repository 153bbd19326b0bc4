// Python pickles read as data: nothing that a pickle names is ever looked up, built or called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "train/data/zip_file.hpp"

namespace axmul::train {

/// Index of a value in its Pickle; equal indices are one object.
using PickleRef = std::uint32_t;

enum class PickleKind : std::uint8_t {
  none,
  boolean,     ///< integer: 0 or 1
  integer,     ///< integer
  real,        ///< real
  text,        ///< text, UTF-8
  bytes,       ///< text
  tuple,       ///< items
  list,        ///< items
  dict,        ///< items: key, value, key, value …; integer 1: an OrderedDict
  name,        ///< text: "module name", what a GLOBAL stands for
  call,        ///< items: name, arguments: what Python would call
  object,      ///< items: name, then the state once there is one: an instance of a class
  persistent,  ///< items: the tuple that says where a storage lies
  other        ///< sets and the like, whose content nobody asks for
};

struct PickleValue {
  PickleKind kind = PickleKind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<PickleRef> items;
};

/// What one pickle says. The values form a graph without cycles whose depth is at most
/// kDeepest, so that whoever walks it may recur.
struct Pickle {
  static constexpr std::size_t kMostValues = 4'000'000;
  static constexpr std::size_t kDeepest = 200;

  std::vector<PickleValue> values;
  PickleRef root = 0;

  const PickleValue& at(PickleRef ref) const { return values[ref]; }
  const PickleValue& item(const PickleValue& of, std::size_t i) const {
    return values[of.items[i]];
  }
  /// The text of a name, call or object ("collections OrderedDict"); "" for others.
  const std::string& name_of(const PickleValue& value) const;
};

/// Reads protocols 2 to 5. Throws BadArchive for anything that Python would not write, for values
/// that contain themselves, and beyond the limits above.
Pickle read_pickle(std::span<const std::byte> bytes);

/// The pickle anew, in the opcodes that libtorch reads (protocol 2): the same values, what was one
/// object still one. Throws BadArchive for kinds that a TorchScript archive does not have (bytes,
/// other).
std::vector<std::byte> write_pickle(const Pickle& pickle);

}  // namespace axmul::train
