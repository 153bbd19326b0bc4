// Product tables: construction with checks, identity, operand swap, sign-magnitude use.
#include "axmul/core/lut.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>

#include "axmul/core/errors.hpp"
#include "axmul/core/sha256.hpp"

namespace axmul {

namespace {

std::shared_ptr<std::int32_t[]> new_table() {
  return std::shared_ptr<std::int32_t[]>(new std::int32_t[kLutSize]);
}

// The largest |product|, if all are small enough.
std::int32_t checked_largest(OperandType type, const std::int32_t* products) {
  std::int32_t least = 0, greatest = 0;
  for (std::size_t i = 0; i < kLutSize; ++i) {
    least = std::min(least, products[i]);
    greatest = std::max(greatest, products[i]);
  }
  const bool fits = least > -kProductLimit && greatest < kProductLimit;
  for (std::size_t i = 0; i < kLutSize && !fits; ++i)
    if (products[i] <= -kProductLimit || products[i] >= kProductLimit)
      throw InputError(10, "product " + std::to_string(products[i]) + " of a = " +
                               std::to_string(static_cast<int>(i / 256) + a_min(type)) +
                               ", b = " + std::to_string(static_cast<int>(i % 256) + b_min(type)) +
                               " reaches 2^24; an 8x8-bit product is far smaller: check the "
                               "table's dtype and byte order");
  return std::max(-least, greatest);
}

std::size_t used(int bits) { return std::size_t{1} << bits; }

/// Where an operand's values start among those of 8 bits.
std::size_t first_row(const SizedType& type) {
  return static_cast<std::size_t>(a_min(type) - a_min(type.kind));
}
std::size_t first_col(const SizedType& type) {
  return static_cast<std::size_t>(b_min(type) - b_min(type.kind));
}

template <class At>
std::string identity(const SizedType& type, At&& at) {
  std::array<std::uint8_t, 1024> row{};
  const std::size_t rows = used(type.bits.a), cols = used(type.bits.b);
  Sha256 hash;
  hash.update(to_string(type));
  for (std::size_t a = 0; a < rows; ++a) {
    for (std::size_t b = 0; b < cols; ++b) {
      const auto product = static_cast<std::uint32_t>(at(a, b));
      for (unsigned i = 0; i < 4; ++i)
        row[b * 4 + i] = static_cast<std::uint8_t>(product >> (8 * i));
    }
    hash.update(std::as_bytes(std::span(row).first(4 * cols)));
  }
  return hash.hex();
}

}  // namespace

struct Lut::Identity {
  std::once_flag once, swapped_once;
  std::string sha256, sha256_swapped;
};

Lut::Lut(OperandType type, std::span<const std::int32_t> products)
    : type_(type), identity_(std::make_shared<Identity>()) {
  if (products.size() != kLutSize)
    throw InputError(10,
                     "a product table has 65536 entries, not " + std::to_string(products.size()));
  largest_ = checked_largest(type, products.data());
  auto table = new_table();
  std::copy(products.begin(), products.end(), table.get());
  products_ = std::move(table);
}

Lut::Lut(OperandType type, std::shared_ptr<const std::int32_t[]> products)
    : type_(type), products_(std::move(products)), identity_(std::make_shared<Identity>()) {
  largest_ = checked_largest(type, products_.get());
}

Lut Lut::of_size(const SizedType& type, std::span<const std::int32_t> products) {
  if (type.is_8x8()) return Lut(type.kind, products);
  if (!type.has_table() || products.size() != static_cast<std::size_t>(type.pairs()))
    throw InputError(10, "a product table " + to_string(type) + " has " +
                             std::to_string(type.pairs()) + " entries of at most 8-bit operands, " +
                             "not " + std::to_string(products.size()));
  const auto table = new_table();
  std::fill_n(table.get(), kLutSize, 0);
  const std::size_t cols = used(type.bits.b);
  for (std::size_t a = 0; a < used(type.bits.a); ++a)
    std::ranges::copy(products.subspan(a * cols, cols),
                      table.get() + (first_row(type) + a) * 256 + first_col(type));
  Lut lut(type.kind, std::shared_ptr<const std::int32_t[]>(table));
  lut.bits_ = type.bits;
  return lut;
}

Lut Lut::exact(OperandType type) {
  return from_function(type, [](int a, int b) { return a * b; });
}

Lut Lut::exact(const SizedType& type) {
  return from_function_of_size(type, [](int a, int b) { return a * b; });
}

std::vector<std::int32_t> Lut::used_products() const {
  const SizedType type = sized_type();
  const auto all = products();
  if (type.is_8x8()) return {all.begin(), all.end()};
  std::vector<std::int32_t> result;
  result.reserve(static_cast<std::size_t>(type.pairs()));
  for (std::size_t a = 0; a < used(type.bits.a); ++a) {
    const auto row = all.subspan((first_row(type) + a) * 256 + first_col(type), used(type.bits.b));
    result.insert(result.end(), row.begin(), row.end());
  }
  return result;
}

std::string Lut::sha256() const {
  std::call_once(identity_->once, [&] {
    const SizedType type = sized_type();
    const std::size_t first = first_row(type) * 256 + first_col(type);
    identity_->sha256 = identity(
        type, [&](std::size_t a, std::size_t b) { return products_[first + a * 256 + b]; });
  });
  return identity_->sha256;
}

std::string Lut::sha256_swapped() const {
  std::call_once(identity_->swapped_once, [&] {
    const SizedType type = sized_type();
    const std::size_t first = first_row(type) * 256 + first_col(type);
    identity_->sha256_swapped =
        identity(SizedType(type_, {bits_.b, bits_.a}),
                 [&](std::size_t a, std::size_t b) { return products_[first + b * 256 + a]; });
  });
  return identity_->sha256_swapped;
}

Lut Lut::without_products() const {
  sha256();
  sha256_swapped();
  Lut result = *this;
  result.products_ = nullptr;
  return result;
}

void Lut::throw_no_products() {
  throw InternalError("a table that is known by its hash alone was asked for its products");
}

bool operator==(const Lut& x, const Lut& y) {
  if (x.sized_type() != y.sized_type()) return false;
  if (!x.has_products() || !y.has_products()) return x.sha256() == y.sha256();
  return (x.products_ == y.products_ || std::ranges::equal(x.products(), y.products()));
}

Lut transposed(const Lut& lut) {
  if (lut.type() == OperandType::u8s8)
    throw UsageError(11, "a u8s8 table has no transpose: its operands have different ranges");
  if (!lut.is_8x8())
    return Lut::from_function_of_size(
        SizedType(lut.type(), {lut.sized_type().bits.b, lut.sized_type().bits.a}),
        [&](int a, int b) { return lut(b, a); });
  return Lut::from_function(lut.type(), [&](int a, int b) { return lut(b, a); });
}

void require_8x8(const Lut& lut, const std::string& what) {
  if (!lut.is_8x8())
    throw UsageError(710, what + " multipliers of 8x8 bits, not " + to_string(lut.sized_type()));
}

Lut sign_magnitude(const Lut& lut, OperandType target) {
  if (lut.sized_type() != OperandType::u8u8 || target == OperandType::u8u8)
    throw UsageError(12, "sign-magnitude use takes a u8u8 table to u8s8 or s8s8, not " +
                             to_string(lut.sized_type()) + " to " + std::string(to_string(target)));
  return Lut::from_function(target, [&](int a, int b) {
    const std::int32_t magnitude = lut(std::abs(a), std::abs(b));
    return (a < 0) != (b < 0) ? -magnitude : magnitude;
  });
}

ErrorMap::ErrorMap(const Lut& lut) : type_(lut.type()) {
  auto table = new_table();
  std::size_t i = 0;
  if (lut.is_8x8()) {
    for (int a = a_min(type_); a <= a_max(type_); ++a)
      for (int b = b_min(type_); b <= b_max(type_); ++b, ++i)
        table[static_cast<std::ptrdiff_t>(i)] = lut.products()[i] - a * b;
  } else {
    std::fill_n(table.get(), kLutSize, 0);
    const SizedType type = lut.sized_type();
    for (int a = a_min(type); a <= a_max(type); ++a)
      for (int b = b_min(type); b <= b_max(type); ++b)
        table[static_cast<std::ptrdiff_t>((a - a_min(type_)) * 256 + b - b_min(type_))] =
            lut.error(a, b);
  }
  errors_ = std::move(table);
}

ErrorMap::ErrorMap(OperandType type, std::span<const std::int32_t, kLutSize> errors) : type_(type) {
  auto table = new_table();
  std::copy(errors.begin(), errors.end(), table.get());
  errors_ = std::move(table);
}

}  // namespace axmul
