// Correlation of a table with exact products, from sums taken in one pass.
#include "axmul/core/resemblance.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "core/product_sums.hpp"

namespace axmul {

namespace detail {

namespace {

__extension__ using Int128 = __int128;

/// Operand value = weights · (1, index, index ≥ 128); its sum and that of squares over all indexes.
struct Operand {
  std::array<double, 3> weights;
  double sum, squares;
};

Operand operand(IndexKind kind) {
  switch (kind) {
    case IndexKind::plain:
      return {{0, 1, 0}, 32640, 5559680};
    case IndexKind::value:
      return {{-128, 1, 0}, -128, 1398144};
    case IndexKind::bits:
      break;
  }
  return {{0, 1, -256}, -128, 1398144};
}

/// x / √square, 0 where there is nothing to divide by.
double over_root(double x, double square) { return square > 0 ? x / std::sqrt(square) : 0; }

}  // namespace

// Σ i·word needs no multiplication: column sums that are added up before every row count row i
// 255 - i times.
template <class Sum>
void ProductSums::add(std::span<const std::int32_t, kLutSize> words) {
  std::array<Sum, 256> column{}, running{}, upper{}, row{};
  Int128 squares = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    const std::int32_t* word = words.data() + 256 * i;
    if (i == 128) upper = column;
    Sum total = 0;
    std::uint64_t row_of_squares = 0;
    for (std::size_t j = 0; j < 256; ++j) {
      running[j] += column[j];
      column[j] += word[j];
      total += word[j];
      const auto size = static_cast<std::uint32_t>(std::abs(word[j]));
      row_of_squares += static_cast<std::uint64_t>(size) * size;
    }
    row[i] = total;
    squares += row_of_squares;
  }
  std::array<std::array<std::int64_t, 3>, 3> sums{};
  Int128 row_squares = 0, column_squares = 0;
  for (std::size_t j = 0; j < 256; ++j) {
    const std::int64_t total = column[j], index = static_cast<std::int64_t>(j);
    const std::int64_t parts[3] = {total, 255 * total - running[j], total - upper[j]};
    for (std::size_t f = 0; f < 3; ++f) {
      sums[f][0] += parts[f];
      sums[f][1] += index * parts[f];
      sums[f][2] += j >= 128 ? parts[f] : 0;
    }
    column_squares += Int128{total} * total;
    row_squares += Int128{row[j]} * row[j];
  }
  for (std::size_t f = 0; f < 3; ++f)
    for (std::size_t g = 0; g < 3; ++g) sums_[f][g] = static_cast<double>(sums[f][g]);
  squares_ = static_cast<double>(squares);
  interaction_squares_ =
      static_cast<double>(65536 * squares - 256 * (row_squares + column_squares) +
                          Int128{sums[0][0]} * sums[0][0]) /
      65536;
}

ProductSums::ProductSums(std::span<const std::int32_t, kLutSize> words) {
  // 32640 · 65535 < 2^31: sums of 16-bit products fit 32 bits, twice as many of them to a register.
  const auto [low, high] = std::ranges::minmax(words);
  if (low >= -65535 && high <= 65535)
    add<std::int32_t>(words);
  else
    add<std::int64_t>(words);
}

Resemblance ProductSums::with(IndexKind first, IndexKind second) const {
  Operand x = operand(first), y = operand(second);
  const auto dot = [&] {
    double total = 0;
    for (std::size_t f = 0; f < 3; ++f)
      for (std::size_t g = 0; g < 3; ++g) total += x.weights[f] * y.weights[g] * sums_[f][g];
    return total;
  };
  const double whole = dot(), exact = x.squares * y.squares;
  // The interaction of the exact product is that of the operands less their means.
  x.weights[0] -= x.sum / 256;
  y.weights[0] -= y.sum / 256;
  const double rest = dot(),
               exact_rest = (x.squares - x.sum * x.sum / 256) * (y.squares - y.sum * y.sum / 256);
  return {.cosine = over_root(whole, squares_ * exact),
          .interaction = over_root(rest, interaction_squares_ * exact_rest),
          .gain = rest / exact_rest,
          .squared_error = (squares_ - 2 * whole) / exact + 1};
}

}  // namespace detail

double Resemblance::score() const { return std::max(cosine, 0.0) * std::max(interaction, 0.0); }

bool Resemblance::is_product() const {
  return score() >= kLeastScore && interaction >= kLeastInteraction && gain <= kMostScale &&
         gain / (interaction * interaction) >= 1 / kMostScale && squared_error <= kMostSquaredError;
}

namespace {

/// Sums of a narrow table over the operand values that it has: few, so none are shared.
Resemblance narrow_resemblance(const Lut& lut) {
  const SizedType type = lut.sized_type();
  const auto na = static_cast<double>(1 << type.bits.a), nb = static_cast<double>(1 << type.bits.b);
  double tt = 0, te = 0, ee = 0, sum = 0, exact_sum = 0, rows = 0, exact_rows = 0, cross_rows = 0;
  double columns = 0, exact_columns = 0, cross_columns = 0;
  std::array<double, 256> column{}, exact_column{};
  for (int a = a_min(type); a <= a_max(type); ++a) {
    double row = 0, exact_row = 0;
    for (int b = b_min(type); b <= b_max(type); ++b) {
      const double t = lut(a, b), e = a * b;
      const auto j = static_cast<std::size_t>(b - b_min(type));
      tt += t * t, te += t * e, ee += e * e;
      row += t, exact_row += e;
      column[j] += t, exact_column[j] += e;
    }
    sum += row, exact_sum += exact_row;
    rows += row * row / nb, exact_rows += exact_row * exact_row / nb;
    cross_rows += row * exact_row / nb;
  }
  for (std::size_t j = 0; j < static_cast<std::size_t>(nb); ++j) {
    columns += column[j] * column[j] / na;
    exact_columns += exact_column[j] * exact_column[j] / na;
    cross_columns += column[j] * exact_column[j] / na;
  }
  const double pairs = na * nb;
  const double rest_tt = tt - rows - columns + sum * sum / pairs;
  const double rest_ee = ee - exact_rows - exact_columns + exact_sum * exact_sum / pairs;
  const double rest_te = te - cross_rows - cross_columns + sum * exact_sum / pairs;
  const auto over_root = [](double x, double square) {
    return square > 0 ? x / std::sqrt(square) : 0;
  };
  return {.cosine = over_root(te, tt * ee),
          .interaction = over_root(rest_te, rest_tt * rest_ee),
          .gain = rest_ee > 0 ? rest_te / rest_ee : 0,
          .squared_error = ee > 0 ? (tt - 2 * te) / ee + 1 : 0};
}

}  // namespace

Resemblance resemblance(const Lut& lut) {
  if (!lut.is_8x8()) return narrow_resemblance(lut);
  const auto kind = [](bool is_signed) {
    return detail::index_kind(is_signed, OperandIndex::value);
  };
  return detail::ProductSums(lut.products())
      .with(kind(a_is_signed(lut.type())), kind(b_is_signed(lut.type())));
}

}  // namespace axmul
