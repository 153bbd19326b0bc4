// Exhaustive simulation of multipliers that fit a table, and of single nets.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <memory>
#include <new>
#include <utility>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/netlist.hpp"
#include "netlist/compiler.hpp"
#include "netlist/schedule.hpp"

namespace axmul {

namespace {

using detail::aligned_words;
using detail::Compiler;
using detail::InputFiller;
using detail::kBlockPatterns;
using detail::kBlockWords;
using detail::kNone;
using Words = detail::SlotWords;

bool same_name(std::string_view x, std::string_view y) {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](char p, char q) {
    return std::toupper(static_cast<unsigned char>(p)) ==
           std::toupper(static_cast<unsigned char>(q));
  });
}

std::string list_ports(const Netlist& netlist) {
  std::string text;
  for (const Port& port : netlist.ports)
    text += (text.empty() ? "" : ", ") + std::string(port.is_output ? "output " : "input ") +
            port.name + "[" + std::to_string(port.nets.size()) + "]";
  return text.empty() ? "none" : text;
}

const Port* find_any(const Netlist& netlist, bool output,
                     std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    for (const Port& port : netlist.ports)
      if (port.is_output == output && same_name(port.name, name)) return &port;
  return nullptr;
}

const Port& named_port(const Netlist& netlist, const std::string& name, bool output) {
  const Port* port = netlist.find_port(name);
  if (port == nullptr || port->is_output != output)
    throw InputError(251, Place{},
                     "circuit \"" + netlist.name + "\" has no " + (output ? "output" : "input") +
                         " port \"" + name + "\"; its ports: " + list_ports(netlist));
  return *port;
}

std::string place_text(const Netlist& netlist, const Port& port) {
  return "circuit \"" + netlist.name + "\", port \"" + port.name + "\" of " +
         std::to_string(port.nets.size()) + " bits";
}

}  // namespace

namespace {

/// "mode=1", "mask=0x7f", "sel=0b10": a further input and its number.
bool add_tie(std::string_view part, PortMap& map) {
  const std::size_t equal = part.find('=');
  if (equal == std::string_view::npos || equal == 0) return false;
  std::string_view digits = part.substr(equal + 1);
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) base = 16;
  if (digits.starts_with("0b") || digits.starts_with("0B")) base = 2;
  if (base != 10) digits.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) return false;
  for (const auto& [name, known] : map.ties)
    if (name == part.substr(0, equal)) return false;
  map.ties.emplace_back(part.substr(0, equal), value);
  return true;
}

/// Operands by their width where no name tells: the two inputs of 8 bits, else of several bits.
void find_by_width(const std::vector<const Port*>& inputs, PortMap& map) {
  for (const bool exactly : {true, false}) {
    std::vector<const Port*> wide;
    for (const Port* port : inputs)
      if (exactly ? port->nets.size() == 8 : port->nets.size() > 1) wide.push_back(port);
    if (wide.size() != 2) continue;
    map.a = wide[0]->name;
    map.b = wide[1]->name;
    return;
  }
}

}  // namespace

PortMap parse_port_map(std::string_view text) {
  PortMap map;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t equal = part.find('=');
    const std::string_view key = part.substr(0, std::min(equal, part.size()));
    if (key != "a" && key != "b" && key != "p" && add_tie(part, map)) continue;
    std::string* target = key == "a"   ? &map.a
                          : key == "b" ? &map.b
                          : key == "p" ? &map.product
                                       : nullptr;
    if (target == nullptr || equal == std::string_view::npos || equal + 1 == part.size() ||
        !target->empty())
      throw UsageError(250, "ports \"" + std::string(part) +
                                "\" not understood; write a=PORT,b=PORT,p=PORT, each once, and "
                                "PORT=NUMBER for inputs to be tied");
    *target = part.substr(equal + 1);
  }
  return map;
}

PortMap find_multiplier_ports(const Netlist& netlist, const PortMap& given) {
  PortMap map = given;
  const Port* a = nullptr;
  const Port* b = nullptr;
  if (map.a.empty() && map.b.empty()) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> pairs = {
        {{"A", "B"},
         {"X", "Y"},
         {"IN1", "IN2"},
         {"INA", "INB"},
         {"IN_A", "IN_B"},
         {"OPA", "OPB"},
         {"OP_A", "OP_B"},
         {"A_IN", "B_IN"},
         {"I0", "I1"}}};
    for (const auto& [first, second] : pairs) {
      a = find_any(netlist, false, {first});
      b = find_any(netlist, false, {second});
      if (a != nullptr && b != nullptr) break;
    }
    if (a != nullptr && b != nullptr) {
      map.a = a->name;
      map.b = b->name;
    }
  }
  // What is still open is taken by elimination: the other one of exactly two inputs, the only
  // output.
  std::vector<const Port*> inputs, outputs;
  for (const Port& port : netlist.ports) (port.is_output ? outputs : inputs).push_back(&port);
  if (inputs.size() == 2 && map.a.empty() != map.b.empty()) {
    const std::string& taken = map.a.empty() ? map.b : map.a;
    const std::string& other = inputs[inputs[0]->name == taken ? 1 : 0]->name;
    (map.a.empty() ? map.a : map.b) = other;
  }
  if (map.a.empty() && map.b.empty()) find_by_width(inputs, map);
  if (map.product.empty()) {
    const Port* p = find_any(netlist, true,
                             {"O", "Z", "P", "Y", "PRODUCT", "PROD", "OUT", "RESULT", "RES", "R",
                              "C", "M", "Q", "S", "F"});
    if (p == nullptr && outputs.size() == 1) p = outputs[0];
    if (p == nullptr) {  // the only one that is wide enough
      std::vector<const Port*> wide;
      for (const Port* port : outputs)
        if (port->nets.size() > 8) wide.push_back(port);
      if (wide.size() == 1) p = wide[0];
    }
    if (p != nullptr) map.product = p->name;
  }
  if (map.a.empty() || map.b.empty() || map.product.empty())
    throw InputError(
        251, Place{},
        "circuit \"" + netlist.name + "\": cannot tell the ports of a " +
            "multiplier; name them with --ports a=…,b=…,p=…; its ports: " + list_ports(netlist));
  named_port(netlist, map.a, false);
  named_port(netlist, map.b, false);
  named_port(netlist, map.product, true);
  if (map.a == map.b) throw InputError(251, Place{}, "both operands name port \"" + map.a + "\"");
  return map;
}

Lut simulate(const Netlist& netlist, OperandType type, const PortMap& given) {
  const PortMap map = find_multiplier_ports(netlist, given);
  const Port& a = named_port(netlist, map.a, false);
  const Port& b = named_port(netlist, map.b, false);
  const Port& product = named_port(netlist, map.product, true);
  for (const Port* operand : {&a, &b})
    if (operand->nets.size() != 8)
      throw InputError(251, Place{}, place_text(netlist, *operand) + ": an operand has 8");
  const std::size_t width = product.nets.size();
  if (width < 1 || width > 32)
    throw InputError(251, Place{}, place_text(netlist, product) + ": a product has 1 to 32");

  Compiler compiler(netlist, true);
  for (const NetId net : product.nets) compiler.keep(net);
  compiler.mark_live();
  std::vector<std::uint32_t> input_slots;
  std::vector<char> inverted;
  for (const Port* operand : {&b, &a})
    for (const NetId net : operand->nets)
      input_slots.push_back(compiler.is_used(net) ? compiler.place(net) : kNone);
  // The table ascends by value: the top bit of a signed operand runs 1, 0.
  inverted.assign(16, 0);
  inverted[7] = b_is_signed(type);
  inverted[15] = a_is_signed(type);
  for (const Port& port : netlist.ports)
    if (!port.is_output && &port != &a && &port != &b)
      for (const NetId net : port.nets)
        if (compiler.is_used(net))
          throw InputError(
              251, Place{},
              place_text(netlist, port) +
                  ": the product depends on an input that is no operand; tie it to a number, "
                  "--ports " +
                  port.name + "=0 (further ones after a comma)");
  compiler.compile();

  const InputFiller filler(std::move(input_slots), std::move(inverted));
  const std::size_t zero_slot = compiler.slot_count();
  const Words slots = aligned_words((zero_slot + 1) * kBlockWords);
  std::fill_n(slots.get() + zero_slot * kBlockWords, kBlockWords, std::uint64_t{0});
  const bool is_signed = type != OperandType::u8u8;
  std::array<const std::uint64_t*, 32> planes{};
  for (std::size_t p = 0; p < 32; ++p) {
    std::size_t source = p;
    if (p >= width) source = is_signed ? width - 1 : 32;
    planes[p] =
        slots.get() + (source < 32 ? compiler.slot(product.nets[source]) : zero_slot) * kBlockWords;
  }
  const std::shared_ptr<std::int32_t[]> table(new std::int32_t[kLutSize]);
  for (std::size_t block = 0; block < kLutSize / kBlockPatterns; ++block) {
    filler.fill(block, slots.get());
    detail::run_steps(compiler.steps.data(), compiler.steps.size(), slots.get());
    std::int32_t* out = table.get() + block * kBlockPatterns;
    detail::transpose16(planes.data(), is_signed && width <= 16, out);
    if (width <= 16) continue;
    for (std::size_t p = 16; p < 32; ++p)
      for (std::size_t i = 0; i < kBlockPatterns; ++i) {
        const auto bit = static_cast<std::uint32_t>(planes[p][i / 64] >> (i % 64) & 1);
        out[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(out[i]) | bit << p);
      }
    if (!is_signed && width == 32)
      for (std::size_t i = 0; i < kBlockPatterns; ++i)  // an unsigned product past int32
        if (out[i] < 0) out[i] = kProductLimit;
  }
  return Lut(type, table);
}

OperandWidths operand_widths(const Netlist& netlist, const PortMap& given) {
  const PortMap map = find_multiplier_ports(netlist, given);
  return {static_cast<int>(named_port(netlist, map.a, false).nets.size()),
          static_cast<int>(named_port(netlist, map.b, false).nets.size())};
}

Lut simulate_narrow(const Netlist& netlist, const SizedType& type, const PortMap& given) {
  if (type.is_8x8()) return simulate(netlist, type.kind, given);
  const PortMap map = find_multiplier_ports(netlist, given);
  const Port& product = named_port(netlist, map.product, true);
  const std::size_t width = product.nets.size();
  if (operand_widths(netlist, map) != type.bits || !type.has_table() || width < 1 || width > 31)
    throw InputError(251, Place{},
                     place_text(netlist, product) + ": no multiplier " + to_string(type) +
                         ", whose product has 1 to 31 bits");
  std::vector<NetId> inputs = named_port(netlist, map.b, false).nets;
  const auto& a = named_port(netlist, map.a, false).nets;
  inputs.insert(inputs.end(), a.begin(), a.end());
  const TruthPlanes planes = simulate_planes(netlist, inputs, product.nets);
  const bool is_signed = type.kind != OperandType::u8u8;
  return Lut::from_function_of_size(type, [&](int x, int y) {
    const auto mask = [](int bits) { return (std::size_t{1} << bits) - 1; };
    const std::size_t at = (static_cast<std::size_t>(x) & mask(type.bits.a)) << type.bits.b |
                           (static_cast<std::size_t>(y) & mask(type.bits.b));
    std::int32_t value = 0;
    for (std::size_t p = 0; p < width; ++p) value |= static_cast<std::int32_t>(planes(p, at)) << p;
    const std::int32_t sign = 1 << (width - 1);
    return is_signed ? (value ^ sign) - sign : value;
  });
}

TruthPlanes simulate_planes(const Netlist& netlist, std::span<const NetId> inputs,
                            std::span<const NetId> nets) {
  if (inputs.size() > 24)
    throw UsageError(253, "exhaustive simulation of " + std::to_string(inputs.size()) +
                              " input bits; at most 24 are possible");
  Compiler compiler(netlist, true);
  for (const NetId net : nets) compiler.keep(net);
  compiler.mark_live();
  std::vector<std::uint32_t> input_slots;
  for (const NetId net : inputs)
    input_slots.push_back(compiler.is_used(net) ? compiler.place(net) : kNone);
  std::vector<std::uint32_t> grounded;
  for (const Port& port : netlist.ports)
    if (!port.is_output)
      for (const NetId net : port.nets)
        if (compiler.is_used(net) && compiler.slot(net) == kNone)
          grounded.push_back(compiler.place(net));
  compiler.compile();
  const InputFiller filler(std::move(input_slots), std::vector<char>(inputs.size(), 0));

  TruthPlanes result;
  result.inputs = static_cast<int>(inputs.size());
  result.words = inputs.size() < 6 ? 1 : std::size_t{1} << (inputs.size() - 6);
  result.planes.resize(result.words * nets.size());
  const Words slots = aligned_words((compiler.slot_count() + 1) * kBlockWords);
  const std::size_t blocks = (result.words + kBlockWords - 1) / kBlockWords;
  for (std::size_t block = 0; block < blocks; ++block) {
    filler.fill(block, slots.get());
    for (const std::uint32_t slot : grounded)
      std::fill_n(slots.get() + slot * kBlockWords, kBlockWords, std::uint64_t{0});
    detail::run_steps(compiler.steps.data(), compiler.steps.size(), slots.get());
    const std::size_t first = block * kBlockWords;
    const std::size_t count = std::min(kBlockWords, result.words - first);
    for (std::size_t k = 0; k < nets.size(); ++k)
      std::copy_n(slots.get() + compiler.slot(nets[k]) * kBlockWords, count,
                  result.planes.data() + k * result.words + first);
  }
  return result;
}

}  // namespace axmul
