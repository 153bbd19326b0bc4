// Primitives of FPGAs as cells of truth tables.
#include "netlist/fpga.hpp"

#include <algorithm>

namespace axmul::detail {

namespace {

using Kind = FpgaPrimitive::Kind;

FpgaPrimitive lut_of(std::string_view name, int inputs) {
  static constexpr std::string_view kInputs[] = {"I0", "I1", "I2", "I3", "I4", "I5"};
  FpgaPrimitive primitive{name, Kind::lut, "INIT", {}};
  for (int i = 0; i < inputs; ++i) primitive.pins.push_back({kInputs[i], 1, false});
  primitive.pins.push_back({"O", 1, true});
  return primitive;
}

std::vector<FpgaPrimitive> make_primitives() {
  std::vector<FpgaPrimitive> all = {lut_of("LUT1", 1), lut_of("LUT2", 2), lut_of("LUT3", 3),
                                    lut_of("LUT4", 4), lut_of("LUT5", 5), lut_of("LUT6", 6)};
  FpgaPrimitive two = lut_of("LUT6_2", 6);
  two.kind = Kind::lut6_2;
  two.pins.back().name = "O6";
  two.pins.push_back({"O5", 1, true});
  all.push_back(two);
  FpgaPrimitive ice = lut_of("SB_LUT4", 4);
  ice.init = "LUT_INIT";
  all.push_back(ice);
  all.push_back({"CARRY4",
                 Kind::carry,
                 "",
                 {{"CI", 1, false},
                  {"CYINIT", 1, false},
                  {"DI", 4, false},
                  {"S", 4, false},
                  {"O", 4, true},
                  {"CO", 4, true}}});
  all.push_back({"CARRY8",
                 Kind::carry,
                 "",
                 {{"CI", 1, false},
                  {"CI_TOP", 1, false},
                  {"DI", 8, false},
                  {"S", 8, false},
                  {"O", 8, true},
                  {"CO", 8, true}}});
  for (const std::string_view name : {"MUXF7", "MUXF8", "MUXF9", "MUXF5", "MUXF6"})
    all.push_back({name,
                   Kind::mux,
                   "",
                   {{"I0", 1, false}, {"I1", 1, false}, {"S", 1, false}, {"O", 1, true}}});
  all.push_back({"MUXCY",
                 Kind::muxcy,
                 "",
                 {{"DI", 1, false}, {"CI", 1, false}, {"S", 1, false}, {"O", 1, true}}});
  all.push_back({"XORCY", Kind::xorcy, "", {{"LI", 1, false}, {"CI", 1, false}, {"O", 1, true}}});
  all.push_back({"SB_CARRY",
                 Kind::majority,
                 "",
                 {{"I0", 1, false}, {"I1", 1, false}, {"CI", 1, false}, {"CO", 1, true}}});
  for (const std::string_view name : {"IBUF", "OBUF", "BUFG", "BUF"})
    all.push_back({name, Kind::wire, "", {{"I", 1, false}, {"O", 1, true}}});
  all.push_back({"INV", Kind::inverter, "", {{"I", 1, false}, {"O", 1, true}}});
  all.push_back({"VCC", Kind::one, "", {{"P", 1, true}}});
  all.push_back({"GND", Kind::zero, "", {{"G", 1, true}}});
  return all;
}

}  // namespace

const FpgaPrimitive* fpga_primitive(std::string_view name) {
  static const std::vector<FpgaPrimitive> all = make_primitives();
  const auto found = std::ranges::find(all, name, &FpgaPrimitive::name);
  return found == all.end() ? nullptr : &*found;
}

bool is_fpga_cell(std::string_view type_name) {
  return type_name == "CARRY" || type_name == "MUXF" ||
         (type_name.size() == 4 && type_name.starts_with("LUT") && type_name[3] >= '1' &&
          type_name[3] <= '6');
}

const CellType& FpgaCells::type(std::string_view name, int inputs,
                                std::vector<std::uint64_t> functions) {
  CellType& known = types_[{std::string(name), functions}];
  if (known.name.empty()) {
    known.name = name;
    known.inputs = inputs;
    known.functions = std::move(functions);
  }
  return known;
}

NetId FpgaCells::lut(Assembler& out, std::uint64_t table, std::span<const NetId> inputs,
                     std::size_t line) {
  const int count = static_cast<int>(inputs.size());
  if (count < 6) table &= (std::uint64_t{1} << (1U << count)) - 1;
  const NetId net = out.new_nets(1, line);
  if (count == 0) {
    out.alias(net, (table & 1) != 0 ? kNetOne : kNetZero, line);
    return net;
  }
  const CellType& cell = type("LUT" + std::to_string(count), count, {table});
  out.cell(out.type_index(cell), inputs, {&net, 1}, line);
  return net;
}

/// The nets of one primitive by the names of its pins.
struct FpgaCells::Placing {
  FpgaCells& cells;
  Assembler& out;
  const FpgaPrimitive& primitive;
  const std::vector<std::vector<NetId>>& pins;
  std::size_t line;

  const std::vector<NetId>& nets(std::string_view name) const {
    return pins[static_cast<std::size_t>(std::ranges::find(primitive.pins, name, &FpgaPin::name) -
                                         primitive.pins.begin())];
  }
  NetId in(std::string_view name, std::size_t bit = 0) const {
    return bit < nets(name).size() ? nets(name)[bit] : kNetZero;
  }
  void drive(std::string_view name, NetId value, std::size_t bit = 0) const {
    if (bit < nets(name).size() && nets(name)[bit] != Assembler::kNoNet)
      out.alias(nets(name)[bit], value, line);
  }
  /// A cell on fresh nets; the first of its outputs, the others follow.
  NetId cell(const char* name, std::vector<std::uint64_t> functions,
             std::initializer_list<NetId> inputs) const {
    const std::size_t outputs = functions.size();
    const NetId first = out.new_nets(outputs, line);
    const NetId targets[2] = {first, first + 1};
    const CellType& type = cells.type(name, static_cast<int>(inputs.size()), std::move(functions));
    out.cell(out.type_index(type), {inputs.begin(), inputs.size()}, {targets, outputs}, line);
    return first;
  }

  void luts(std::uint64_t init) const {
    std::vector<NetId> inputs;
    for (const FpgaPin& pin : primitive.pins)
      if (!pin.is_output) inputs.push_back(in(pin.name));
    const char* const whole = primitive.kind == Kind::lut ? "O" : "O6";
    if (!nets(whole).empty()) drive(whole, cells.lut(out, init, inputs, line));
    if (primitive.kind == Kind::lut || nets("O5").empty()) return;
    inputs.pop_back();  // O5 is the table with I5 = 0
    drive("O5", cells.lut(out, init & 0xFFFFFFFFU, inputs, line));
  }

  /// CO[i] = S[i] ? CO[i-1] : DI[i], O[i] = S[i] ^ CO[i-1]; the first carry is CI or CYINIT. A
  /// CARRY8 whose CI_TOP is used is two chains of four.
  void carry() const {
    const std::string_view second = primitive.pins[1].name;
    NetId carry = in("CI");
    if (second == "CYINIT" && in(second) != kNetZero)
      carry = carry == kNetZero ? in(second) : out.gate(Gate::or2, {carry, in(second)}, line);
    for (std::size_t i = 0; i < static_cast<std::size_t>(primitive.pins[2].width); ++i) {
      if (i == 4 && in(second) != kNetZero) carry = in(second);
      // Of S, DI, carry: sum 0b01011010, carry out 0b11100100.
      const NetId sum = cell("CARRY", {0x5A, 0xE4}, {in("S", i), in("DI", i), carry});
      carry = sum + 1;
      drive("O", sum, i);
      drive("CO", carry, i);
    }
  }
};

void FpgaCells::place(Assembler& out, const FpgaPrimitive& primitive, std::uint64_t init,
                      const std::vector<std::vector<NetId>>& pins, std::size_t line) {
  const Placing at{*this, out, primitive, pins, line};
  switch (primitive.kind) {
    case Kind::lut:
    case Kind::lut6_2:
      return at.luts(init);
    case Kind::carry:
      return at.carry();
    case Kind::mux:
      return at.drive("O", at.cell("MUXF", {0xCA}, {at.in("I0"), at.in("I1"), at.in("S")}));
    case Kind::muxcy:
      return at.drive("O", at.cell("CARRY", {0xCA}, {at.in("DI"), at.in("CI"), at.in("S")}));
    case Kind::xorcy:
      return at.drive("O", at.cell("CARRY", {0x6}, {at.in("LI"), at.in("CI")}));
    case Kind::majority:
      return at.drive("CO", at.cell("CARRY", {0xE8}, {at.in("I0"), at.in("I1"), at.in("CI")}));
    case Kind::wire:
      return at.drive("O", at.in("I"));
    case Kind::inverter:
      return at.drive("O", out.gate(Gate::inv, {at.in("I")}, line));
    case Kind::one:
      return at.drive("P", kNetOne);
    case Kind::zero:
      return at.drive("G", kNetZero);
  }
}

}  // namespace axmul::detail
