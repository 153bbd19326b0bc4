// C models of multipliers: found in their source, compiled, called for every operand pair.
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
};

/// Functions defined at file level with integer parameters and result. Never throws on odd C: what
/// it does not understand is no candidate.
std::vector<CFunction> find_c_functions(const std::string& text);

/// The function of two operands that the file is about: named as the file, else the only one, else
/// the only one named mul…. Throws InputError AX264.
CFunction find_c_model(const std::string& text, const std::string& path);

/// What the function returns for every pair of operands, first parameter slow, both ascending from
/// -128 where signed, else from 0. Unsigned parameters get the byte of a negative operand; an
/// unsigned result is a pattern of 16 bits where the operands are signed. Throws UsageError AX260
/// without allow_native_code, InputError AX261 (does not compile), AX263 (crash, time limit,
/// rubbish).
Words run_c_model(const std::string& path, const CFunction& function, bool first_signed,
                  bool second_signed, const NetlistOptions& options);

/// The function as a table of products: what parameters and names declare, then what it returns.
Decision decide_c_model(const std::string& path, const CFunction& function,
                        const NetlistOptions& options);

}  // namespace axmul::detail
