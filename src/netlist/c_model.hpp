// C models of multipliers: found in their source, read as tables of products.
#pragma once

#include <string>
#include <vector>

#include "axmul/netlist/readers.hpp"
#include "core/reading.hpp"

namespace axmul::detail {

struct CParameter {
  std::string type;          ///< canonical: "uint8_t", "int", "uint64_t" …
  std::string name;          ///< may be empty
  bool sign_chosen = false;  ///< by a type of <stdint.h> or the word signed, as plain int does not
};

struct CFunction {
  std::string name, return_type;
  std::vector<CParameter> parameters;
  std::size_t line = 0;
  /// How it is called where it takes more than the operands: "f(\1, \2, 2)", \1 and \2 the first
  /// and second operand as bytes of those values; empty: f(first, second).
  std::string call{};
};

/// Functions defined at file level with integer parameters and result. Never throws on odd C: what
/// it does not understand is no candidate.
std::vector<CFunction> find_c_functions(const std::string& text);

/// The function of two operands that the file is about: the one that options.function or .call
/// names, else named as the file, else the only one, else the only one named mul…. With a call its
/// parameters are those of the operands. Throws InputError AX264, UsageError AX235 (the call).
CFunction find_c_model(const std::string& text, const std::string& path,
                       const NetlistOptions& options = {});

/// The function as a table of products of operands of so many bits (a, b; 8 at most): what
/// parameters and names declare, then what it returns.
Decision decide_c_model(const std::string& path, const CFunction& function,
                        const NetlistOptions& options, const OperandWidths& bits = {});

}  // namespace axmul::detail
