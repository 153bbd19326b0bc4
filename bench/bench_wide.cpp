// Streams of 16x16 bits beside tables of 8x8: gates times operand pairs a second, one core, both
// measured in turns within each iteration.
#include <benchmark/benchmark.h>

#include <ctime>
#include <vector>

#include "axmul/core/philox.hpp"
#include "axmul/netlist/netlist.hpp"
#include "axmul/netlist/wide.hpp"
#include "axmul/stats/metrics.hpp"
#include "axmul/stats/wide.hpp"

namespace {

using namespace axmul;

constexpr int kTables = 200;

/// Partial products, then sums of random neighbours, about as many gates as a multiplier of that
/// width has in a library. Only the low `free_a` bits of operand a are inputs, so that a run of
/// 16x16 bits takes a second; the gates are those of the whole.
Netlist circuit(int width, int free_a, std::size_t gates, std::uint64_t seed) {
  Philox random(seed);
  NetlistBuilder builder("bench");
  std::vector<NetId> a = builder.input("A", free_a), b = builder.input("B", width);
  while (static_cast<int>(a.size()) < width) a.push_back(a[a.size() % 3]);
  std::vector<NetId> nets;
  for (const NetId x : a)
    for (const NetId y : b) nets.push_back(builder.and2(x, y));
  const std::size_t window = 8 * static_cast<std::size_t>(width) + 6;
  while (nets.size() < gates) {
    const std::size_t first = nets.size() - window;
    const NetId x = nets[first + random.next_below(window)];
    const NetId y = nets[first + random.next_below(window)];
    const auto kind = random.next_below(4);
    nets.push_back(kind == 0   ? builder.and2(x, y)
                   : kind == 1 ? builder.or2(x, y)
                               : builder.xor2(x, y));
  }
  builder.output("O", std::span(nets).last(2 * static_cast<std::size_t>(width)));
  return builder.take();
}

/// Of this process's processors, so that a loaded machine tells the same.
double seconds(std::clock_t start) {
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

/// Gates that simulate: those that no output needs are left out on both sides.
double live_gates(const Netlist& netlist) {
  std::vector<char> needed(netlist.net_count, 0);
  for (const Port& port : netlist.ports)
    if (port.is_output)
      for (const NetId net : port.nets) needed[net] = 1;
  double count = 0;
  for (std::size_t i = netlist.cells.size(); i-- > 0;) {
    if (needed[netlist.outputs(netlist.cells[i])[0]] == 0) continue;
    ++count;
    for (const NetId net : netlist.inputs(netlist.cells[i])) needed[net] = 1;
  }
  return count;
}

/// From netlist to figures both ways, and to the table alone.
void table_and_stream(benchmark::State& state) {
  const Netlist narrow = circuit(8, 8, 300, 1), wide = circuit(16, 10, 1500, 2);
  const SizedType type(OperandType::u8u8, {10, 16});
  CharacterizeOptions options;
  options.distribution = false;
  double table_time = 0, simulate_time = 0, stream_time = 0;
  for (auto _ : state) {
    std::clock_t start = std::clock();
    for (int i = 0; i < kTables; ++i) benchmark::DoNotOptimize(simulate(narrow, type.kind));
    simulate_time += seconds(start);
    start = std::clock();
    for (int i = 0; i < kTables; ++i)
      benchmark::DoNotOptimize(characterize(simulate(narrow, type.kind), options).metrics.mae);
    table_time += seconds(start);
    start = std::clock();
    const auto source = netlist_products(wide, type);
    benchmark::DoNotOptimize(characterize_wide(*source, Convention::evoapproxlib, 1).metrics.mae);
    stream_time += seconds(start);
  }
  const auto rounds = static_cast<double>(state.iterations());
  const double table_work = rounds * kTables * 65536 * live_gates(narrow);
  const double table = table_work / table_time, simulated = table_work / simulate_time;
  const double stream = rounds * static_cast<double>(type.pairs()) * live_gates(wide) / stream_time;
  state.counters["simulate_Ggate_pairs/s"] = simulated / 1e9;
  state.counters["table_Ggate_pairs/s"] = table / 1e9;
  state.counters["stream_Ggate_pairs/s"] = stream / 1e9;
  state.counters["stream/table"] = stream / table;
  state.counters["stream/simulate"] = stream / simulated;
}
BENCHMARK(table_and_stream)->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace

BENCHMARK_MAIN();
