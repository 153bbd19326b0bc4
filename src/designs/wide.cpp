// Streams of generated designs: by their gates, else pair by pair.
#include "axmul/designs/wide.hpp"

#include <utility>

#include "axmul/designs/circuit.hpp"
#include "axmul/netlist/cost.hpp"

namespace axmul {

namespace {

class FunctionBlocks : public ProductBlocks {
 public:
  explicit FunctionBlocks(DesignInstance design)
      : design_(std::move(design)), type_(design_.sized_type()) {}

  void block(std::uint64_t index, std::int32_t* low, std::int32_t* high) override {
    const std::uint64_t pairs = static_cast<std::uint64_t>(type_.pairs());
    for (std::size_t i = 0; i < kProductBlock; ++i) {
      const std::uint64_t pair = (index * kProductBlock + i) % pairs;
      const std::int64_t a = a_min(type_) + static_cast<std::int64_t>(pair >> type_.bits.b);
      const std::int64_t b =
          b_min(type_) + static_cast<std::int64_t>(pair & ((std::uint64_t{1} << type_.bits.b) - 1));
      const std::int64_t product = design_(a, b);
      low[i] = static_cast<std::int32_t>(product & 0xFFFF);
      high[i] = static_cast<std::int32_t>(product >> 16);
    }
  }

 private:
  DesignInstance design_;
  SizedType type_;
};

class FunctionSource : public ProductSource {
 public:
  explicit FunctionSource(const DesignInstance& design)
      : ProductSource(design.sized_type()), design_(design) {}
  std::unique_ptr<ProductBlocks> blocks() const override {
    return std::make_unique<FunctionBlocks>(design_);
  }

 private:
  DesignInstance design_;
};

}  // namespace

std::shared_ptr<const ProductSource> design_products(const DesignInstance& design) {
  if (design.family().has_circuit)
    return netlist_products(design_netlist(design), design.sized_type());
  return std::make_shared<FunctionSource>(design);
}

WideMultiplier generate_wide(std::string_view text, bool with_cost) {
  const DesignInstance design = parse_design(text);
  WideMultiplier multiplier;
  if (design.family().has_circuit)
    multiplier = wide_multiplier(design_netlist(design), design.sized_type());
  else
    multiplier.products = design_products(design);
  multiplier.name = design.text();
  multiplier.provenance.format = "generator";
  multiplier.provenance.type_from = "format";
  multiplier.provenance.generator = design.text();
  multiplier.provenance.reference = design.family().source;
  const SizedType type = design.sized_type();
  if (with_cost && design.family().has_circuit)
    multiplier.cost = estimated_cost(estimate_cost(design_netlist(design), type));
  return multiplier;
}

}  // namespace axmul
