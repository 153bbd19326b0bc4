// The preprocessor of Verilog: conditions, macros and included files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace axmul::detail {

struct VerilogMacros {
  std::vector<std::string> defines{};  ///< "NAME" or "NAME=TEXT"
  std::vector<std::string> folders{};  ///< where `include looks besides the file's own folder
  std::size_t max_bytes = std::size_t{64} << 20;  ///< of the result
};

/// True where the text has a directive that preprocess_verilog() carries out.
bool needs_preprocessing(std::string_view text);

/// The text with `ifdef `ifndef `elsif `else `endif `define `undef `include carried out and macros
/// replaced. Lines keep their numbers: an included file stands in the line that names it. Other
/// directives stay. Included files lie in the file's folder, in one of `folders`, or below these.
/// Throws InputError AX215 (unbalanced, an unknown macro, a file that cannot be included), AX210.
std::string preprocess_verilog(std::string_view text, const std::string& path,
                               const VerilogMacros& macros = {});

}  // namespace axmul::detail
