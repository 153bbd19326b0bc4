// Tables as digit products, and as a product with a small rest.
#include "axmul/kernels/decomposition.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <string>

#include "axmul/core/errors.hpp"
#include "kernels/integer_factors.hpp"

namespace axmul {

namespace {

using detail::Row256;

/// Divides the numbers by their greatest common divisor, which is given back.
std::int64_t take_common_factor(Row256& x) {
  std::int64_t common = 0;
  for (const std::int64_t value : x) common = std::gcd(common, value);
  if (common > 1)
    for (std::int64_t& value : x) value /= common;
  return std::max<std::int64_t>(1, common);
}

/// v = offset + Σ 256^j·digits[j], digits −128 … 127, the fewest that do.
struct SignedDigits {
  std::int64_t offset = 0;
  std::vector<std::array<std::int8_t, 256>> digits;
};

SignedDigits signed_digits(Row256 v) {
  SignedDigits out;
  const auto [least, most] = std::minmax_element(v.begin(), v.end());
  if (*least < -128 || *most > 127) {
    if (*most - *least <= 255) out.offset = *least + 128;
    if (*least >= 0 && *most <= 255) out.offset = 128;  // which kernels need no sums of rows for
  }
  for (std::int64_t& x : v) x -= out.offset;
  const auto is_zero = [](std::int64_t x) { return x == 0; };
  do {
    auto& digit = out.digits.emplace_back();
    for (std::size_t b = 0; b < 256; ++b) {
      digit[b] = static_cast<std::int8_t>(static_cast<std::uint8_t>(v[b] & 0xFF));
      v[b] = (v[b] - digit[b]) / 256;
    }
  } while (!std::all_of(v.begin(), v.end(), is_zero));
  return out;
}

/// u = least + Σ 256^i·digits[i], digits 0 … 255.
std::vector<std::array<std::uint8_t, 256>> unsigned_digits(Row256 u, std::int64_t least) {
  std::vector<std::array<std::uint8_t, 256>> out;
  for (std::int64_t& x : u) x -= least;
  while (*std::max_element(u.begin(), u.end()) > 0) {
    auto& digit = out.emplace_back();
    for (std::size_t a = 0; a < 256; ++a) {
      digit[a] = static_cast<std::uint8_t>(u[a] & 0xFF);
      u[a] >>= 8;
    }
  }
  return out;
}

constexpr std::int64_t kMostScale = std::int64_t{1} << 31;

/// Adds the digit products of u(a)·v(b), both by ascending value; false where scales grow too
/// large. Digits are by bit pattern.
bool add_pair(Row256 u, Row256 v, std::size_t flip_a, std::size_t flip_b, DigitProducts& out,
              Row256& column) {
  const std::int64_t least = *std::min_element(u.begin(), u.end());
  for (std::size_t b = 0; b < 256; ++b) column[b] += least * v[b];
  for (std::int64_t& x : u) x -= least;
  const std::int64_t scale = take_common_factor(u) * take_common_factor(v);
  const SignedDigits right = signed_digits(v);
  std::int64_t u_scale = scale;
  for (const auto& left : unsigned_digits(u, 0)) {
    std::int64_t v_scale = u_scale;
    for (std::size_t j = 0; j < right.digits.size(); ++j) {
      const std::int64_t row = j == 0 ? u_scale * right.offset : 0;
      if (v_scale >= kMostScale || row >= kMostScale || row <= -kMostScale) return false;
      DigitProduct& p = out.products.emplace_back();
      p.scale = static_cast<std::int32_t>(v_scale);
      p.row = static_cast<std::int32_t>(row);
      for (std::size_t i = 0; i < 256; ++i) {
        p.u[i ^ flip_a] = left[i];
        p.v[i ^ flip_b] = right.digits[j][i];
      }
      v_scale *= 256;
    }
    u_scale *= 256;
  }
  return true;
}

bool equals(const DigitProducts& d, const Lut& lut, std::size_t flip_a, std::size_t flip_b) {
  for (std::size_t a = 0; a < 256; ++a)
    for (std::size_t b = 0; b < 256; ++b) {
      std::int64_t sum = d.column[b ^ flip_b];
      for (const DigitProduct& p : d.products)
        sum += (std::int64_t{p.scale} * p.v[b ^ flip_b] + p.row) * p.u[a ^ flip_a];
      if (sum != lut.products()[a * 256 + b]) return false;
    }
  return true;
}

}  // namespace

std::optional<DigitProducts> digit_products(const Lut& lut, std::size_t most_products,
                                            std::size_t most_rank) {
  const auto products = lut.products();
  const std::size_t flip_a = a_is_signed(lut.type()) ? 0x80 : 0;
  const std::size_t flip_b = b_is_signed(lut.type()) ? 0x80 : 0;
  std::vector<std::int64_t> above(kLutSize);  // the first row
  for (std::size_t i = 0; i < kLutSize; ++i)
    above[i] = std::int64_t{products[i]} - products[i % 256];
  const auto factors = detail::integer_factors(above, std::min<std::size_t>(most_rank, 8));
  if (!factors) return std::nullopt;
  DigitProducts out;
  out.rank = factors->u.size();
  Row256 column;
  std::copy_n(products.begin(), 256, column.begin());
  for (std::size_t i = 0; i < out.rank; ++i)
    if (!add_pair(factors->u[i], factors->v[i], flip_a, flip_b, out, column)) return std::nullopt;
  if (out.products.size() > most_products) return std::nullopt;
  for (std::size_t b = 0; b < 256; ++b) {
    if (std::abs(column[b]) >= kMostScale) return std::nullopt;
    out.column[b ^ flip_b] = static_cast<std::int32_t>(column[b]);
  }
  if (!equals(out, lut, flip_a, flip_b)) return std::nullopt;
  return out;
}

std::uint32_t ProductRest::largest_range() const {
  return *std::max_element(range.begin(), range.end());
}

namespace {

/// Least and largest of a column less a line, in units of the common factor.
struct Extremes {
  std::int64_t least = 0, most = 0;
  std::int64_t range() const { return most - least; }
};

Extremes extremes(const std::vector<std::int64_t>& column, std::int64_t slope, std::size_t first) {
  Extremes e{column[0], column[0]};
  for (std::size_t i = 0; i < column.size(); ++i) {
    const std::int64_t value = column[i] - slope * static_cast<std::int64_t>(i);
    e.least = std::min(e.least, value);
    e.most = std::max(e.most, value);
  }
  const std::int64_t start = slope * static_cast<std::int64_t>(first);
  return {e.least - start, e.most - start};
}

/// The least slope of the smallest range, which is convex in the slope: doubled steps from the
/// slope of the column's ends, then halves.
std::int64_t best_slope(const std::vector<std::int64_t>& column) {
  const auto last = static_cast<std::int64_t>(column.size()) - 1;
  if (last == 0) return 0;
  const auto falls = [&](std::int64_t slope) {
    return extremes(column, slope + 1, 0).range() < extremes(column, slope, 0).range();
  };
  const std::int64_t start = (column.back() - column.front()) / last;
  std::int64_t low = start, high = start, step = 1;  // falls at low, not at high
  if (falls(start)) {
    for (; falls(start + step); step *= 2) low = start + step;
    high = start + step;
  } else {
    for (; !falls(start - step); step *= 2) high = start - step;
    low = start - step;
  }
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (falls(middle) ? low : high) = middle;
  }
  return high;
}

/// Where windows of 256 slopes begin so that the largest range within is smallest: all slopes that
/// do not fit move to its ends.
std::int64_t clip_window(const std::array<std::int64_t, 256>& slopes, bool is_signed) {
  const auto [least, most] = std::minmax_element(slopes.begin(), slopes.end());
  if (*most - *least <= 255) return *least;
  return std::clamp<std::int64_t>(is_signed ? -128 : 0, *least, *most - 255);
}

}  // namespace

ProductRest product_and_rest(const Lut& lut, std::size_t first, std::size_t count) {
  if (count == 0 || first + count > 256)
    throw UsageError(603, "activations " + std::to_string(first) + " … " +
                              std::to_string(first + count) +
                              " of a table; it has 256, and at "
                              "least one is wanted");
  const std::int32_t* rows = lut.products().data() + first * 256;
  ProductRest out;
  out.first = first;
  out.count = count;
  std::int32_t common = 0;
  for (std::size_t i = 256; i < count * 256; ++i)
    common = std::gcd(common, rows[i] - rows[i % 256]);
  out.factor = std::max(1, common);
  std::array<std::vector<std::int64_t>, 256> columns;
  std::array<std::int64_t, 256> slopes;
  for (std::size_t b = 0; b < 256; ++b) {
    columns[b].resize(count);
    for (std::size_t i = 0; i < count; ++i)
      columns[b][i] = (rows[i * 256 + b] - rows[b]) / out.factor;
    slopes[b] = best_slope(columns[b]);
  }
  const std::int64_t window = clip_window(slopes, b_is_signed(lut.type()));
  for (std::size_t b = 0; b < 256; ++b) {
    const std::int64_t slope = std::clamp<std::int64_t>(slopes[b], window, window + 255);
    const Extremes e = extremes(columns[b], slope, first);
    out.slope[b] = static_cast<std::int32_t>(slope);
    out.floor[b] = static_cast<std::int32_t>(rows[b] + out.factor * e.least);
    out.range[b] = static_cast<std::uint32_t>(e.range());
  }
  return out;
}

}  // namespace axmul
