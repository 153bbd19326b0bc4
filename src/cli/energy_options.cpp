// Which energy a command prices by.
#include "cli/energy_options.hpp"

#include <algorithm>

#include "axmul/core/errors.hpp"

namespace axmul::cli {

OptionSpec energy_option_spec() {
  return {"energy",
          "WAY",
          "Which energy is compared: published (power as published or generally estimated), traced "
          "(estimated under the layer's traced operands), held (the same with one operand held).",
          "published",
          false,
          {"published", "traced", "held"}};
}

std::vector<OptionSpec> price_option_specs() {
  return {
      {"hold",
       "OPERAND",
       "The operand that is held: b a weight while receptive fields pass, a an activation while "
       "output channels pass.",
       "b",
       false,
       {"a", "b"}},
      {"scope",
       "WHAT",
       "multiplier alone, or mac: with sign logic, accumulator and rounding.",
       "multiplier",
       false,
       {"multiplier", "mac"}},
      {"reference",
       "EXACT",
       "The exact multiplier whose energy is 1; 8x7 is what weights −127 … 127 need.",
       "8x8",
       false,
       {"8x8", "8x7"}},
      {"circuits", "PATH",
       "Circuit files or folders: a multiplier has the gates of the circuit that computes its "
       "table.",
       "", true}};
}

PriceOptions price_options(const Session& session) {
  PriceOptions options;
  options.held = session.args.text_or("hold", "b") == "a" ? Held::a : Held::b;
  options.scope =
      parse_energy_scope(session.args.text_or("scope", "multiplier")).value_or(options.scope);
  options.reference =
      parse_energy_reference(session.args.text_or("reference", "8x8")).value_or(options.reference);
  return options;
}

EnergyBasis session_energy(const Session& session) {
  return parse_energy_basis(session.args.text_or("energy", "published"))
      .value_or(EnergyBasis::published);
}

std::vector<std::shared_ptr<const PricedCircuit>> session_circuits(
    Session& session, std::span<const Multiplier> library, const NetlistOptions& options) {
  PricedCircuits given;
  if (session.args.has("circuits"))
    given = read_priced_circuits(session.args.values("circuits"), options);
  auto circuits = circuits_of(library, given.circuits, options);
  std::vector<std::string> without;
  for (std::size_t j = 0; j < library.size(); ++j)
    if (!circuits[j]) without.push_back(library[j].name);
  if (!without.empty())
    warn(session, std::to_string(without.size()) + " of " + std::to_string(library.size()) +
                      " multipliers have no gates, so no estimated energy (--circuits): " +
                      first_few(without));
  return circuits;
}

void check_table_options(const Session& session, const OutputTarget& target) {
  if (target.format == "table") return;
  for (const char* option : {"sort", "columns", "top"})
    if (session.args.has(option))
      throw UsageError(1015,
                       std::string("--") + option + " arranges tables; " + target.format +
                           " of energies has everything, leave it out or take --format table");
}

}  // namespace axmul::cli
