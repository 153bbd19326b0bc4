// Circuits of multipliers with operands of more than 8 bits, as streams of products.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "axmul/core/api.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/netlist/circuits.hpp"
#include "axmul/netlist/netlist.hpp"
#include "axmul/netlist/readers.hpp"
#include "axmul/stats/wide.hpp"

namespace axmul {

/// The products of a netlist; type.bits are those of its ports, the product port has 1 … 36 bits
/// and is two's complement unless the type is unsigned. Throws InputError AX251 on ports that do
/// not fit.
AXMUL_API std::shared_ptr<const ProductSource> netlist_products(const Netlist& netlist,
                                                                const SizedType& type,
                                                                const PortMap& ports = {});

/// A multiplier without a table: what Multiplier is to narrower ones.
struct AXMUL_API WideMultiplier {
  std::string name;
  std::shared_ptr<const ProductSource> products;
  Cost cost{};
  Provenance provenance{};
  std::map<std::string, double> published{};
  std::map<std::string, std::string> published_text{};
  std::string verilog{};  ///< the circuit as structural Verilog, ports A, B, O; empty without one
  SizedType type() const { return products->type(); }
};

/// The multiplier of a circuit that is known already. Throws as netlist_products().
AXMUL_API WideMultiplier wide_multiplier(const Netlist& netlist, const SizedType& type,
                                         const PortMap& ports = {});

/// Reads a circuit (.v .vl .blif .json) of a multiplier of more than 8x8 bits. The type is
/// options.type, else what ports declare, else what the name of module or file tells (mul12s_…),
/// else unsigned. Throws as read_design_circuit(); NotMultiplierError for what is an adder, or has
/// not the output bits of a product; InputError AX354 for C models, which only tables are made of.
AXMUL_API WideMultiplier read_wide_circuit(const std::string& path,
                                           const NetlistOptions& options = {});

/// NotMultiplierError::kind() of multipliers that read_wide_circuit() takes.
AXMUL_API const char* wide_kind();

/// As verify_published() of a table, of figures under uniform operands.
AXMUL_API VerifyReport verify_published(const std::map<std::string, std::string>& published_text,
                                        const ErrorMetrics& metrics);

}  // namespace axmul
