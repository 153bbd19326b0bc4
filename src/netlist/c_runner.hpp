// C models run: compiled into a program of their own that may do nothing but compute.
#pragma once

#include <string>

#include "axmul/netlist/readers.hpp"
#include "netlist/c_model.hpp"

namespace axmul::detail {

/// What the function returns for every pair of operands, first parameter slow, both ascending from
/// -128 where signed, else from 0. Unsigned parameters get the byte of a negative operand; an
/// unsigned result is a pattern of 16 bits where the operands are signed. Throws UsageError AX260
/// without allow_native_code, InputError AX261 (does not compile), AX263 (crash, time limit,
/// rubbish, a system call), AX265 (reads files while it is compiled), UnavailableError AX262 (no
/// compiler, or a kernel that cannot wall the model in).
Words run_c_model(const std::string& path, const CFunction& function, bool first_signed,
                  bool second_signed, const NetlistOptions& options);

}  // namespace axmul::detail
