// Distinct names for distinct functions.
#include "axmul/core/multiplier.hpp"

#include <set>

namespace axmul {

std::string name_with_hash(const std::string& name, const std::string& sha256,
                           const std::function<bool(const std::string&)>& is_taken) {
  std::string renamed;
  for (std::size_t digits = 8; digits <= sha256.size(); digits += 8) {
    renamed = name + "@" + sha256.substr(0, digits);
    if (!is_taken(renamed)) return renamed;
  }
  // Somebody named another function after the whole hash of this one.
  for (int copy = 2;; ++copy) {
    const std::string numbered = renamed + "#" + std::to_string(copy);
    if (!is_taken(numbered)) return numbered;
  }
}

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
  std::set<std::string> taken;
  for (const Multiplier& m : multipliers) taken.insert(m.name);
  std::map<std::string, std::string> new_names;  // by old name, a line break and the hash
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < multipliers.size(); ++i) {
    Multiplier& m = multipliers[i];
    if (functions.at(m.name).size() < 2) continue;
    std::string& renamed = new_names[m.name + "\n" + hashes[i]];
    if (renamed.empty()) {
      renamed = name_with_hash(m.name, hashes[i],
                               [&](const std::string& name) { return taken.contains(name); });
      taken.insert(renamed);
      warnings.push_back(
          "two functions are named " + m.name + "; the one of " +
          (m.provenance.source_file.empty() ? "a generator" : m.provenance.source_file) +
          " is called " + renamed);
    }
    m.name = renamed;
  }
  return warnings;
}

}  // namespace axmul
