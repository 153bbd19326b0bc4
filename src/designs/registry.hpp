// Look-up of families by name, and the state of a parsed design, inside the layer.
#pragma once

#include <string_view>
#include <vector>

#include "designs/family.hpp"

namespace axmul {

struct DesignInstance::State {
  const detail::designs::Family* family = nullptr;
  detail::designs::DesignConfig config;
  OperandType type = OperandType::u8u8;
  OperandWidths bits{};
  bool says_bits = false;  ///< the text has a type of other than 8x8 bits
  std::string text;
  detail::designs::Evaluator evaluate;  ///< the family's function with this configuration
};

namespace detail::designs {

const std::vector<Family>& families();
const Family* find_family(std::string_view name);

/// The parsed text with everything inside; parse_design() wraps it.
std::shared_ptr<const DesignInstance::State> parse_state(std::string_view text, int width);

}  // namespace detail::designs
}  // namespace axmul
