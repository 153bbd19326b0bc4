// Names of the operand types.
#include "axmul/core/operand.hpp"

namespace axmul {

std::string_view to_string(OperandType type) {
  switch (type) {
    case OperandType::u8u8:
      return "u8u8";
    case OperandType::s8s8:
      return "s8s8";
    case OperandType::u8s8:
      return "u8s8";
  }
  return "?";
}

std::optional<OperandType> parse_operand_type(std::string_view text) {
  for (OperandType type : kOperandTypes)
    if (text == to_string(type)) return type;
  return std::nullopt;
}

}  // namespace axmul
