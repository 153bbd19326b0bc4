// Circuits of more than 8x8 bits: simulated block by block, read as tables are but never made one.
#include "axmul/netlist/wide.hpp"

#include <cmath>
#include <filesystem>
#include <utility>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/cost.hpp"
#include "core/reading.hpp"
#include "netlist/compiler.hpp"
#include "netlist/design_kind.hpp"
#include "netlist/read_circuit.hpp"
#include "netlist/source.hpp"

namespace axmul {

namespace {

constexpr std::size_t kMostProductBits = 36;

/// What every thread shares: the program and where its inputs and outputs are.
struct Program {
  std::vector<detail::Step> steps;
  std::vector<std::uint32_t> input_slots;  ///< b's bits, then a's
  std::vector<char> inverted;
  std::vector<std::uint32_t> product_slots;
  std::size_t slots = 0;
  bool is_signed = false;
};

class NetlistBlocks : public ProductBlocks {
 public:
  explicit NetlistBlocks(std::shared_ptr<const Program> program)
      : program_(std::move(program)),
        filler_(program_->input_slots, program_->inverted),
        slots_(detail::aligned_words((program_->slots + 1) * detail::kBlockWords)) {
    std::fill_n(slots_.get() + program_->slots * detail::kBlockWords, detail::kBlockWords,
                std::uint64_t{0});
    const std::size_t width = program_->product_slots.size();
    for (std::size_t p = 0; p < planes_.size(); ++p) {
      std::uint32_t slot = static_cast<std::uint32_t>(program_->slots);  // of zeros
      if (p < width)
        slot = program_->product_slots[p];
      else if (program_->is_signed)
        slot = program_->product_slots[width - 1];
      planes_[p] = slots_.get() + slot * detail::kBlockWords;
    }
  }

  void block(std::uint64_t index, std::int32_t* low, std::int32_t* high) override {
    filler_.fill(index, slots_.get());
    detail::run_steps(program_->steps.data(), program_->steps.size(), slots_.get());
    detail::transpose16(planes_.data(), false, low);
    const bool is_signed = program_->is_signed;
    const std::size_t width = program_->product_slots.size();
    if (width <= 16 && !is_signed) {
      std::fill_n(high, kProductBlock, 0);
      return;
    }
    detail::transpose16(planes_.data() + 16, is_signed && width <= 32, high);
    if (width <= 32) return;
    for (std::size_t i = 0; i < kProductBlock; ++i) {
      std::uint32_t top = 0;
      for (std::size_t p = 32; p < planes_.size(); ++p)
        top |= static_cast<std::uint32_t>(planes_[p][i / 64] >> (i % 64) & 1) << (p - 16);
      high[i] |= static_cast<std::int32_t>(top);
      if (is_signed)
        high[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(high[i]) << 12) >> 12;
    }
  }

 private:
  std::shared_ptr<const Program> program_;
  detail::InputFiller filler_;
  detail::SlotWords slots_;
  std::array<const std::uint64_t*, kMostProductBits> planes_{};
};

class NetlistSource : public ProductSource {
 public:
  NetlistSource(const SizedType& type, std::shared_ptr<const Program> program)
      : ProductSource(type), program_(std::move(program)) {}
  std::unique_ptr<ProductBlocks> blocks() const override {
    return std::make_unique<NetlistBlocks>(program_);
  }

 private:
  std::shared_ptr<const Program> program_;
};

/// The type as the options, the ports or the names tell it. A first operand alone signed is b:
/// `ports` is exchanged where no option says otherwise.
SizedType type_of_circuit(const Netlist& netlist, PortMap& ports, const std::string& path,
                          const NetlistOptions& options, Provenance& provenance) {
  const auto is_signed = [&](const std::string& port) {
    return netlist.find_port(port)->is_signed;
  };
  if (!options.type && is_signed(ports.a) && !is_signed(ports.b)) {
    if (options.order)
      throw InputError(252, Place{path},
                       "port " + ports.a + " is signed and " + ports.b +
                           " is not: with --order there is no such type (a unsigned, b signed); "
                           "leave --order out, or say --type");
    std::swap(ports.a, ports.b);
    provenance.order = OperandOrder::ba;
    provenance.order_from = "ports";
  }
  const OperandWidths bits = operand_widths(netlist, ports);
  if (options.type) {
    provenance.type_from = "option";
    return {*options.type, bits};
  }
  if (is_signed(ports.b)) {
    provenance.type_from = "ports";
    return {is_signed(ports.a) ? OperandType::s8s8 : OperandType::u8s8, bits};
  }
  for (const std::string& name : {netlist.name, std::filesystem::path(path).stem().string()})
    if (const auto signs = detail::signs_of_name(name)) {
      provenance.type_from = "name";
      return {*signs, bits};
    }
  provenance.type_from = "format";
  return {OperandType::u8u8, bits};
}

Netlist read_wide_netlist(const std::string& path, const NetlistOptions& options,
                          Provenance& provenance) {
  if (is_c_model_file(path))
    throw InputError(354, Place{path},
                     "is a C model of more than 8x8 bits; those are read from circuits (.v .blif "
                     ".json) only");
  provenance.format = detail::circuit_format(path) + (options.synthesize ? " (yosys)" : "");
  return read_netlist(path, options);
}

}  // namespace

std::shared_ptr<const ProductSource> netlist_products(const Netlist& netlist, const SizedType& type,
                                                      const PortMap& given) {
  const PortMap map = find_multiplier_ports(netlist, given);
  const Port& a = *netlist.find_port(map.a);
  const Port& b = *netlist.find_port(map.b);
  const Port& product = *netlist.find_port(map.product);
  const auto refuse = [&](const std::string& what) {
    throw InputError(251, Place{}, "circuit \"" + netlist.name + "\": " + what);
  };
  if (operand_widths(netlist, map) != type.bits || type.bits.a > kMostOperandBits ||
      type.bits.b > kMostOperandBits)
    refuse("its operands are none of a multiplier " + to_string(type) + ", at most u16u16");
  const std::size_t width = product.nets.size();
  if (width < 1 || width > kMostProductBits)
    refuse("port \"" + product.name + "\" of " + std::to_string(width) +
           " bits: a product has 1 to " + std::to_string(kMostProductBits));
  detail::Compiler compiler(netlist, true);
  for (const NetId net : product.nets) compiler.keep(net);
  compiler.mark_live();
  auto program = std::make_shared<Program>();
  for (const Port* operand : {&b, &a})
    for (const NetId net : operand->nets)
      program->input_slots.push_back(compiler.is_used(net) ? compiler.place(net) : detail::kNone);
  // Pairs ascend by value: the top bit of a signed operand runs 1, 0.
  program->inverted.assign(a.nets.size() + b.nets.size(), 0);
  program->inverted[b.nets.size() - 1] = b_is_signed(type);
  program->inverted.back() = a_is_signed(type);
  for (const Port& port : netlist.ports)
    if (!port.is_output && &port != &a && &port != &b)
      for (const NetId net : port.nets)
        if (compiler.is_used(net))
          refuse("the product depends on port \"" + port.name + "\", which is no operand");
  compiler.compile();
  program->steps = std::move(compiler.steps);
  program->slots = compiler.slot_count();
  for (const NetId net : product.nets) program->product_slots.push_back(compiler.slot(net));
  program->is_signed = type.kind != OperandType::u8u8;
  return std::make_shared<NetlistSource>(type, std::move(program));
}

WideMultiplier wide_multiplier(const Netlist& netlist, const SizedType& type,
                               const PortMap& given) {
  const PortMap map = find_multiplier_ports(netlist, given);
  WideMultiplier multiplier;
  multiplier.name = netlist.name;
  multiplier.products = netlist_products(netlist, type, map);
  Netlist renamed = netlist;
  std::erase_if(renamed.ports, [&](const Port& port) {
    return port.name != map.a && port.name != map.b && port.name != map.product;
  });
  const PortMap names{"A", "B", "O"};
  for (Port& port : renamed.ports)
    port.name = port.name == map.a ? names.a : port.name == map.b ? names.b : names.product;
  multiplier.verilog = to_verilog(renamed);
  return multiplier;
}

WideMultiplier read_wide_circuit(const std::string& path, const NetlistOptions& options) {
  WideMultiplier multiplier;
  Provenance& provenance = multiplier.provenance;
  provenance.source_file = path;
  const Netlist netlist = read_wide_netlist(path, options, provenance);
  PortMap ports = find_multiplier_ports(netlist, options.ports);
  if (options.order == OperandOrder::ba) {
    std::swap(ports.a, ports.b);
    provenance.order = OperandOrder::ba;
    provenance.order_from = "option";
  }
  const SizedType type = type_of_circuit(netlist, ports, path, options, provenance);
  const auto outputs = static_cast<int>(netlist.find_port(ports.product)->nets.size());
  if (outputs < type.bits.a + type.bits.b)
    throw NotMultiplierError(detail::kind_of_outputs(outputs), Place{path},
                             "has " + std::to_string(outputs) + " output bits, a product of " +
                                 std::to_string(type.bits.a) + "x" + std::to_string(type.bits.b) +
                                 " bits has " + std::to_string(type.bits.a + type.bits.b));
  WideMultiplier read = wide_multiplier(netlist, type, ports);
  multiplier.name = std::move(read.name);
  multiplier.products = std::move(read.products);
  multiplier.verilog = std::move(read.verilog);
  const std::string text = detail::read_source(path, options.max_file_bytes);
  const PublishedFigures figures = read_published_figures(text);
  multiplier.published = figures.values;
  multiplier.published_text = figures.text;
  multiplier.cost = published_cost(figures, type);
  provenance.reference = figures.library;
  if (std::isnan(multiplier.cost.power_mw) && options.estimate_cost)
    multiplier.cost = estimated_cost(estimate_cost(netlist, type, ports));
  return multiplier;
}

}  // namespace axmul
