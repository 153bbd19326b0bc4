// What a table is, whatever its operands' distribution: error map, flips, symmetry, zeros, signs.
#include <algorithm>

#include "stats/workspace.hpp"

namespace axmul::detail::stats {
namespace {

/// f(a,b) = f(b,a) for all pairs of values that both operands can take.
bool symmetric(const Lut& lut) {
  const SizedType type = lut.sized_type();
  const int low = std::max(a_min(type), b_min(type));
  const int high = std::min(a_max(type), b_max(type));
  constexpr int block = 16;  // both halves stay in cache
  for (int a0 = low; a0 <= high; a0 += block)
    for (int b0 = low; b0 <= a0; b0 += block)
      for (int a = a0; a < std::min(a0 + block, high + 1); ++a)
        for (int b = b0; b < std::min(b0 + block, high + 1); ++b)
          if (lut(a, b) != lut(b, a)) return false;
  return true;
}

std::int32_t count_zero_violations(const Lut& lut) {
  const SizedType type = lut.sized_type();
  std::int32_t count = 0;
  for (int b = b_min(type); b <= b_max(type); ++b) count += lut(0, b) != 0;
  for (int a = a_min(type); a <= a_max(type); ++a) count += a != 0 && lut(a, 0) != 0;
  return count;
}

bool preserves_signs(const Lut& lut) {
  const SizedType type = lut.sized_type();
  for (int a = a_min(type); a <= a_max(type); ++a) {
    int wrong = 0;
    for (int b = b_min(type); b <= b_max(type); ++b) {
      const int exact = a * b, f = lut(a, b);
      wrong |= static_cast<int>((f > 0 && exact <= 0) || (f < 0 && exact >= 0));
    }
    if (wrong != 0) return false;
  }
  return true;
}

}  // namespace

void Workspace::set_table(const Lut& lut) {
  if (table && table->sized_type() == lut.sized_type() &&
      table->products().data() == lut.products().data())
    return;
  table = lut;
  have_errors = have_flips = have_facts = have_rank = false;
}

void Workspace::need_errors() {
  if (have_errors) return;
  table_e.resize(kLutSize);
  if (table->is_8x8())
    error_map(table->products().data(), a_min(table->type()), b_min(table->type()), table_e.data());
  else
    std::ranges::copy(ErrorMap(*table).values(), table_e.begin());
  have_errors = true;
}

void Workspace::need_flips() {
  if (have_flips) return;
  table_flips.resize(kLutSize);
  flip_map(table->products().data(), a_min(table->type()), b_min(table->type()),
           table_flips.data());
  if (!table->is_8x8()) {  // a product of a + b bits
    const OperandWidths bits = table->sized_type().bits;
    const auto mask = static_cast<std::uint16_t>((1U << (bits.a + bits.b)) - 1);
    for (std::uint16_t& word : table_flips) word &= mask;
  }
  have_flips = true;
}

const TableFacts& Workspace::need_facts(bool rank) {
  if (!have_facts) {
    facts.is_symmetric = symmetric(*table);
    facts.zero_violations = count_zero_violations(*table);
    facts.sign_preserved = preserves_signs(*table);
    have_facts = true;
  }
  if (rank && !have_rank) {
    need_errors();
    facts.rank_lut = exact_rank(table->products());
    facts.rank_error = exact_rank(std::span<const std::int32_t, kLutSize>(table_e));
    have_rank = true;
  }
  return facts;
}

}  // namespace axmul::detail::stats
