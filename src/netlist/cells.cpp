// The built-in cells: names and pins of the FreePDK45/OSU libraries, functions of generic gates.
#include "netlist/cells.hpp"

#include <array>

namespace axmul {

CellLibrary::CellLibrary() : impl_(std::make_unique<Impl>()) {}
CellLibrary::~CellLibrary() = default;

namespace detail {

namespace {

struct Family {
  const char* base;
  Gate gate;
  const char* inputs;  // one letter a pin
};

constexpr Family kFamilies[] = {
    {"INV", Gate::inv, "A"},         {"BUF", Gate::buf, "A"},        {"CLKBUF", Gate::buf, "A"},
    {"AND2", Gate::and2, "AB"},      {"OR2", Gate::or2, "AB"},       {"XOR2", Gate::xor2, "AB"},
    {"NAND2", Gate::nand2, "AB"},    {"NOR2", Gate::nor2, "AB"},     {"XNOR2", Gate::xnor2, "AB"},
    {"AND3", Gate::and3, "ABC"},     {"OR3", Gate::or3, "ABC"},      {"NAND3", Gate::nand3, "ABC"},
    {"NOR3", Gate::nor3, "ABC"},     {"XOR3", Gate::xor3, "ABC"},    {"AND4", Gate::and4, "ABCD"},
    {"OR4", Gate::or4, "ABCD"},      {"NAND4", Gate::nand4, "ABCD"}, {"NOR4", Gate::nor4, "ABCD"},
    {"MUX2", Gate::mux2, "ABS"},     {"AOI21", Gate::aoi21, "ABC"},  {"AOI22", Gate::aoi22, "ABCD"},
    {"OAI21", Gate::oai21, "ABC"},   {"OAI22", Gate::oai22, "ABCD"}, {"HA", Gate::half_adder, "AB"},
    {"FA", Gate::full_adder, "ABC"},
};

using Map = std::unordered_map<std::string, LibraryCell>;

void add(Map& map, const std::string& name, const Family& family) {
  LibraryCell cell;
  cell.type = gate_type(family.gate);
  cell.type.name = name;
  for (const char* pin = family.inputs; *pin != 0; ++pin) cell.inputs.emplace_back(1, *pin);
  if (cell.type.functions.size() == 2)
    cell.outputs = {"YS", "YC"};
  else
    cell.outputs = {"Y"};
  cell.positional = cell.inputs;
  cell.positional.insert(cell.positional.end(), cell.outputs.begin(), cell.outputs.end());
  map.emplace(name, std::move(cell));
}

Map make_builtins() {
  Map map;
  for (const Family& family : kFamilies)
    for (const char* strength : {"X1", "X2", "X3", "X4", "X8", "X16"})
      add(map, std::string(family.base) + strength, family);
  for (const char* name : {"CLKBUF1", "CLKBUF2", "CLKBUF3"}) add(map, name, kFamilies[2]);
  return map;
}

}  // namespace

std::string without_pdkgen(std::string_view name) {
  constexpr std::string_view kMark = "PDKGEN";
  std::string text(name);
  for (std::size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark))
    text.erase(at, kMark.size());
  return text;
}

const LibraryCell* builtin_cell(std::string_view name) {
  static const Map builtins = make_builtins();
  if (name.size() > 64) return nullptr;
  const auto found = builtins.find(without_pdkgen(name));
  return found == builtins.end() ? nullptr : &found->second;
}

}  // namespace detail

}  // namespace axmul
