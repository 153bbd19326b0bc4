// Numbers of Verilog: decimal, or with a base and possibly a width.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "netlist/verilog/lexer.hpp"
#include "netlist/verilog/syntax.hpp"

namespace axmul::detail {

/// The constant that a number stands for; its bits are appended to words. Throws AX201 (digits),
/// AX209 (too large), AX212 (x or z).
Constant parse_number(const Token& token, const std::string& path,
                      std::vector<std::uint64_t>& words);

}  // namespace axmul::detail
