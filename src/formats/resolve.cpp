// Settles operand type, order and index of a raw table, and puts its products into axmul's order.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>

#include "axmul/core/errors.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

/// One way to read the table.
struct Reading {
  OperandType type;
  OperandIndex index;
};

std::string text_of(const Reading& reading) {
  return std::string(to_string(reading.type)) +
         (reading.index == OperandIndex::bits ? " in order of bit pattern" : " in order of value");
}

std::int32_t product_of(std::int32_t word, unsigned wrap_bits, OperandType type) {
  if (wrap_bits == 0 || type == OperandType::u8u8) return word;
  const unsigned shift = 32 - wrap_bits;
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(word) << shift) >> shift;
}

/// mul8u_125K → u8u8, mul8s_… → s8s8, drum_u8s8 → u8s8: a whole part of the name decides.
std::optional<OperandType> type_of_name(const std::string& stem) {
  std::string part;
  bool first = true;
  for (std::size_t i = 0; i <= stem.size(); ++i) {
    const char c = i < stem.size() ? stem[i] : '_';
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) {
      part += lower;
      continue;
    }
    if (first && part == "mul8u") return OperandType::u8u8;
    if (first && part == "mul8s") return OperandType::s8s8;
    if (const auto type = parse_operand_type(part)) return type;
    if (!part.empty()) first = false;
    part.clear();
  }
  return std::nullopt;
}

/// Cosine between the table read in that way and the exact products: scale does not matter, and a
/// wrong type or index gives at most about 0.5 for anything that resembles a multiplier.
double resemblance(const RawTable& raw, OperandOrder order, const Reading& reading) {
  const bool ab = order == OperandOrder::ab;
  const bool first_signed = ab ? a_is_signed(reading.type) : b_is_signed(reading.type);
  const bool second_signed = ab ? b_is_signed(reading.type) : a_is_signed(reading.type);
  double dot = 0, norm = 0, exact_norm = 0;
  for (int i = 0; i < 256; ++i) {
    const double x = operand_value(i, first_signed, reading.index);
    for (int j = 0; j < 256; ++j) {
      const double exact = x * operand_value(j, second_signed, reading.index);
      const double product =
          product_of(raw.words[static_cast<std::size_t>(i * 256 + j)], raw.wrap_bits, reading.type);
      dot += exact * product;
      norm += product * product;
      exact_norm += exact * exact;
    }
  }
  return norm == 0 ? 0 : dot / std::sqrt(norm * exact_norm);
}

// A reading is decisive from a cosine of 0.6 on, if its distance from 1 is at most 0.6 of the next
// one's. Nearest calls among 36 published tables in sign-magnitude use: 0.45 (mul8u_17QU as s8s8,
// cosines 0.707 and 0.346), and 0.50 where a 16-bit pattern may also be unsigned (mul8u_17C8 as
// u8s8).
constexpr double kResembles = 0.6, kCloser = 0.6;
constexpr double kContradicts = 0.8;  // from here on a name that says else is an error

struct Scored {
  Reading reading;
  double score;
};

class Resolver {
 public:
  Resolver(const RawTable& raw, const TableFormat& info, const std::string& path,
           const ReadOptions& options)
      : raw_(raw), info_(info), path_(path), options_(options) {}

  Provenance settle(const std::string& stem) {
    Provenance result;
    result.source_file = path_;
    result.format = info_.name;
    result.order = order_ = options_.order.value_or(raw_.statement.order.value_or(info_.order));
    read_operand_columns();
    settle_type(stem, result);
    settle_index(result);
    settle_by_values(result);
    check_operand_columns(*type_, *index_);
    result.index = *index_;
    return result;
  }
  OperandType type() const { return *type_; }

 private:
  void read_operand_columns() {
    if (!raw_.first_signed || !raw_.second_signed) return;
    const bool ab = order_ == OperandOrder::ab;
    column_a_ = ab ? raw_.first_signed : raw_.second_signed;
    column_b_ = ab ? raw_.second_signed : raw_.first_signed;
  }
  bool columns_signed() const { return column_a_ && (*column_a_ || *column_b_); }

  void settle_type(const std::string& stem, Provenance& result) {
    const auto set = [&](OperandType type, const char* from) {
      type_ = type;
      result.type_from = from;
    };
    if (options_.type) return set(*options_.type, "option");
    if (raw_.statement.type) return set(*raw_.statement.type, "file");
    if (const auto named = type_of_name(stem)) return set(*named, "name");
    if (columns_signed()) {
      if (*column_a_ && !*column_b_)
        throw InputError(311, Place{path_},
                         "operand a takes negative values and b does not, and there is no such "
                         "type; when b stands first, give --order " +
                             std::string(order_ == OperandOrder::ab ? "ba" : "ab"));
      return set(*column_a_ ? OperandType::s8s8 : OperandType::u8s8, "operands");
    }
    if (raw_.unsigned_dtype) return set(OperandType::u8u8, "dtype");
  }

  void settle_index(Provenance&) {
    if (options_.index)
      index_ = options_.index;
    else if (raw_.statement.index)
      index_ = raw_.statement.index;
    else if (columns_signed())
      index_ = OperandIndex::value;
    else if (column_a_ && type_ && *type_ != OperandType::u8u8)
      index_ = OperandIndex::bits;  // operands listed as 0 … 255 of a signed type are bytes
  }

  /// Ways to read the table that nothing known contradicts; unsigned operands have one index.
  std::vector<Reading> readings(bool ignore_type) const {
    std::vector<Reading> result;
    for (const OperandType type : kOperandTypes) {
      if (!ignore_type && type_ && type != *type_) continue;
      for (const OperandIndex index : {OperandIndex::value, OperandIndex::bits}) {
        const bool unsigned_type = type == OperandType::u8u8;
        if (index_ && !unsigned_type && index != *index_) continue;
        if (unsigned_type && index != index_.value_or(info_.index)) continue;
        if (column_a_ && !unsigned_type && (index == OperandIndex::value) != columns_signed())
          continue;
        result.push_back({type, index});
      }
    }
    return result;
  }

  /// The reading that the products resemble, when they resemble exactly one.
  std::optional<Scored> decisive(bool ignore_type) const {
    std::vector<Scored> scores;
    for (const Reading& reading : readings(ignore_type))
      scores.push_back({reading, resemblance(raw_, order_, reading)});
    std::ranges::stable_sort(scores, std::ranges::greater(), &Scored::score);
    if (scores.empty() || scores[0].score < kResembles) return std::nullopt;
    if (scores.size() > 1 && 1 - scores[0].score > kCloser * (1 - scores[1].score))
      return std::nullopt;
    return scores[0];
  }

  void settle_by_values(Provenance& result) {
    const bool by_name = result.type_from == "name";
    if (type_ && index_ && !by_name) return;
    std::optional<Scored> best = decisive(by_name);
    if (by_name && best && best->reading.type != *type_) {
      if (best->score >= kContradicts)
        throw InputError(312, Place{path_},
                         "the name says " + std::string(to_string(*type_)) +
                             ", but the products are those of a multiplier " +
                             text_of(best->reading) + "; give --type (and --index) to say which");
      best.reset();
    }
    if (best) {
      if (!type_) result.type_from = "values";
      type_ = best->reading.type;
      index_ = best->reading.index;
    }
    if (!type_) settle_by_sign(result);
    if (!index_) index_ = info_.index;
  }

  /// No resemblance to a multiplier: a negative product needs a signed type, else the default.
  void settle_by_sign(Provenance& result) {
    const bool negative = raw_.wrap_bits == 0 &&
                          std::ranges::any_of(raw_.words, [](std::int32_t w) { return w < 0; });
    type_ = negative ? OperandType::s8s8 : info_.type;
    result.type_from = negative ? "values" : "format";
    if (column_a_ && !index_ && *type_ != OperandType::u8u8) index_ = OperandIndex::bits;
  }

  void check_operand_columns(OperandType type, OperandIndex index) const {
    if (!column_a_) return;
    const bool bytes = type == OperandType::u8u8 || index == OperandIndex::bits;
    const bool a = !bytes && a_is_signed(type), b = !bytes && b_is_signed(type);
    if (a == *column_a_ && b == *column_b_) return;
    const auto range = [](bool is_signed) { return is_signed ? "-128 … 127" : "0 … 255"; };
    throw InputError(313, Place{path_},
                     "operand a runs over " + std::string(range(*column_a_)) + " and b over " +
                         range(*column_b_) + ", but type " + std::string(to_string(type)) +
                         " with index " + (index == OperandIndex::bits ? "bits" : "value") +
                         " needs " + range(a) + " and " + range(b) +
                         "; check --type, --index and --order");
  }

  const RawTable& raw_;
  const TableFormat& info_;
  const std::string& path_;
  const ReadOptions& options_;
  OperandOrder order_ = OperandOrder::ab;
  std::optional<bool> column_a_, column_b_;
  std::optional<OperandType> type_;
  std::optional<OperandIndex> index_;
};

std::size_t position(std::size_t index, bool is_signed, OperandIndex convention) {
  return is_signed && convention == OperandIndex::bits ? index ^ 128U : index;
}

}  // namespace

Multiplier resolve(RawTable raw, const TableFormat& info, const std::string& path,
                   const ReadOptions& options) {
  if (raw.words.size() != kLutSize)
    throw InternalError("a decoder gave " + std::to_string(raw.words.size()) + " products");
  const std::string stem =
      path == "<stdin>" ? "stdin" : std::filesystem::path(path).stem().string();
  Resolver resolver(raw, info, path, options);
  Provenance provenance = resolver.settle(stem);
  const OperandType type = resolver.type();

  std::vector<std::int32_t> products(kLutSize);
  for (std::size_t i = 0, n = 0; i < 256; ++i)
    for (std::size_t j = 0; j < 256; ++j, ++n) {
      const std::size_t a = provenance.order == OperandOrder::ab ? i : j;
      const std::size_t b = provenance.order == OperandOrder::ab ? j : i;
      products[position(a, a_is_signed(type), provenance.index) * 256 +
               position(b, b_is_signed(type), provenance.index)] =
          product_of(raw.words[n], raw.wrap_bits, type);
    }
  return Multiplier{.name = stem, .lut = Lut(type, products), .provenance = std::move(provenance)};
}

}  // namespace axmul::detail
