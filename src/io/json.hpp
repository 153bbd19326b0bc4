// JSON as files and commands have it: keys in the order given, undefined figures null.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace axmul {

using Json = nlohmann::ordered_json;

/// null for NaN and infinities, which JSON does not have.
inline Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

/// Deeper JSON is refused: what is read may be printed again, and that recurs.
inline constexpr int kDeepestJson = 64;

/// Parses a stranger's text. Throws Json::exception, also for nesting beyond kDeepestJson.
inline Json parse_json(std::string_view text) {
  return Json::parse(text, [](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepestJson) throw Json::other_error::create(501, "nested too deeply", nullptr);
    return true;
  });
}

/// A whole number ≥ 0, which get<std::size_t>() would also make of −1 and 0.5. Throws
/// Json::exception.
inline std::uint64_t natural(const Json& json, const char* key) {
  const Json& value = json.at(key);
  if (!value.is_number_unsigned())
    throw Json::other_error::create(501, "\"" + std::string(key) + "\" is no whole number from 0",
                                    nullptr);
  return value.get<std::uint64_t>();
}

/// A finite number from `least` to `most`; NaN for null or a missing key. Throws Json::exception.
inline double real_between(const Json& json, const char* key, double least, double most) {
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return std::numeric_limits<double>::quiet_NaN();
  const bool right = it->is_number() && it->get<double>() >= least && it->get<double>() <= most;
  if (!right)
    throw Json::other_error::create(501, "\"" + std::string(key) + "\" is no number in its range",
                                    nullptr);
  return it->get<double>();
}

}  // namespace axmul
