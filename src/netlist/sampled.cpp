// Random patterns through the simulation's program, ones counted net by net.
#include "netlist/sampled.hpp"

#include <bit>

#include "axmul/core/philox.hpp"
#include "netlist/compiler.hpp"

namespace axmul::detail {

namespace {

constexpr std::size_t kBlocks = 64;  // of kBlockPatterns
constexpr std::uint64_t kSeed = 20240229;

}  // namespace

std::vector<double> sampled_probabilities(const Netlist& netlist, std::span<const NetId> a,
                                          std::span<const NetId> b) {
  Compiler compiler(netlist, false);  // every net keeps its slot
  for (NetId net = 0; net < netlist.net_count; ++net) compiler.keep(net);
  compiler.mark_live();
  std::vector<std::uint32_t> operands, others;
  for (const auto& bits : {a, b})
    for (const NetId net : bits) operands.push_back(compiler.place(net));
  for (const Port& port : netlist.ports)
    if (!port.is_output)
      for (const NetId net : port.nets)
        if (compiler.slot(net) == kNone) others.push_back(compiler.place(net));
  compiler.compile();
  const SlotWords slots = aligned_words((compiler.slot_count() + 1) * kBlockWords);
  for (const std::uint32_t slot : others)
    std::fill_n(slots.get() + slot * kBlockWords, kBlockWords, std::uint64_t{0});
  std::vector<std::uint64_t> ones(netlist.net_count, 0);
  Philox random(kSeed);
  for (std::size_t block = 0; block < kBlocks; ++block) {
    for (const std::uint32_t slot : operands)
      for (std::size_t i = 0; i < kBlockWords; ++i)
        slots[slot * kBlockWords + i] = random.next_u64();
    run_steps(compiler.steps.data(), compiler.steps.size(), slots.get());
    for (NetId net = 0; net < netlist.net_count; ++net) {
      if (compiler.slot(net) == kNone) continue;
      const std::uint64_t* words = slots.get() + compiler.slot(net) * kBlockWords;
      for (std::size_t i = 0; i < kBlockWords; ++i)
        ones[net] += static_cast<std::uint64_t>(std::popcount(words[i]));
    }
  }
  std::vector<double> result;
  for (const std::uint64_t count : ones)
    result.push_back(static_cast<double>(count) / (kBlocks * kBlockPatterns));
  return result;
}

}  // namespace axmul::detail
