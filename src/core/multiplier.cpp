// Distinct names for distinct functions.
#include "axmul/core/multiplier.hpp"

#include <set>

namespace axmul {

std::vector<std::string> make_names_unique(std::vector<Multiplier>& multipliers) {
  std::map<std::string, std::set<std::string>> functions;
  std::vector<std::string> hashes;
  hashes.reserve(multipliers.size());
  std::set<std::string> repeated;
  {
    std::set<std::string> seen;
    for (const Multiplier& m : multipliers)
      if (!seen.insert(m.name).second) repeated.insert(m.name);
  }
  for (const Multiplier& m : multipliers) {
    hashes.push_back(repeated.contains(m.name) ? m.lut.sha256() : std::string());
    functions[m.name].insert(hashes.back());
  }
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < multipliers.size(); ++i) {
    Multiplier& m = multipliers[i];
    if (functions.at(m.name).size() < 2) continue;
    const std::string renamed = m.name + "@" + hashes[i].substr(0, 8);
    warnings.push_back(
        "two functions are named " + m.name + "; the one of " +
        (m.provenance.source_file.empty() ? "a generator" : m.provenance.source_file) +
        " is called " + renamed);
    m.name = renamed;
  }
  return warnings;
}

}  // namespace axmul
