// Switching energy of AND-XOR graphs under operand pairs, simulated 64 pairs a word.
#include "axmul/netlist/energy_model.hpp"

#include <algorithm>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/cost.hpp"
#include "netlist/activity.hpp"
#include "netlist/graph_netlist.hpp"
#include "netlist/switching.hpp"

namespace axmul {

using detail::kGlitchPart;

double glitch_part() { return kGlitchPart; }

using detail::ActivityNode;
using detail::kActivityWords;
using detail::kWaveWords;
using detail::NodeKind;
using detail::WaveNode;
using detail::Xag;

namespace {

template <class Pairs>
void check_pairs(const Pairs& pairs, int a_bits, int b_bits, int most) {
  const std::size_t n = pairs.a.size(), next = pairs.next_a.size();
  if (n == 0 || pairs.b.size() != n || next != pairs.next_b.size() || (next != 0 && next != n))
    throw UsageError(720,
                     "operand pairs: a and b, and what follows them, are of one length, and "
                     "at least one");
  if (a_bits < 1 || a_bits > most || b_bits < 1 || b_bits > most)
    throw UsageError(720, "operands have 1 … " + std::to_string(most) + " bits, not " +
                              std::to_string(a_bits) + " and " + std::to_string(b_bits));
}

// Byte number `byte` of every word, zeros up to the last plane's whole word.
template <class Word>
std::vector<std::uint8_t> bytes_of(const std::vector<Word>& words, int byte, std::size_t padded) {
  std::vector<std::uint8_t> bytes(padded, 0);
  for (std::size_t i = 0; i < words.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(words[i] >> (8 * byte) & 0xFF);
  return bytes;
}

template <class Word>
void add_planes(const std::vector<Word>& values, int bits, std::size_t words,
                std::vector<std::uint64_t>& planes) {
  for (int first = 0; first < bits; first += 8) {
    const int some = std::min(8, bits - first);
    const std::vector<std::uint8_t> bytes = bytes_of(values, first / 8, 64 * words);
    planes.resize(planes.size() + static_cast<std::size_t>(some) * words);
    detail::to_planes(bytes.data(), bytes.size(), some, words,
                      planes.data() + planes.size() - static_cast<std::size_t>(some) * words);
  }
}

}  // namespace

PairPlanes::PairPlanes(const OperandPairs& pairs, int a_bits, int b_bits)
    : a_bits_(a_bits), b_bits_(b_bits), pairs_(pairs.size()), words_((pairs_ + 63) / 64) {
  check_pairs(pairs, a_bits, b_bits, 8);
  fill(pairs);
}

PairPlanes::PairPlanes(const WordPairs& pairs, int a_bits, int b_bits)
    : a_bits_(a_bits), b_bits_(b_bits), pairs_(pairs.a.size()), words_((pairs_ + 63) / 64) {
  check_pairs(pairs, a_bits, b_bits, 32);
  fill(pairs);
}

template <class Pairs>
void PairPlanes::fill(const Pairs& pairs) {
  add_planes(pairs.a, a_bits_, words_, now_);
  add_planes(pairs.b, b_bits_, words_, now_);
  if (pairs.next_a.empty()) return;
  add_planes(pairs.next_a, a_bits_, words_, next_);
  add_planes(pairs.next_b, b_bits_, words_, next_);
}

struct EnergyModel::State {
  Xag graph;
  std::vector<char> live;
  std::vector<double> load;
  std::vector<ActivityNode> nodes;
  std::vector<WaveNode> waves;
  std::size_t a_bits, b_bits;
};

namespace {

std::vector<ActivityNode> activity_nodes(const Xag& graph, const std::vector<char>& live) {
  std::vector<ActivityNode> result;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Xag::Node& node = graph.nodes()[i];
    ActivityNode one;
    if (node.kind == Xag::Kind::input) one.kind = NodeKind::input;
    if (detail::is_gate(node) && live[i] != 0) {
      one.kind = node.kind == Xag::Kind::land ? NodeKind::land : NodeKind::lxor;
      one.a = node.a / 2;
      one.b = node.b / 2;
      one.invert_a = (node.a & 1) != 0 ? ~std::uint64_t{0} : 0;
      one.invert_b = (node.b & 1) != 0 ? ~std::uint64_t{0} : 0;
    }
    result.push_back(one);
  }
  return result;
}

// Delays in units of a NAND's: an XOR takes two.
constexpr std::uint32_t kAndDelay = 1, kXorDelay = 2;

std::vector<WaveNode> wave_nodes(const std::vector<ActivityNode>& nodes) {
  std::vector<WaveNode> result;
  std::size_t rows = 0;
  for (const ActivityNode& node : nodes) {
    WaveNode one{node, 0, 0, 0, rows};
    if (node.kind == NodeKind::land || node.kind == NodeKind::lxor) {
      one.delay = node.kind == NodeKind::land ? kAndDelay : kXorDelay;
      one.first = std::min(result[node.a].first, result[node.b].first) + one.delay;
      one.last = std::max(result[node.a].last, result[node.b].last) + one.delay;
    }
    rows += one.last - one.first + 2;
    result.push_back(one);
  }
  return result;
}

// Pairs whose glitches are counted: what is left out has a small part of the energy, and waves
// take their time.
constexpr std::size_t kGlitchPairs = 4096;

// Inputs' waves: their planes before and after, words first … first + kWaveWords.
void load_waves(const std::vector<std::uint64_t>& now, const std::vector<std::uint64_t>& next,
                std::size_t words, std::size_t first, const std::vector<WaveNode>& nodes,
                std::vector<std::uint64_t>& waves) {
  for (std::size_t input = 0; input < now.size() / words; ++input)
    for (std::size_t w = 0; w < kWaveWords; ++w) {
      const bool inside = first + w < words;
      std::uint64_t* to = waves.data() + nodes[1 + input].wave * kWaveWords + w;
      to[0] = inside ? now[input * words + first + w] : 0;
      to[kWaveWords] = inside ? next[input * words + first + w] : 0;
    }
}

// Planes in which pair i is what was pair i + 1; the last one follows itself.
std::vector<std::uint64_t> shifted(const std::vector<std::uint64_t>& planes, std::size_t words,
                                   std::size_t pairs) {
  std::vector<std::uint64_t> result(planes.size());
  const std::size_t last_word = (pairs - 1) / 64, last_bit = (pairs - 1) % 64;
  for (std::size_t plane = 0; plane < planes.size() / words; ++plane) {
    const std::uint64_t* from = planes.data() + plane * words;
    std::uint64_t* to = result.data() + plane * words;
    for (std::size_t w = 0; w < words; ++w)
      to[w] = from[w] >> 1 | (w + 1 < words ? from[w + 1] << 63 : 0);
    const std::uint64_t bit = std::uint64_t{1} << last_bit;
    to[last_word] = (to[last_word] & ~bit) | (from[last_word] & bit);
  }
  return result;
}

// Transitions per pair that do not stay, of every node, with the delays above.
std::vector<double> glitches(const std::vector<WaveNode>& nodes, const PairPlanes& pairs) {
  const std::vector<std::uint64_t> follows =
      pairs.are_ordered() ? std::vector<std::uint64_t>()
                          : shifted(pairs.now(), pairs.words(), pairs.pairs());
  const auto& next = pairs.are_ordered() ? pairs.next() : follows;
  std::vector<std::uint64_t> waves(
      (nodes.back().wave + nodes.back().last - nodes.back().first + 2) * kWaveWords, 0);
  std::vector<std::uint64_t> counts(nodes.size(), 0);
  const std::size_t take = std::min(pairs.words(), kGlitchPairs / 64);
  for (std::size_t first = 0; first < take; first += kWaveWords) {
    load_waves(pairs.now(), next, pairs.words(), first, nodes, waves);
    detail::run_waves(nodes.data(), nodes.size(), waves.data(), counts.data());
  }
  const auto n = static_cast<double>(std::min(pairs.pairs(), 64 * take));
  std::vector<double> result;
  for (const std::uint64_t count : counts) result.push_back(static_cast<double>(count) / n);
  return result;
}

// Words first … of all planes into the inputs' slots (nodes 1, 2 …); beyond `words` they are 0.
void load_inputs(const std::vector<std::uint64_t>& planes, std::size_t words, std::size_t first,
                 std::vector<std::uint64_t>& values) {
  const std::size_t take = std::min(kActivityWords, words - first);
  for (std::size_t input = 0; input < planes.size() / words; ++input) {
    std::uint64_t* to = values.data() + (1 + input) * kActivityWords;
    const std::uint64_t* from = planes.data() + input * words + first;
    std::fill(std::copy(from, from + take, to), to + kActivityWords, 0);
  }
}

struct Counts {
  std::vector<std::uint64_t> ones, toggles;  // by node
};

// Bits beyond the last pair hold the pair (0, 0) throughout: what they count is taken off again.
Counts count(const std::vector<ActivityNode>& nodes, const PairPlanes& pairs) {
  Counts counts{std::vector<std::uint64_t>(nodes.size()), std::vector<std::uint64_t>(nodes.size())};
  std::vector<std::uint64_t> now(nodes.size() * kActivityWords, 0), next(now);
  std::size_t blocks = 0;
  for (std::size_t first = 0; first < pairs.words(); first += kActivityWords, ++blocks) {
    load_inputs(pairs.now(), pairs.words(), first, now);
    detail::run_nodes(nodes.data(), nodes.size(), now.data());
    detail::count_ones(now.data(), nodes.size(), counts.ones.data());
    if (!pairs.are_ordered()) continue;
    load_inputs(pairs.next(), pairs.words(), first, next);
    detail::run_nodes(nodes.data(), nodes.size(), next.data());
    detail::count_changes(now.data(), next.data(), nodes.size(), counts.toggles.data());
  }
  const std::size_t padding = blocks * kActivityWords * 64 - pairs.pairs();
  if (padding == 0) return counts;
  std::fill(now.begin(), now.end(), 0);
  detail::run_nodes(nodes.data(), nodes.size(), now.data());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    counts.ones[i] -= (now[i * kActivityWords] & 1) * padding;
  return counts;
}

}  // namespace

EnergyModel::EnergyModel(const Netlist& netlist, const PortMap& ports) {
  const PortMap map = find_multiplier_ports(netlist, ports);
  const auto& a = netlist.find_port(map.a)->nets;
  const auto& b = netlist.find_port(map.b)->nets;
  for (const auto* operand : {&a, &b})
    if (operand->empty() || operand->size() > 32)
      throw InputError(251, Place{},
                       "circuit \"" + netlist.name + "\": an operand has 1 … 32 bits, not " +
                           std::to_string(operand->size()));
  Xag graph(netlist, a, b, netlist.find_port(map.product)->nets);
  std::vector<char> live = graph.live();
  // The operands' own nets are charged by what drives the circuit, their inverters by the circuit.
  std::vector<double> load = detail::loads(graph, live);
  const std::vector<double> inverters = detail::inverter_loads(graph, live);
  for (std::size_t i = 0; i < load.size(); ++i)
    if (!detail::is_gate(graph.nodes()[i])) load[i] = inverters[i];
  std::vector<ActivityNode> nodes = activity_nodes(graph, live);
  std::vector<WaveNode> waves = wave_nodes(nodes);
  state_ = std::make_unique<State>(State{std::move(graph), std::move(live), std::move(load),
                                         std::move(nodes), std::move(waves), a.size(), b.size()});
}

EnergyModel::~EnergyModel() = default;
EnergyModel::EnergyModel(EnergyModel&&) noexcept = default;
EnergyModel& EnergyModel::operator=(EnergyModel&&) noexcept = default;

int EnergyModel::a_bits() const { return static_cast<int>(state_->a_bits); }
int EnergyModel::b_bits() const { return static_cast<int>(state_->b_bits); }

namespace {

// By node.
struct Activity {
  std::vector<double> p, toggles;
};

Activity activity_of(const std::vector<ActivityNode>& nodes, const PairPlanes& pairs) {
  const Counts counts = count(nodes, pairs);
  const auto n = static_cast<double>(pairs.pairs());
  Activity result;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const double p = static_cast<double>(counts.ones[i]) / n;
    result.p.push_back(p);
    result.toggles.push_back(pairs.are_ordered() ? static_cast<double>(counts.toggles[i]) / n
                                                 : toggle_rate(p));
  }
  return result;
}

void check_widths(const PairPlanes& pairs, std::size_t a_bits, std::size_t b_bits) {
  if (static_cast<std::size_t>(pairs.a_bits()) != a_bits ||
      static_cast<std::size_t>(pairs.b_bits()) != b_bits)
    throw UsageError(720, "pairs of " + std::to_string(pairs.a_bits()) + " × " +
                              std::to_string(pairs.b_bits()) + " bits for a circuit of " +
                              std::to_string(a_bits) + " × " + std::to_string(b_bits));
}

}  // namespace

SwitchingEnergy EnergyModel::energy(const PairPlanes& pairs) const {
  check_widths(pairs, state_->a_bits, state_->b_bits);
  const Activity activity = activity_of(state_->nodes, pairs);
  const std::vector<double> extra = glitches(state_->waves, pairs);
  std::vector<double> all, of_glitches;
  for (std::size_t i = 0; i < extra.size(); ++i)
    if (state_->load[i] > 0) {
      const double glitch = kGlitchPart * extra[i];
      all.push_back((activity.toggles[i] + glitch) * state_->load[i]);
      of_glitches.push_back(glitch * state_->load[i]);
    }
  return {detail::ordered_sum(std::move(all)), detail::ordered_sum(std::move(of_glitches))};
}

Netlist EnergyModel::circuit() const {
  return detail::to_netlist(state_->graph, state_->a_bits, state_->b_bits).netlist;
}

std::vector<double> EnergyModel::net_loads() const {
  const auto graph = detail::to_netlist(state_->graph, state_->a_bits, state_->b_bits);
  std::vector<double> result(graph.netlist.net_count, 0);
  for (std::size_t i = 0; i < graph.net_of.size(); ++i) result[graph.net_of[i]] = state_->load[i];
  return result;
}

std::vector<NetActivity> EnergyModel::activity(const PairPlanes& pairs) const {
  check_widths(pairs, state_->a_bits, state_->b_bits);
  const auto graph = detail::to_netlist(state_->graph, state_->a_bits, state_->b_bits);
  const Activity found = activity_of(state_->nodes, pairs);
  std::vector<NetActivity> result(graph.netlist.net_count);
  for (std::size_t i = 0; i < graph.net_of.size(); ++i)
    result[graph.net_of[i]] = {found.p[i], found.toggles[i]};
  return result;
}

}  // namespace axmul
