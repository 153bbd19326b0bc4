// Generated designs of more than 8x8 bits, as streams of products.
#pragma once

#include <memory>
#include <string_view>

#include "axmul/designs/designs.hpp"
#include "axmul/netlist/wide.hpp"

namespace axmul {

/// The products of a design: of its circuit, where it has one, else of its function.
AXMUL_API std::shared_ptr<const ProductSource> design_products(const DesignInstance& design);

/// The multiplier of a text such as "drum(k=6,type=u16u16)"; its cost is estimated
/// as generate()'s. Throws as parse_design().
AXMUL_API WideMultiplier generate_wide(std::string_view text, bool with_cost = true);

}  // namespace axmul
