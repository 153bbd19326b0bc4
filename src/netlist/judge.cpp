// The judge: runs yosys, OpenSTA and Icarus Verilog, and reads what they say.
#include "axmul/netlist/judge.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/netlist/readers.hpp"
#include "netlist/cells.hpp"
#include "netlist/judge_text.hpp"
#include "netlist/process.hpp"

namespace axmul {

using detail::TemporaryFolder;

namespace {

constexpr double kPeriodNs = 100;  // of the clock that activities refer to

// At one transition a clock OpenSTA 2.0.17 adds the inner energies of a rise and of a fall, mean
// over the input pins: an inverter of osu018 shows the sum of both entries of its table. A
// transition takes half of that. Switching is C·V²/2 for each, as it should be.
constexpr double kInternalPerTransition = 0.5;

std::string run_tool(const std::vector<std::string>& argv, const TemporaryFolder& folder,
                     double timeout_s) {
  detail::ProcessOptions limits;
  limits.timeout_s = timeout_s;
  limits.max_memory = std::size_t{4} << 30;
  limits.max_output = std::size_t{64} << 20;
  limits.directory = folder.path();
  limits.environment = detail::environment_with({"TMPDIR=" + folder.path()});
  const detail::ProcessResult result = detail::run_process(argv, limits);
  if (!result.started)
    throw UnavailableError(723,
                           "the judge needs yosys, iverilog and sta (apt install yosys "
                           "berkeley-abc iverilog opensta); " +
                               argv[0] + " is not installed");
  if (result.timed_out)
    throw InputError(724, "the judge's " + argv[0] + " ran longer than its time limit");
  if (result.exit_code != 0 || result.overflowed) {
    const std::size_t at = result.output.find("ERROR");
    throw InputError(724, "the judge's " + argv[0] + " failed: " +
                              result.output.substr(at == std::string::npos ? 0 : at, 300));
  }
  return result.output;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file) throw UnavailableError(262, "cannot write " + path);
}

}  // namespace

std::string default_liberty() {
  for (const char* name : {"osu018", "osu035", "osu050"}) {
    const std::string path =
        detail::joined("/usr/share/qflow/tech/", name, "/", name, "_stdcells.lib");
    if (std::filesystem::exists(path)) return path;
  }
  return "";
}

struct Judge::State {
  TemporaryFolder folder;
  JudgeOptions options;
  std::string liberty;
  std::size_t a_bits = 0, b_bits = 0, cells = 0;
  double area = 0, delay_ns = 0;
  std::vector<detail::MappedCell> mapped;
  std::map<std::string, detail::CellEnergy, std::less<>> energy;  // by instance

  std::string script_head() const {
    return "read_liberty {" + liberty + "}\nread_verilog cells.v\nlink_design judged\n" +
           detail::joined("create_clock -name clock -period ", kPeriodNs, "\n") +
           "set_input_delay 0 -clock clock [all_inputs]\n"
           "set_output_delay 0 -clock clock [all_outputs]\n"
           "set_input_transition 0.1 [all_inputs]\n";
  }
};

Judge::Judge(const Netlist& netlist, const PortMap& ports, const JudgeOptions& options)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.options = options;
  s.liberty = options.liberty.empty() ? default_liberty() : options.liberty;
  if (s.liberty.empty())
    throw UnavailableError(723,
                           "the judge needs a Liberty library with delays and power: give one, or "
                           "install qflow-tech-osu018");
  s.liberty = std::filesystem::absolute(s.liberty).string();
  if (s.liberty.find_first_of("\"{}\n\\") != std::string::npos)
    throw UsageError(723, "the judge's scripts cannot name " + s.liberty);
  const auto library = std::make_shared<CellLibrary>();
  library->add_liberty(s.liberty);
  const PortMap map = find_multiplier_ports(netlist, ports);
  s.a_bits = netlist.find_port(map.a)->nets.size();
  s.b_bits = netlist.find_port(map.b)->nets.size();
  write(s.folder.file("given.v"), detail::judged_verilog(netlist, map));
  write(s.folder.file("map.ys"),
        "read_verilog given.v\nhierarchy -check -top judged\nsynth -flatten -top judged\n"
        "abc -liberty \"" +
            s.liberty + "\"\nopt_clean -purge\nstat -liberty \"" + s.liberty +
            "\"\nwrite_verilog -noattr -noexpr mapped.v\n");
  const std::string said = run_tool({"yosys", "-s", "map.ys"}, s.folder, options.timeout_s);
  s.area = detail::number_after(said, "Chip area for module '\\judged':");
  const std::string mapped = read_file(s.folder.file("mapped.v"));
  s.mapped = detail::mapped_cells(mapped, *library);
  write(s.folder.file("cells.v"), detail::without_assignments(mapped));
  s.cells = s.mapped.size();
  if (s.cells == 0) return;  // wires only: no energy
  write(s.folder.file("delay.tcl"), s.script_head() +
                                        "report_checks -path_delay max -format end\n"
                                        "write_sdf -digits 4 mapped.sdf\n"
                                        "set_power_activity -global -activity 1 -duty 0.5\n"
                                        "report_power -instances [get_cells *] -digits 9\n");
  const std::string timing =
      run_tool({"sta", "-no_splash", "-exit", "delay.tcl"}, s.folder, options.timeout_s);
  s.delay_ns = kPeriodNs - detail::worst_slack(timing);
  for (const auto& [instance, power] : detail::read_powers(timing, s.mapped))
    s.energy[instance] = {power.internal_w * kPeriodNs * 1e6 * kInternalPerTransition,
                          power.switching_w * kPeriodNs * 1e6};
  const detail::CellDelays delays = detail::read_sdf(read_file(s.folder.file("mapped.sdf")));
  write(s.folder.file("bench.v"), detail::cell_models(s.mapped, *library) +
                                      detail::bench(s.mapped, delays, s.a_bits, s.b_bits));
  run_tool({"iverilog", "-g2005", "-o", "bench.vvp", "-s", "bench", "bench.v", "mapped.v"},
           s.folder, options.timeout_s);
}

Judge::~Judge() = default;
Judge::Judge(Judge&&) noexcept = default;
Judge& Judge::operator=(Judge&&) noexcept = default;

double Judge::area() const { return state_->area; }
double Judge::delay_ns() const { return state_->delay_ns; }
std::size_t Judge::cells() const { return state_->cells; }

JudgedEnergy Judge::energy(const OperandPairs& pairs) const {
  const State& s = *state_;
  JudgedEnergy energy;
  if (s.cells == 0) return energy;
  const detail::Stimulus stimulus = detail::stimulus(pairs, s.options.changes, s.a_bits, s.b_bits);
  write(s.folder.file("pairs.hex"), stimulus.text);
  const std::string said =
      run_tool({"vvp", "-n", "bench.vvp", detail::joined("+lines=", stimulus.lines)}, s.folder,
               s.options.timeout_s);
  std::istringstream lines(said);
  std::string word, cell;
  const auto changes = static_cast<double>(stimulus.changes);
  std::size_t found = 0;
  while (lines >> word) {
    double toggles = 0, settled = 0;
    if (word != "TOGGLES" || !(lines >> cell >> toggles >> settled)) continue;
    const auto of = s.energy.find(cell.substr(cell.rfind('.') + 1));
    if (of == s.energy.end()) continue;
    energy.toggles += toggles / changes;
    energy.settled_toggles += settled / changes;
    energy.internal_fj += toggles / changes * of->second.internal_fj;
    energy.switching_fj += toggles / changes * of->second.switching_fj;
    ++found;
  }
  if (found != s.cells)
    throw InputError(724, detail::joined("the judge's simulation told ", found, " of ", s.cells,
                                         " cells: ", said.substr(0, 300)));
  return energy;
}

}  // namespace axmul
