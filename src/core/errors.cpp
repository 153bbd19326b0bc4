// Renders ids and places into messages.
#include "axmul/core/errors.hpp"

namespace axmul {

namespace {
std::string render(const Place& place, const std::string& message) {
  if (place.path.empty()) return message;
  if (place.line == 0) return place.path + ": " + message;
  return place.path + ":" + std::to_string(place.line) + ": " + message;
}
}  // namespace

Error::Error(int id, const std::string& message)
    : std::runtime_error("AX" + std::to_string(id) + " " + message), id_(id) {}

InputError::InputError(int id, const Place& place, const std::string& message)
    : Error(id, render(place, message)) {}

InterruptedError::InterruptedError() : Error(1, "interrupted") {}

InternalError::InternalError(const std::string& message)
    : Error(2, "internal error (please report): " + message) {}

}  // namespace axmul
