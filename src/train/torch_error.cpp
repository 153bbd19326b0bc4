// Picks the line that matters out of libtorch's error texts.
#include "train/torch_error.hpp"

#include <string_view>

#include "axmul/core/text.hpp"

namespace axmul::train {

std::string torch_message(const std::exception& error) {
  const std::string_view text = error.what();
  std::string_view line;
  // "… RuntimeError: what it was": the last one is the cause of those before it.
  if (const auto at = text.rfind("Error: "); at != std::string_view::npos)
    line = first_line(text.substr(at + 7));
  if (line.empty()) line = first_line(text);
  return line.empty() ? "an error without a text" : std::string(line);
}

void throw_torch_error(int id, const Place& place, const std::string& before,
                       const std::exception& error, const std::string& after) {
  std::throw_with_nested(InputError(id, place, before + torch_message(error) + after));
}

}  // namespace axmul::train
