// Lut: the complete product table of a multiplier of at most 8x8 bits, addressed by operand value.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/operand.hpp"

namespace axmul {

inline constexpr std::size_t kLutSize = 65536;
inline constexpr std::int32_t kProductLimit = 1 << 24;  // |product| must stay below

/// An immutable product table; copies share the 256 KiB of products and their hash. A narrow
/// multiplier (operands of fewer bits) has a table with unused rows and columns, whose products are
/// 0; type() then tells the signs and sized_type() the widths.
class AXMUL_API Lut {
 public:
  /// products: 65536 approximate products, a slow, b fast, both ascending by operand VALUE (for s8:
  /// -128 … 127). Throws InputError AX10 where a product reaches ±2^24 (it names a, b and the
  /// product) or the size is not 65536.
  Lut(OperandType type, std::span<const std::int32_t> products);

  /// The same from 65536 products that the table takes over instead of copying them; nobody may
  /// change them afterwards. Throws InputError AX10.
  Lut(OperandType type, std::shared_ptr<const std::int32_t[]> products);

  /// The table of a multiplier of type.bits: 2^(a+b) products of the operand values it has, a slow,
  /// b fast, ascending. Throws InputError AX10 as above, and for operands of more than 8 bits.
  static Lut of_size(const SizedType& type, std::span<const std::int32_t> products);

  /// The exact multiplier of that type.
  static Lut exact(OperandType type);
  static Lut exact(const SizedType& type);

  /// Fills the table from f(a, b), called for every operand pair by value, a slow, b fast.
  template <class F>
  static Lut from_function(OperandType type, F&& f) {
    auto table = std::make_unique<std::int32_t[]>(kLutSize);
    std::size_t i = 0;
    for (int a = a_min(type); a <= a_max(type); ++a)
      for (int b = b_min(type); b <= b_max(type); ++b)
        table[i++] = static_cast<std::int32_t>(f(a, b));
    return Lut(type, std::span<const std::int32_t>(table.get(), kLutSize));
  }
  /// The same for any widths of at most 8 bits.
  template <class F>
  static Lut from_function_of_size(const SizedType& type, F&& f) {
    std::vector<std::int32_t> products;
    products.reserve(static_cast<std::size_t>(type.pairs()));
    for (int a = a_min(type); a <= a_max(type); ++a)
      for (int b = b_min(type); b <= b_max(type); ++b)
        products.push_back(static_cast<std::int32_t>(f(a, b)));
    return of_size(type, products);
  }

  OperandType type() const { return type_; }
  SizedType sized_type() const { return {type_, bits_}; }
  bool is_8x8() const { return sized_type().is_8x8(); }

  /// Approximate product of operand values a and b; a and b must lie in the type's range
  /// (unchecked).
  std::int32_t operator()(int a, int b) const {
    return products_[static_cast<std::size_t>((a - a_min(type_)) * kOperandCount + b -
                                              b_min(type_))];
  }

  /// All products, a slow, b fast, ascending values of 8 bits.
  std::span<const std::int32_t, kLutSize> products() const {
    if (products_ == nullptr) throw_no_products();
    return std::span<const std::int32_t, kLutSize>(products_.get(), kLutSize);
  }

  /// The 2^(a+b) products of the operand values that the multiplier has, a slow, b fast, ascending.
  std::vector<std::int32_t> used_products() const;

  /// The largest |product|; found once, when the table is made.
  std::int32_t largest() const { return largest_; }

  /// The same function known by its type and hashes alone, in a few hundred bytes: for what asks of
  /// many tables only which functions they are. Compares equal to the table; products() of it
  /// throws InternalError, and operator() must not be called.
  Lut without_products() const;
  bool has_products() const { return products_ != nullptr; }

  /// approximate − exact for operand values a and b.
  std::int32_t error(int a, int b) const { return (*this)(a, b) - a * b; }

  /// Lower-case hex SHA-256 of the type tag ("u8u8" …) followed by the little-endian int32
  /// products, a slow, b fast, ascending: the identity of the function (src/README.md#words).
  /// Computed once for a table and its copies. Of a narrow multiplier
  /// the tag is its own ("u8u3") and the products are those it has.
  std::string sha256() const;
  /// sha256 of the table with operands swapped, g(a,b) = f(b,a) on the swapped value ranges; for
  /// u8s8, which has no transposed type, the tag stays and the table is transposed by position.
  /// Computed once, as sha256().
  std::string sha256_swapped() const;

  friend bool operator==(const Lut& x, const Lut& y);

 private:
  [[noreturn]] static void throw_no_products();

  OperandType type_;
  OperandWidths bits_{};
  std::int32_t largest_;
  std::shared_ptr<const std::int32_t[]> products_;
  struct Identity;
  std::shared_ptr<Identity> identity_;
};

/// The table with operands swapped, g(a,b) = f(b,a). Throws UsageError AX11 for u8s8.
AXMUL_API Lut transposed(const Lut& lut);

/// Throws UsageError AX710 unless the table is of 8x8 bits; `what` is what takes no other:
/// "error models take".
AXMUL_API void require_8x8(const Lut& lut, const std::string& what);

/// Table of the sign-magnitude use of an unsigned circuit (src/README.md#words):
/// sgn(a)sgn(b)·f(|a|,|b|) with sgn(0) = +1. target is u8s8 (a 0…255) or s8s8. Throws UsageError
/// AX12 unless lut is u8u8.
AXMUL_API Lut sign_magnitude(const Lut& lut, OperandType target);

/// 256x256 errors (approximate − exact), a slow, b fast, ascending by value; 0 where a narrow
/// multiplier has no such operands.
class AXMUL_API ErrorMap {
 public:
  explicit ErrorMap(const Lut& lut);
  /// A map that is not a table's: values as above.
  ErrorMap(OperandType type, std::span<const std::int32_t, kLutSize> errors);

  OperandType type() const { return type_; }
  std::int32_t operator()(int a, int b) const {
    return errors_[static_cast<std::size_t>((a - a_min(type_)) * kOperandCount + b - b_min(type_))];
  }
  std::span<const std::int32_t, kLutSize> values() const {
    return std::span<const std::int32_t, kLutSize>(errors_.get(), kLutSize);
  }

 private:
  OperandType type_;
  std::shared_ptr<const std::int32_t[]> errors_;
};

}  // namespace axmul
