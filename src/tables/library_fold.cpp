// Names, then functions, then transposes: each step depends on what the designs are, never on the
// order of their files.
#include "tables/library_fold.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "axmul/core/text.hpp"
#include "axmul/tables/error_table.hpp"

namespace axmul {

namespace {

using Figures = std::map<std::string, std::string>;

bool is_power_known(const Cost& cost) {
  return !std::isnan(cost.power_rel) || !std::isnan(cost.power_mw);
}

bool is_published(const Cost& cost) { return cost.source == "published" && is_power_known(cost); }

std::string file_name(const Multiplier& m) {
  return std::filesystem::path(m.provenance.source_file).filename().string();
}

/// Keeps the figures that another file of an entry's function publishes, where they differ, under
/// its name, or its name and file where the name has others.
void keep_figures(Multiplier& entry, const std::string& name, const Multiplier& other,
                  const Figures& figures) {
  if (figures.empty() || figures == entry.published_text) return;
  const auto known = entry.alias_published.find(name);
  if (known != entry.alias_published.end() && known->second == figures) return;
  const bool is_free = name != entry.name && known == entry.alias_published.end();
  entry.alias_published[is_free ? name : name + " (" + file_name(other) + ")"] = figures;
}

/// What another file of the same function knows and the first does not: costs, published figures.
/// A published cost wins over an estimated one.
void take_over(Multiplier& first, const Multiplier& other) {
  if (is_power_known(other.cost) &&
      (!is_power_known(first.cost) ||
       (first.cost.source == "estimated" && other.cost.source == "published")))
    first.cost = other.cost;
  if (first.published.empty()) {
    first.published = other.published;
    first.published_text = other.published_text;
  }
  keep_figures(first, other.name, other, other.published_text);
  for (const auto& [name, figures] : other.alias_published)
    keep_figures(first, name, other, figures);
}

void add_alias(Multiplier& entry, const std::string& name) {
  if (name != entry.name && std::ranges::count(entry.aliases, name) == 0)
    entry.aliases.push_back(name);
}

/// An alias that is also the name, or an alias, of another function gets its own function's hash.
void settle_aliases(std::vector<Multiplier>& multipliers) {
  std::map<std::string, std::size_t> uses;
  for (const Multiplier& m : multipliers) {
    ++uses[m.name];
    for (const std::string& alias : m.aliases) ++uses[alias];
  }
  const auto is_taken = [&](const std::string& name) { return uses.contains(name); };
  for (Multiplier& m : multipliers)
    for (std::string& alias : m.aliases) {
      if (uses.at(alias) < 2) continue;
      const std::string renamed = name_with_hash(alias, m.lut.sha256(), is_taken);
      if (auto figures = m.alias_published.extract(alias); !figures.empty()) {
        figures.key() = renamed;
        m.alias_published.insert(std::move(figures));
      }
      alias = renamed;
    }
}

}  // namespace

namespace detail {

namespace {

/// Module and function names that say nothing of the circuit.
bool is_generic(const std::string& name) {
  static const std::set<std::string> kGeneric{
      "approx", "approx_mul", "circuit",    "design",     "dut",      "f",
      "func",   "function",   "main",       "module",     "mul",      "mul8",
      "mul8x8", "mult",       "mult8",      "multiplier", "multiply", "netlist",
      "test",   "top",        "top_module", "toplevel",   "unit"};
  std::string lower = name;
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return kGeneric.contains(lower);
}

/// The stem of a circuit's file, empty for what is named after its file already.
std::string other_name(const Multiplier& m) {
  static const std::set<std::string> kCircuits{"c",    "c++",        "verilog", "vhdl",
                                               "blif", "yosys-json", "aiger",   "cgp"};
  const std::string& format = m.provenance.format;  // "verilog (yosys 0.23)"
  if (!kCircuits.contains(format.substr(0, format.find(" (")))) return "";
  return std::filesystem::path(m.provenance.source_file).stem().string();
}

}  // namespace

void name_by_files(std::vector<Multiplier>& multipliers) {
  for (Multiplier& m : multipliers)
    if (const std::string stem = other_name(m); !stem.empty() && is_generic(m.name)) m.name = stem;
  std::map<std::string, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < multipliers.size(); ++i) by_name[multipliers[i].name].push_back(i);
  for (const auto& [name, members] : by_name) {
    if (members.size() < 2) continue;
    std::set<std::string> functions;
    std::map<std::string, std::string> function_of;  // by file name
    bool are_told_apart = true;
    for (const std::size_t i : members) {
      const std::string stem = other_name(multipliers[i]);
      const std::string hash = multipliers[i].lut.sha256();
      functions.insert(hash);
      are_told_apart &= function_of.emplace(stem.empty() ? name : stem, hash).first->second == hash;
    }
    if (functions.size() < 2 || !are_told_apart) continue;
    for (const std::size_t i : members)
      if (const std::string stem = other_name(multipliers[i]); !stem.empty())
        multipliers[i].name = stem;
  }
}

void sort_for_folding(std::vector<Multiplier>& multipliers) {
  constexpr double kLast = std::numeric_limits<double>::infinity();
  const auto known = [](double value) { return std::isnan(value) ? kLast : value; };
  const auto costs = [&](const Multiplier& m) {
    const Cost& c = m.cost;
    const double kind = is_published(c) ? 0 : is_power_known(c) ? 1 : 2;
    return std::array{kind, known(c.power_rel), known(c.power_mw), known(c.area_um2),
                      known(c.delay_ns)};
  };
  std::ranges::stable_sort(multipliers, [&](const Multiplier& x, const Multiplier& y) {
    const auto cost_x = costs(x), cost_y = costs(y);
    if (cost_x != cost_y) return cost_x < cost_y;
    if (x.cost.technology != y.cost.technology) return x.cost.technology < y.cost.technology;
    if (x.name != y.name) return natural_less(x.name, y.name);
    if (x.provenance.source_file != y.provenance.source_file)
      return natural_less(x.provenance.source_file, y.provenance.source_file);
    return x.lut.sha256() < y.lut.sha256();
  });
}

namespace {

/// "0.39 mW (a), 0.48 mW (b)", of many the least three and the largest.
std::string least_text(const std::map<double, std::string>& named) {
  constexpr std::size_t kMost = 4;
  std::string list;
  std::size_t count = 0;
  for (const auto& [power, name] : named) {
    ++count;
    if (count >= kMost && count < named.size()) continue;
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), "%.6g", power);
    list += list.empty() ? "" : count > kMost ? " … " : ", ";
    list += std::string(number.data()) + " mW (" + name + ")";
  }
  return list;
}

}  // namespace

std::vector<std::string> conflicting_powers(const std::vector<Multiplier>& multipliers) {
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> published;
  for (std::size_t i = 0; i < multipliers.size(); ++i) {
    const Cost& cost = multipliers[i].cost;
    if (cost.source == "published" && !std::isnan(cost.power_mw))
      published[{multipliers[i].lut.sha256(), cost.technology}].push_back(i);
  }
  std::map<std::size_t, std::string> texts;  // by the first of each function
  for (const auto& [function, members] : published) {
    std::map<double, std::string> named;
    for (const std::size_t i : members)
      named.emplace(multipliers[i].cost.power_mw, multipliers[i].name);
    if (named.size() < 2) continue;
    const std::string list = least_text(named);
    texts[members.front()] = "one function is published with " + std::to_string(named.size()) +
                             " powers: " + list + "; the least is taken";
  }
  std::vector<std::string> result;
  for (auto& [first, text] : texts) result.push_back(std::move(text));
  return result;
}

void mark_transposes(std::vector<Multiplier>& multipliers) {
  std::map<std::string, std::size_t> by_hash;
  for (std::size_t i = 0; i < multipliers.size(); ++i)
    by_hash.emplace(multipliers[i].lut.sha256(), i);
  for (std::size_t i = 0; i < multipliers.size(); ++i) {
    const auto it = by_hash.find(multipliers[i].lut.sha256_swapped());
    const bool is_earlier = it != by_hash.end() && it->second < i;
    multipliers[i].transpose_of = is_earlier ? multipliers[it->second].name : "";
  }
}

std::vector<std::string> take_costs_of_transposes(std::vector<Multiplier>& multipliers) {
  std::map<std::string, std::size_t> by_hash;
  for (std::size_t i = 0; i < multipliers.size(); ++i)
    by_hash.emplace(multipliers[i].lut.sha256(), i);
  std::vector<std::string> notes;
  for (Multiplier& m : multipliers) {
    if (is_published(m.cost)) continue;
    const auto it = by_hash.find(m.lut.sha256_swapped());
    if (it == by_hash.end()) continue;
    const Multiplier& other = multipliers[it->second];
    const bool is_better =
        is_published(other.cost) || (is_power_known(other.cost) && !is_power_known(m.cost));
    if (&other == &m || !is_better) continue;
    m.cost = other.cost;
    notes.push_back(m.name + " has the " + m.cost.source + " cost of " + other.name +
                    ", which it is with the operands swapped");
  }
  return notes;
}

}  // namespace detail

std::vector<std::string> fold_library(std::vector<Multiplier>& multipliers) {
  std::vector<std::string> notes = make_names_unique(multipliers);
  std::vector<Multiplier> kept;
  std::map<std::string, std::size_t> by_hash;
  for (Multiplier& m : multipliers) {
    const auto [it, is_new] = by_hash.emplace(m.lut.sha256(), kept.size());
    if (is_new) {
      kept.push_back(std::move(m));
      continue;
    }
    Multiplier& first = kept[it->second];
    take_over(first, m);
    if (m.name != first.name && std::ranges::count(first.aliases, m.name) == 0)
      notes.push_back(m.name + " is the same function as " + first.name);
    add_alias(first, m.name);
    for (const std::string& alias : m.aliases) add_alias(first, alias);
  }
  multipliers = std::move(kept);
  settle_aliases(multipliers);
  detail::mark_transposes(multipliers);
  return notes;
}

}  // namespace axmul
