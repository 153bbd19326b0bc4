// Options of commands that price multipliers in layers: which energy, of what, relative to what.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "axmul/tables/energy.hpp"
#include "command/command.hpp"
#include "command/output.hpp"

namespace axmul::cli {

/// --hold, --scope, --reference and --circuits; --energy belongs to commands that choose one.
std::vector<OptionSpec> price_option_specs();
OptionSpec energy_option_spec();

PriceOptions price_options(const Session& session);
EnergyBasis session_energy(const Session& session);

/// The circuits of multipliers, those of --circuits first; warns of what has none.
std::vector<std::shared_ptr<const PricedCircuit>> session_circuits(
    Session& session, std::span<const Multiplier> library, const NetlistOptions& options);

/// --sort, --columns and --top arrange the tables of energies; their CSV has all columns. Throws
/// UsageError AX1015.
void check_table_options(const Session& session, const OutputTarget& target);

}  // namespace axmul::cli
