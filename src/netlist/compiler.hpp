// A netlist as a short program of word operations on reused slots, and what drives its inputs: what
// exhaustive simulations share.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "axmul/netlist/netlist.hpp"
#include "netlist/schedule.hpp"

namespace axmul::detail {

inline constexpr std::uint32_t kNone = ~std::uint32_t{0};

// Truth tables of variables 0 … 5 as 64-bit words: also the input patterns of a simulation word.
inline constexpr std::array<std::uint64_t, 6> kVariable = {
    0xAAAAAAAAAAAAAAAAu, 0xCCCCCCCCCCCCCCCCu, 0xF0F0F0F0F0F0F0F0u,
    0xFF00FF00FF00FF00u, 0xFFFF0000FFFF0000u, 0xFFFFFFFF00000000u};

constexpr std::uint64_t table_mask(int inputs) {
  return inputs >= 6 ? ~std::uint64_t{0} : (std::uint64_t{1} << (1 << inputs)) - 1;
}

// Compiles cells to steps. A value is the slot that holds it; slots are reused once every reader of
// a net has run (nets in `kept` are never released).
class Compiler {
 public:
  Compiler(const Netlist& netlist, bool reuse) : netlist_(netlist), reuse_(reuse) {
    slot_.assign(netlist.net_count, kNone);
    uses_.assign(netlist.net_count, 0);
  }

  std::vector<Step> steps;

  void keep(NetId net) { ++uses_[net]; }
  std::uint32_t slot(NetId net) const { return slot_[net]; }
  std::uint32_t slot_count() const { return slot_count_; }
  bool is_used(NetId net) const { return uses_[net] != 0; }

  // Marks what the kept nets need, counting readers; cells are visited in reverse order.
  void mark_live() {
    live_.assign(netlist_.cells.size(), 0);
    for (std::size_t i = netlist_.cells.size(); i-- > 0;) {
      const Cell& cell = netlist_.cells[i];
      bool live = false;
      for (const NetId net : netlist_.outputs(cell)) live |= uses_[net] != 0;
      if (!live) continue;
      live_[i] = 1;
      for (const NetId net : netlist_.inputs(cell)) ++uses_[net];
    }
  }

  std::uint32_t place(NetId net) { return slot_[net] = take_slot(); }

  void compile() {
    if (uses_[kNetZero] != 0) emit(WordOp::zero, place(kNetZero));
    if (uses_[kNetOne] != 0) emit(WordOp::ones, place(kNetOne));
    for (std::size_t i = 0; i < netlist_.cells.size(); ++i)
      if (live_[i]) compile_cell(netlist_.cells[i]);
  }

 private:
  std::uint32_t take_slot() {
    if (reuse_ && !free_.empty()) {
      const std::uint32_t slot = free_.back();
      free_.pop_back();
      return slot;
    }
    return slot_count_++;
  }

  void emit(WordOp op, std::uint32_t dst, std::uint32_t a = 0, std::uint32_t b = 0,
            std::uint32_t c = 0) {
    steps.push_back({op, dst, a, b, c});
  }

  void compile_cell(const Cell& cell) {
    const auto inputs = netlist_.inputs(cell);
    const auto outputs = netlist_.outputs(cell);
    const CellType& type = netlist_.types[cell.type];
    std::array<std::uint32_t, kMaxCellInputs> slots{};
    for (std::size_t i = 0; i < inputs.size(); ++i) slots[i] = slot_[inputs[i]];
    // All but the last live output are written while every input is still needed.
    std::size_t last = outputs.size();
    for (std::size_t k = 0; k < outputs.size(); ++k)
      if (uses_[outputs[k]] != 0) last = k;
    for (std::size_t k = 0; k < last; ++k)
      if (uses_[outputs[k]] != 0)
        function(type.functions[k], type.inputs, slots.data(), place(outputs[k]));
    // A one-step function may overwrite an input that dies here; longer ones keep them to the end.
    const bool in_place = is_single(type.functions[last], type.inputs);
    if (in_place) release(inputs);
    function(type.functions[last], type.inputs, slots.data(), place(outputs[last]));
    if (!in_place) release(inputs);
  }

  void release(std::span<const NetId> nets) {
    for (const NetId net : nets)
      if (--uses_[net] == 0) free_.push_back(slot_[net]);
  }

  struct Pattern {
    int inputs;
    std::uint64_t table;
    WordOp op;
    bool swap;  // operands a and b exchanged
  };
  static const Pattern* find(std::uint64_t table, int inputs) {
    static constexpr Pattern patterns[] = {
        {1, 0x2, WordOp::copy, false},  {1, 0x1, WordOp::inv, false},
        {2, 0x8, WordOp::and2, false},  {2, 0xE, WordOp::or2, false},
        {2, 0x6, WordOp::xor2, false},  {2, 0x7, WordOp::nand2, false},
        {2, 0x1, WordOp::nor2, false},  {2, 0x9, WordOp::xnor2, false},
        {2, 0x2, WordOp::andn, false},  {2, 0x4, WordOp::andn, true},
        {2, 0xB, WordOp::orn, false},   {2, 0xD, WordOp::orn, true},
        {3, 0x96, WordOp::xor3, false}, {3, 0xE8, WordOp::maj, false},
        {3, 0xCA, WordOp::mux, false},
    };
    for (const Pattern& pattern : patterns)
      if (pattern.inputs == inputs && pattern.table == table) return &pattern;
    return nullptr;
  }

  static bool is_single(std::uint64_t table, int inputs) {
    table &= table_mask(inputs);
    return table == 0 || table == table_mask(inputs) || find(table, inputs) != nullptr;
  }

  // Writes f(inputs) to dst, which is no input slot unless the function is a single step. Unlisted
  // functions are split on their last input (Shannon).
  void function(std::uint64_t table, int inputs, const std::uint32_t* slots, std::uint32_t dst) {
    table &= table_mask(inputs);
    if (table == 0) return emit(WordOp::zero, dst);
    if (table == table_mask(inputs)) return emit(WordOp::ones, dst);
    if (const Pattern* p = find(table, inputs); p != nullptr) {
      const std::uint32_t a = slots[0], b = inputs > 1 ? slots[1] : 0;
      return emit(p->op, dst, p->swap ? b : a, p->swap ? a : b, inputs > 2 ? slots[2] : 0);
    }
    const int half = inputs - 1;
    const std::uint64_t low = table & table_mask(half);
    const std::uint64_t high = table >> (1 << half) & table_mask(half);
    const std::uint32_t select = slots[half];
    if (low == high) return function(low, half, slots, dst);
    if (low == 0 || high == 0 || low == table_mask(half) || high == table_mask(half)) {
      const bool low_fixed = low == 0 || low == table_mask(half);
      const bool fixed_one = (low_fixed ? low : high) != 0;
      function(low_fixed ? high : low, half, slots, dst);
      if (low_fixed) return emit(fixed_one ? WordOp::orn : WordOp::and2, dst, dst, select);
      return emit(fixed_one ? WordOp::or2 : WordOp::andn, dst, dst, select);
    }
    if (low == (~high & table_mask(half))) {
      function(low, half, slots, dst);
      return emit(WordOp::xor2, dst, dst, select);
    }
    const std::uint32_t other = take_slot();
    function(low, half, slots, dst);
    function(high, half, slots, other);
    emit(WordOp::mux, dst, dst, other, select);
    if (reuse_) free_.push_back(other);
  }

  const Netlist& netlist_;
  bool reuse_;
  std::vector<std::uint32_t> slot_, uses_, free_;
  std::vector<char> live_;
  std::uint32_t slot_count_ = 0;
};

struct FreeAligned {
  void operator()(std::uint64_t* p) const { ::operator delete[](p, std::align_val_t{64}); }
};
using SlotWords = std::unique_ptr<std::uint64_t[], FreeAligned>;

inline SlotWords aligned_words(std::size_t count) {
  return SlotWords(static_cast<std::uint64_t*>(::operator new[](count * 8, std::align_val_t{64})));
}

// Drives input slots with the pattern numbers of one block: bit j of the number drives inputs[j].
class InputFiller {
 public:
  InputFiller(std::vector<std::uint32_t> slots, std::vector<char> inverted)
      : slots_(std::move(slots)), inverted_(std::move(inverted)) {}

  // Slots that a schedule reuses must be filled for every block; kNone marks an unread input.
  void fill(std::size_t block, std::uint64_t* slots) const {
    for (std::size_t j = 0; j < slots_.size(); ++j) {
      if (slots_[j] == kNone) continue;
      std::uint64_t* words = slots + slots_[j] * kBlockWords;
      const std::uint64_t flip = inverted_[j] != 0 ? ~std::uint64_t{0} : 0;
      if (j < kVariable.size()) {
        std::fill(words, words + kBlockWords, kVariable[j] ^ flip);
      } else {
        for (std::size_t i = 0; i < kBlockWords; ++i)
          words[i] =
              (((block * kBlockWords + i) >> (j - 6) & 1) != 0 ? ~std::uint64_t{0} : 0) ^ flip;
      }
    }
  }

 private:
  std::vector<std::uint32_t> slots_;
  std::vector<char> inverted_;
};

}  // namespace axmul::detail
