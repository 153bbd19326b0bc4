// Generic gates priced with the cells of a Liberty library: same function, cheapest cell.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "netlist/cells.hpp"

namespace axmul::detail {

namespace {

/// Truth table of a cell's output after its inputs are permuted: new input j is old input order[j].
std::uint64_t permuted(std::uint64_t table, const std::vector<int>& order) {
  const std::size_t patterns = std::size_t{1} << order.size();
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < patterns; ++i) {
    std::size_t old = 0;
    for (std::size_t j = 0; j < order.size(); ++j) old |= (i >> j & 1) << order[j];
    if ((table >> old & 1) != 0) result |= std::uint64_t{1} << i;
  }
  return result;
}

std::uint64_t all_ones(int inputs) {
  return inputs == 6 ? ~std::uint64_t{0} : (std::uint64_t{1} << (std::size_t{1} << inputs)) - 1;
}

/// The order of cell's inputs in which it computes `wanted`, or nothing (empty).
std::vector<int> input_order(const CellType& cell, std::vector<std::uint64_t> wanted) {
  std::vector<int> order(static_cast<std::size_t>(cell.inputs));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(wanted);
  do {
    std::vector<std::uint64_t> tables;
    for (const std::uint64_t table : cell.functions) tables.push_back(permuted(table, order));
    std::ranges::sort(tables);  // outputs in any order
    if (tables == wanted) return order;
  } while (std::ranges::next_permutation(order).found);
  return {};
}

bool is_priced(const CellType& cell) {
  return !std::isnan(cell.area) && cell.inputs >= 1 && cell.inputs <= 4;
}

/// Takes the figures of the cheapest library cell of the functions `wanted`, plus `extra` (an
/// inverter behind it, or nullptr).
void price(CellType& type, const CellLibrary::Impl& library,
           const std::vector<std::uint64_t>& wanted, const CellType* extra) {
  for (const LibraryCell& candidate : library.cells) {
    const CellType& cell = candidate.type;
    if (!candidate.unusable.empty() || !is_priced(cell) || cell.inputs != type.inputs ||
        cell.functions.size() != wanted.size())
      continue;
    const double area = cell.area + (extra != nullptr ? extra->area : 0);
    if (!std::isnan(type.area) && type.area <= area) continue;
    const std::vector<int> order = input_order(cell, wanted);
    if (order.empty()) continue;
    type.area = area;
    type.leakage = cell.leakage + (extra != nullptr ? extra->leakage : 0);
    type.input_capacitance.clear();
    // New input j drives the pin that is old input order[j].
    if (cell.input_capacitance.size() == order.size())
      for (const int pin : order)
        type.input_capacitance.push_back(cell.input_capacitance[static_cast<std::size_t>(pin)]);
  }
}

const CellType* inverter(const CellLibrary::Impl& library) {
  const CellType* best = nullptr;
  for (const LibraryCell& cell : library.cells)
    if (cell.unusable.empty() && is_priced(cell.type) && cell.type.inputs == 1 &&
        cell.type.functions == std::vector<std::uint64_t>{1} &&
        (best == nullptr || cell.type.area < best->area))
      best = &cell.type;
  return best;
}

}  // namespace

void use_library(Netlist& netlist, const CellLibrary& cells) {
  const CellLibrary::Impl& library = cells.impl();
  netlist.technology = library.technology;
  if (library.technology.empty()) return;
  const CellType* inv = inverter(library);
  for (CellType& type : netlist.types) {
    if (!std::isnan(type.area) || type.inputs < 1 || type.inputs > 4) continue;
    price(type, library, type.functions, nullptr);
    if (!std::isnan(type.area) || type.functions.size() != 1 || inv == nullptr) continue;
    price(type, library, {~type.functions[0] & all_ones(type.inputs)}, inv);
  }
}

}  // namespace axmul::detail
