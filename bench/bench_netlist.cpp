// Netlists of about 300 gates per second and core, from Verilog text to product table, and its
// parts. Every iteration takes the next of many circuits.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "axmul/core/philox.hpp"
#include "axmul/netlist/netlist.hpp"
#include "axmul/netlist/readers.hpp"

namespace {

using namespace axmul;

// A multiplier-like circuit of about 300 two-input gates in the style of EvoApproxLib: 64 partial
// products, then sums of random neighbours, as scalar wires with one assignment each.
std::string circuit(std::uint64_t seed, int gates) {
  Philox random(seed);
  std::vector<std::string> nets;
  std::string wires, body;
  const auto add = [&](const std::string& expression) {
    const std::string name = "sig_" + std::to_string(16 + nets.size());
    wires += (wires.empty() ? "wire " : ",") + name;
    body += "assign " + name + " = " + expression + ";\n";
    nets.push_back(name);
  };
  for (int i = 0; i < 64; ++i)
    add("A[" + std::to_string(i / 8) + "] & B[" + std::to_string(i % 8) + "]");
  const char* operators[] = {" ^ ", " & ", " ^ ", " | "};
  while (static_cast<int>(nets.size()) < gates) {
    const std::size_t window = 70;
    const std::size_t first = nets.size() > window ? nets.size() - window : 0;
    const auto pick = [&] { return nets[first + random.next_below(nets.size() - first)]; };
    const std::string x = pick();
    add(x + operators[random.next_below(4)] + pick());
  }
  std::string out;
  for (int i = 0; i < 16; ++i)
    out += "assign O[" + std::to_string(i) +
           "] = " + nets[nets.size() - 1 - static_cast<std::size_t>(i)] + ";\n";
  return "module mul8u_bench (\n    A,\n    B,\n    O\n);\n\ninput [7:0] A;\ninput [7:0] "
         "B;\noutput [15:0] O;\n\n" +
         wires + ";\n\n" + body + out + "\nendmodule\n";
}

const std::vector<std::string>& circuits() {
  static const std::vector<std::string> list = [] {
    std::vector<std::string> result;
    for (std::uint64_t seed = 0; seed < 64; ++seed) result.push_back(circuit(seed, 300));
    return result;
  }();
  return list;
}

void parse_to_table(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) {
    const std::string& text = circuits()[i++ % circuits().size()];
    const Lut lut = simulate(read_verilog_text(text, "mul8u_bench.v"), OperandType::u8u8);
    benchmark::DoNotOptimize(lut(3, 200));
  }
  state.counters["netlists/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(parse_to_table)->Unit(benchmark::kMicrosecond);

void parse(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) {
    const Netlist netlist = read_verilog_text(circuits()[i++ % circuits().size()], "mul8u_bench.v");
    benchmark::DoNotOptimize(netlist.cells.data());
  }
}
BENCHMARK(parse)->Unit(benchmark::kMicrosecond);

void simulate_only(benchmark::State& state) {
  std::vector<Netlist> netlists;
  for (const std::string& text : circuits())
    netlists.push_back(read_verilog_text(text, "mul8u_bench.v"));
  std::size_t i = 0;
  for (auto _ : state) {
    const Lut lut = simulate(netlists[i++ % netlists.size()], OperandType::u8u8);
    benchmark::DoNotOptimize(lut(3, 200));
  }
}
BENCHMARK(simulate_only)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
