// Trace files: what the layers of a network see, in HDF5. The layout, and a ten-line Python writer,
// are in src/tables/TRACES.md.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/model/layer_operands.hpp"
#include "axmul/stats/distribution.hpp"
#include "axmul/tables/error_table.hpp"

namespace axmul {

/// A trace file open for reading; layers are read one at a time. Throws InputError that names file,
/// layer and dataset: AX820 no trace file or an unknown major version, AX840 no network or layer of
/// that name (with those there are), AX841 shapes that do not agree, AX842 a value outside the
/// operand type, AX843 a missing or meaningless attribute, AX844 a dataset that is missing or has
/// no rows; AX150-155 from HDF5; AX700 from check_layer().
class AXMUL_API TraceFile {
 public:
  explicit TraceFile(const std::string& path);
  ~TraceFile();
  TraceFile(TraceFile&&) noexcept;
  TraceFile& operator=(TraceFile&&) noexcept;

  /// Whether a file is HDF5 with format "axmul-traces".
  static bool is_one(const std::string& path);

  const std::string& path() const;
  const std::vector<std::string>& networks() const;
  /// Names of a network's layers by ascending layer_index. network "" means the only one.
  std::vector<std::string> layers(const std::string& network = "") const;
  /// One layer, checked: patches and weights lie in the operand type and agree with each other and
  /// with the attributes.
  LayerOperands layer(const std::string& name, const std::string& network = "") const;
  /// Multiplications per image that no layer of the network holds; 0 where the file does not say.
  /// Throws AX843 where it is no number from 0 up.
  double ops_not_covered(const std::string& network = "") const;
  /// Calls of the network that multiply nobody knows how often; absent where the file does not say
  /// whether there are any. Throws AX843 where it is no whole number from 0 up.
  std::optional<std::size_t> calls_not_counted(const std::string& network = "") const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// All layers of a network by ascending layer_index, or only those named, in that order.
AXMUL_API std::vector<LayerOperands> read_traces(const std::string& path,
                                                 const std::string& network = "",
                                                 std::span<const std::string> layers = {});

struct AXMUL_API TraceOptions {
  FileOrigin origin;
  bool force = false;  ///< replace an existing file
  /// Multiplications per image of the network that are in none of its layers.
  double ops_not_covered = 0;
  /// Calls whose multiplications are in neither; absent: unknown, the file does not say.
  std::optional<std::size_t> calls_not_counted{};
};

/// Writes a trace file layer by layer; it appears complete or not at all. Each layer is checked
/// (check_layer) first. Throws InputError AX840 for a name that is empty, repeated or holds "/".
class AXMUL_API TraceWriter {
 public:
  explicit TraceWriter(const std::string& path, TraceOptions options = {});
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;
  void add(const std::string& network, const LayerOperands& layer);
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

AXMUL_API void write_traces(const std::string& path, const std::string& network,
                            std::span<const LayerOperands> layers,
                            const TraceOptions& options = {});

/// For parse_distribution(): reads "trace(FILE,layer=NAME,operand=a|b[,network=NAME])", the
/// distribution of all activations or weights of that layer. Throws UsageError AX845 on syntax,
/// InputError AX846 where the layer's operand is of the other signedness.
AXMUL_API DistributionContext trace_context();

}  // namespace axmul
