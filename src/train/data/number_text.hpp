// Numbers in attributes and metadata of weights files: "0.5,0.25".
#pragma once

#include <charconv>
#include <span>
#include <string>

namespace axmul::detail {

/// With commas between; each reads back as the same double.
inline std::string join_numbers(std::span<const double> values) {
  std::string text;
  for (const double v : values) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
    text += (text.empty() ? "" : ",") + std::string(buffer, end);
  }
  return text;
}

}  // namespace axmul::detail
