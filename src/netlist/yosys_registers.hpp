// Registers among the cells of yosys, by the names of their types.
#pragma once

#include <string>

#include "io/json.hpp"

namespace axmul::detail {

/// $_DFF_P_ … $_SDFFCE_PN0P_, $dff … $sdffce: D-type registers.
bool is_register(const std::string& type);

/// A cell that keeps a value: registers, latches, memories.
bool has_state(const std::string& type);

struct RegisterKind {
  std::string reset, enable;  ///< names of pins, empty without one
  bool reset_high = true, enable_high = true;
  std::string reset_value;  ///< bits, the most significant first
};

/// How the type's name ("$_SDFFE_PN0P_": clock, reset, its value, enable) or its parameters give
/// polarities.
RegisterKind register_kind(const std::string& type, const Json& parameters);

}  // namespace axmul::detail
