// C models of multipliers: found in their source, compiled, called for every operand pair.
#pragma once

#include <string>
#include <vector>

#include "axmul/netlist/readers.hpp"

namespace axmul::detail {

struct CParameter {
  std::string type;  ///< canonical: "uint8_t", "int", "uint64_t" …
  std::string name;  ///< may be empty
};

struct CFunction {
  std::string name, return_type;
  std::vector<CParameter> parameters;
  std::size_t line = 0;
};

/// Functions defined at file level with integer parameters and result. Never throws on odd C: what
/// it does not understand is no candidate.
std::vector<CFunction> find_c_functions(const std::string& text);

/// The function of two operands that the file is about: named as the file, else the only one, else
/// the only one named mul…. Throws InputError AX264.
CFunction find_c_model(const std::string& text, const std::string& path);

/// The table of that function. Throws UsageError AX260 without allow_native_code, InputError AX261
/// (does not compile), AX263 (crash, time limit, rubbish), AX10.
Lut run_c_model(const std::string& path, const CFunction& function, OperandType type,
                OperandOrder order, const NetlistOptions& options);

/// Position of operand a: by parameter names A and B, else the first; an explicit order wins.
OperandOrder c_order(const CFunction& function, const NetlistOptions& options);

}  // namespace axmul::detail
