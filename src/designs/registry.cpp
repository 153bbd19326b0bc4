// The registry of design families, filled from families.inc.
#include "designs/registry.hpp"

#include <algorithm>

namespace axmul {

namespace detail::designs {

#define AXMUL_DESIGN(name) Family name##_family();
#include "designs/families.inc"
#undef AXMUL_DESIGN

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
#define AXMUL_DESIGN(name) name##_family(),
#include "designs/families.inc"
#undef AXMUL_DESIGN
  };
  return all;
}

const Family* find_family(std::string_view name) {
  const auto& all = families();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Family& f) { return f.design.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace detail::designs

std::span<const Design> design_families() {
  static const std::vector<Design> all = [] {
    std::vector<Design> designs;
    for (const detail::designs::Family& family : detail::designs::families()) {
      designs.push_back(family.design);
      designs.back().has_circuit = family.circuit != nullptr;
    }
    return designs;
  }();
  return all;
}

const Design* find_design_family(std::string_view name) {
  const auto all = design_families();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Design& d) { return d.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::string parameter_text(const Design& family) {
  std::string text;
  for (const DesignParameter& p : family.parameters) {
    if (!text.empty()) text += ", ";
    text += p.name + "=";
    if (p.choices.empty()) {
      text += std::to_string(p.min) + "…" + std::to_string(p.max) + " (default " +
              std::to_string(p.default_value) + ")";
      continue;
    }
    for (std::size_t i = 0; i < p.choices.size(); ++i) text += (i ? "|" : "") + p.choices[i];
    text += " (default " + p.choices[static_cast<std::size_t>(p.default_value - p.min)] + ")";
  }
  return text;
}

}  // namespace axmul
