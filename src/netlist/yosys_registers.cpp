// Registers among the cells of yosys.
#include "netlist/yosys_registers.hpp"

namespace axmul::detail {

namespace {

/// A parameter that is a number or a text of bits; absent: true, as polarities mostly are.
bool is_set(const Json& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return true;
  if (found->is_number_integer()) return found->get<std::int64_t>() != 0;
  return found->is_string() && found->get_ref<const std::string&>().find('1') != std::string::npos;
}

RegisterKind by_parameters(const std::string& type, const Json& parameters) {
  RegisterKind kind;
  const std::string prefix = type[1] == 's' ? "S" : "A";
  if (type != "$dff" && type != "$dffe") kind.reset = prefix + "RST";
  if (type.find('e') != std::string::npos) kind.enable = "EN";
  kind.reset_high = is_set(parameters, prefix + "RST_POLARITY");
  kind.enable_high = is_set(parameters, "EN_POLARITY");
  const auto value = parameters.find(prefix + "RST_VALUE");
  if (value != parameters.end() && value->is_string()) kind.reset_value = value->get<std::string>();
  return kind;
}

}  // namespace

bool is_register(const std::string& type) {
  for (const char* start : {"$_DFF_", "$_DFFE_", "$_SDFF_", "$_SDFFE_", "$_SDFFCE_"})
    if (type.starts_with(start)) return true;
  for (const char* whole : {"$dff", "$dffe", "$adff", "$adffe", "$sdff", "$sdffe", "$sdffce"})
    if (type == whole) return true;
  return false;
}

bool has_state(const std::string& type) {
  for (const char* part : {"ff", "FF", "latch", "LATCH", "mem", "_SR_", "$sr"})
    if (type.find(part) != std::string::npos) return true;
  return false;
}

RegisterKind register_kind(const std::string& type, const Json& parameters) {
  if (!type.starts_with("$_")) return by_parameters(type, parameters);
  RegisterKind kind;
  const std::string letters = type.substr(type.find('_', 2) + 1);  // "PN0P_"
  if (letters.size() >= 4 && (letters[2] == '0' || letters[2] == '1')) {
    kind.reset = "R";
    kind.reset_high = letters[1] == 'P';
    kind.reset_value = letters.substr(2, 1);
  }
  const bool has_enable =
      type.find("FE_") != std::string::npos || type.find("CE_") != std::string::npos;
  if (has_enable && letters.size() >= 3) {
    kind.enable = "E";
    kind.enable_high = letters[letters.size() - 2] == 'P';
  }
  return kind;
}

}  // namespace axmul::detail
