// Which multiplier each layer of a network gets, as a file: JSON, schema axmul.match/1.
#pragma once

#include <string>

#include "axmul/core/api.hpp"
#include "axmul/model/matching.hpp"

namespace axmul {

/// An assignment with what it was chosen by. A file that was written by hand may have the names of
/// layers and multipliers alone: figures are then unknown (NaN), texts empty.
struct AXMUL_API AssignmentFile {
  std::string model, rule;  ///< of the matching; empty where none was made
  bool bias_folding = false, pessimistic = false;
  MatchReport report;  ///< index is kExact throughout: the file knows no library
  /// Which energies were compared (axmul/tables/energy.hpp: EnergyBasis, EnergyScope).
  std::string energy{"published"}, energy_scope{"multiplier"};
};

/// Reads {"schema": "axmul.match/1", "layers": [{"layer", "multiplier", "sha256", …}], …}; "exact"
/// or null is no multiplier, and all but the names of layer and multiplier may be left out. Throws
/// InputError AX954 for another schema and for what is no such file: an entry without a layer or a
/// multiplier, a layer that comes twice, a sha256 that is none, a figure that is no number.
AXMUL_API AssignmentFile read_assignment(const std::string& path);

/// What read_assignment() reads.
AXMUL_API std::string assignment_text(const AssignmentFile& assignment);
/// Writes it, atomically, replacing what is there.
AXMUL_API void write_assignment(const std::string& path, const AssignmentFile& assignment);

}  // namespace axmul
