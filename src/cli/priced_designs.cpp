// Finds the circuits that `axmul cost` prices.
#include "cli/priced_designs.hpp"

#include <cmath>
#include <filesystem>

#include "axmul/core/errors.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/netlist/circuits.hpp"
#include "cli/circuit_options.hpp"
#include "cli/design_options.hpp"
#include "cli/energy_options.hpp"
#include "cli/model_options.hpp"
#include "command/output.hpp"

namespace axmul::cli {

std::vector<std::shared_ptr<const PricedCircuit>> circuits_to_price(Session& session) {
  for (const char* option : {"as-one", "filelist"})
    if (session.args.has(option))
      throw UsageError(1045, std::string("--") + option +
                                 " is for axmul cost without --traces, --run and --judge; these "
                                 "take circuits of one file each");
  const NetlistOptions options = circuit_options(session);
  std::vector<std::string> direct, tables;
  for (const std::string& text : session.args.positional(0))
    (std::filesystem::is_directory(text) || is_circuit_file(text) || looks_like_design(text)
         ? direct
         : tables)
        .push_back(text);
  std::vector<std::shared_ptr<const PricedCircuit>> result;
  if (!direct.empty()) {
    PricedCircuits read = read_priced_circuits(direct, options);
    for (PricedCircuit& circuit : read.circuits)
      result.push_back(std::make_shared<PricedCircuit>(std::move(circuit)));
    if (read.skipped > 0)
      warn(session, std::to_string(read.skipped) +
                        " circuits of folders are no multipliers of at most 8 × 8 bits");
  }
  if (!tables.empty()) {
    const DesignList list = session_designs(session, tables);
    const std::vector<Multiplier> library = load(list.designs);
    const auto of = session_circuits(session, library, options);
    for (std::size_t j = 0; j < of.size(); ++j) {
      if (!of[j]) continue;
      PricedCircuit named = *of[j];
      named.name = library[j].name;
      // A narrow entry's power_rel is to the exact one of its own width.
      if (library[j].lut.sized_type().is_8x8() && !std::isnan(library[j].cost.power_rel))
        named.cost = library[j].cost;
      result.push_back(std::make_shared<PricedCircuit>(std::move(named)));
    }
  }
  if (result.empty()) throw InputError(1013, "none of the designs has gates that could be priced");
  return result;
}

}  // namespace axmul::cli
