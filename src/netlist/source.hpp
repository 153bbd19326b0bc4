// Reading a text file whole, and errors that point into it.
#pragma once

#include <string>
#include <string_view>

#include "axmul/core/errors.hpp"

namespace axmul::detail {

/// The whole file. Throws InputError AX200 (unreadable) or AX210 (larger than max_bytes).
std::string read_source(const std::string& path, std::size_t max_bytes);

[[noreturn]] inline void fail(int id, const std::string& path, std::size_t line,
                              const std::string& message) {
  throw InputError(id, Place{path, line}, message);
}

/// Text in quotes for a message, shortened when long.
std::string in_quotes(std::string_view text);

}  // namespace axmul::detail
