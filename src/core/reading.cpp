// Ranks the readings of a table by how far they resemble the exact product.
#include "core/reading.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <span>
#include <utility>

#include "axmul/core/errors.hpp"
#include "core/product_sums.hpp"

namespace axmul::detail {

namespace {

std::int32_t product_of(std::int32_t word, unsigned wrap_bits, OperandType type) {
  if (wrap_bits == 0 || type == OperandType::u8u8) return word;
  const unsigned shift = 32 - wrap_bits;
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(word) << shift) >> shift;
}

bool first_is_signed(const Reading& reading) {
  return reading.order == OperandOrder::ab ? a_is_signed(reading.type) : b_is_signed(reading.type);
}
bool second_is_signed(const Reading& reading) {
  return reading.order == OperandOrder::ab ? b_is_signed(reading.type) : a_is_signed(reading.type);
}

/// Resemblance of one decoding in any reading; takes the sums that are needed once.
class Scorer {
 public:
  explicit Scorer(const Words& words) : words_(words) {}

  Resemblance operator()(const Reading& reading) {
    const bool wraps = words_.wrap_bits != 0 && reading.type != OperandType::u8u8;
    std::optional<ProductSums>& sums = wraps ? wrapped_ : plain_;
    if (!sums) take(sums, wraps);
    return sums->with(index_kind(first_is_signed(reading), reading.index),
                      index_kind(second_is_signed(reading), reading.index));
  }

 private:
  void take(std::optional<ProductSums>& sums, bool wraps) {
    if (!wraps) {
      sums.emplace(std::span<const std::int32_t, kLutSize>(words_.words.data(), kLutSize));
      return;
    }
    std::vector<std::int32_t> words(kLutSize);
    std::ranges::transform(words_.words, words.begin(), [&](std::int32_t word) {
      return product_of(word, words_.wrap_bits, OperandType::s8s8);
    });
    sums.emplace(std::span<const std::int32_t, kLutSize>(words.data(), kLutSize));
  }

  const Words& words_;
  std::optional<ProductSums> plain_, wrapped_;
};

bool columns_known(const Known& known) { return known.first_signed && known.second_signed; }
bool columns_signed(const Known& known) {
  return columns_known(known) && (*known.first_signed || *known.second_signed);
}

/// Operand columns without negative values list bytes, others list values.
bool fits_columns(const Known& known, const Reading& reading) {
  if (!columns_known(known)) return true;
  if (reading.type == OperandType::u8u8) return !columns_signed(known);
  if (!columns_signed(known)) return reading.index == OperandIndex::bits;
  return reading.index == OperandIndex::value && *known.first_signed == first_is_signed(reading) &&
         *known.second_signed == second_is_signed(reading);
}

/// Every reading of the words that nothing known contradicts, the usual one first. Only u8s8 tells
/// which operand is which, and unsigned operands have one order of values.
std::vector<Reading> readings(const Known& known, const std::optional<OperandType>& type,
                              const Words& words) {
  const OperandOrder usual = known.order.value_or(known.usual.order);
  const std::optional<OperandIndex> index = words.only_index ? words.only_index : known.index;
  std::vector<Reading> result;
  const auto add = [&](const Reading& reading) {
    if (fits_columns(known, reading)) result.push_back(reading);
  };
  for (const bool swapped : {false, true})
    for (const OperandType each : kOperandTypes) {
      if (type.value_or(each) != each || words.only_type.value_or(each) != each) continue;
      if (swapped && (known.order || each != OperandType::u8s8)) continue;
      const OperandOrder other = usual == OperandOrder::ab ? OperandOrder::ba : OperandOrder::ab;
      const OperandOrder order = swapped ? other : usual;
      if (index || each == OperandType::u8u8) {
        add({each, order, index.value_or(known.usual.index)});
        continue;
      }
      add({each, order, OperandIndex::value});
      add({each, order, OperandIndex::bits});
    }
  return result;
}

struct Choice {
  Reading reading;
  Resemblance resemblance;
};

/// The reading of greatest score, the first of equals; nothing where all scores are 0.
std::optional<Choice> best(const std::vector<Reading>& readings, Scorer& scorer, bool products) {
  std::optional<Choice> found;
  for (const Reading& reading : readings) {
    const Resemblance r = scorer(reading);
    if (products ? !r.is_product() : r.score() <= 0) continue;
    // Two readings of one table may score the same but for rounding.
    if (!found || r.score() > found->resemblance.score() + 1e-12) found = Choice{reading, r};
  }
  return found;
}

/// Words of 0 … 65535 that are called products may be 16-bit patterns.
bool may_be_patterns(const Words& words) {
  if (words.wrap_bits != 0) return false;
  const auto [low, high] = std::ranges::minmax(words.words);
  return low >= 0 && high >= 32768 && high < 65536;
}

class Decider {
 public:
  Decider(const Known& known, const Decodings& decodings) : known_(known), decodings_(decodings) {
    type_ = type_of(known);
    type_from_ = known.type ? known.type_from : "name";
  }

  Decision run() {
    std::optional<Decision> decision = product(type_);
    if (!decision) {
      decision = guess();
      const auto other = type_ ? product(std::nullopt) : std::nullopt;
      if (other) decision->instead = other->reading;
    }
    return std::move(*decision);
  }

 private:
  /// nullptr where there is no such decoding, for the reason kept in failure_ of the first.
  std::shared_ptr<const Words> decoding(std::size_t i) {
    if (i < decoded_.size()) return decoded_[i];
    try {
      decoded_.push_back(std::make_shared<const Words>(decodings_[i]()));
    } catch (const InputError&) {
      if (i == 0) failure_ = std::current_exception();
      decoded_.push_back(nullptr);
    }
    return decoded_[i];
  }

  /// The first decoding that is a product in a reading of that type, or of any.
  std::optional<Decision> product(const std::optional<OperandType>& type) {
    for (std::size_t i = 0; i < decodings_.size(); ++i) {
      const std::shared_ptr<const Words> words = decoding(i);
      if (words == nullptr) continue;
      if (auto found = product(words, readings(known_, type, *words))) return found;
      if (!may_be_patterns(*words) || type == OperandType::u8u8) continue;
      const auto patterns = std::make_shared<Words>(*words);
      patterns->wrap_bits = 16;
      patterns->only_type.reset();
      patterns->decoding += (words->decoding.empty() ? "" : ", ") + std::string("two's complement");
      std::vector<Reading> all = readings(known_, type, *patterns);
      std::erase_if(all, [](const Reading& r) { return r.type == OperandType::u8u8; });
      if (auto found = product(patterns, all)) return found;
    }
    return std::nullopt;
  }

  std::optional<Decision> product(std::shared_ptr<const Words> words,
                                  const std::vector<Reading>& all) const {
    Scorer scorer(*words);
    const std::optional<Choice> choice = best(all, scorer, true);
    const bool told = type_ || columns_signed(known_);
    if (!choice || (!told && choice->resemblance.score() < Resemblance::kTellingScore))
      return std::nullopt;
    Decision decision = explained(std::move(words), *choice, "values");
    decision.is_product = true;
    return decision;
  }

  /// Nothing is a product: a faint resemblance, a negative product or nothing tells.
  Decision guess() {
    constexpr double kFaint = 0.1;
    const std::shared_ptr<const Words> shared = decoding(0);
    if (shared == nullptr) std::rethrow_exception(failure_);
    const Words& words = *shared;
    const std::vector<Reading> all = readings(known_, type_, words);
    Scorer scorer(words);
    if (const auto faint = best(all, scorer, false); faint && faint->resemblance.score() >= kFaint)
      return explained(shared, *faint, "values");
    const bool negative =
        words.wrap_bits == 0 && std::ranges::any_of(words.words, [](auto w) { return w < 0; });
    Reading reading{.type = type_.value_or(
                        words.only_type.value_or(negative ? OperandType::s8s8 : known_.usual.type)),
                    .order = known_.order.value_or(known_.usual.order),
                    .index = known_.index.value_or(known_.usual.index)};
    if (std::ranges::find(all, reading) == all.end()) {  // another index, or columns that decide
      const auto same_type = std::ranges::find(all, reading.type, &Reading::type);
      if (same_type != all.end())
        reading = *same_type;
      else if (!type_ && !all.empty())
        reading = all.front();
    }
    return explained(shared, {reading, scorer(reading)}, negative ? "values" : "format");
  }

  /// What decided: the first of the rule that spoke, else `otherwise`.
  Decision explained(std::shared_ptr<const Words> words, const Choice& choice,
                     const std::string& otherwise) const {
    Decision decision{.reading = choice.reading, .words = words, .resemblance = choice.resemblance};
    decision.type_from = type_                    ? type_from_
                         : columns_signed(known_) ? "operands"
                         : words->only_type       ? words->only_type_from
                                                  : otherwise;
    decision.order_from = known_.order                                 ? known_.order_from
                          : choice.reading.order == known_.usual.order ? "format"
                          : columns_signed(known_)                     ? "operands"
                                                                       : "values";
    if (choice.reading.type == OperandType::u8u8) return decision;
    decision.index_from = known_.index            ? known_.index_from
                          : columns_known(known_) ? "operands"
                          : words->only_index     ? "format"
                                                  : otherwise;
    return decision;
  }

  const Known& known_;
  const Decodings& decodings_;
  std::vector<std::shared_ptr<const Words>> decoded_;
  std::exception_ptr failure_;
  std::optional<OperandType> type_;
  std::string type_from_;
};

std::size_t position(std::size_t index, bool is_signed, OperandIndex convention) {
  return is_signed && convention == OperandIndex::bits ? index ^ 128U : index;
}

}  // namespace

std::string text_of(const Reading& reading) {
  std::string text(to_string(reading.type));
  if (reading.type == OperandType::u8u8) return text;
  if (reading.order == OperandOrder::ba) text += ", b first,";
  return text +
         (reading.index == OperandIndex::bits ? " in order of bit pattern" : " in order of value");
}

namespace {

/// What the parts of a name say of type: signs, and widths where they stand there.
struct NamedType {
  OperandType kind;
  OperandWidths bits;
};

std::optional<NamedType> type_of_part(const std::string& part, bool is_first) {
  if (const auto type = parse_sized_type(part)) return NamedType{type->kind, type->bits};
  if (!is_first || !part.starts_with("mul") || part.size() < 5) return std::nullopt;
  const std::string_view inner = std::string_view(part).substr(3);
  if (const auto type = parse_sized_type(inner)) return NamedType{type->kind, type->bits};
  const auto widths = parse_widths(inner.substr(0, inner.size() - 1));
  if (!widths || (inner.back() != 'u' && inner.back() != 's')) return std::nullopt;
  return NamedType{inner.back() == 'u' ? OperandType::u8u8 : OperandType::s8s8, *widths};
}

std::optional<NamedType> named_type(std::string_view name) {
  std::string part;
  bool first = true;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    const char c = i < name.size() ? name[i] : ' ';
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) {
      part += lower;
      continue;
    }
    if (const auto type = type_of_part(part, first)) return type;
    if (!part.empty()) first = false;
    part.clear();
  }
  return std::nullopt;
}

}  // namespace

std::optional<OperandType> signs_of_name(std::string_view name) {
  const auto type = named_type(name);
  return type ? std::optional(type->kind) : std::nullopt;
}

std::optional<OperandType> type_of_name(std::string_view name) {
  const auto type = named_type(name);
  if (!type || type->bits.a > 8 || type->bits.b > 8) return std::nullopt;
  return type->kind;
}

std::optional<OperandWidths> widths_of_name(std::string_view name) {
  const auto type = named_type(name);
  return type ? std::optional(type->bits) : std::nullopt;
}

std::optional<OperandType> type_of(const Known& known) {
  if (known.type) return known.type;
  for (const std::string& name : known.names)
    if (const auto type = type_of_name(name)) return type;
  return std::nullopt;
}

Decision decide(const Known& known, const Decodings& decodings) {
  return Decider(known, decodings).run();
}

Lut lut_of(const Decision& decision) {
  if (decision.words->bits != OperandWidths{}) return narrow_lut_of(decision);
  const Reading& reading = decision.reading;
  const Words& words = *decision.words;
  const std::shared_ptr<std::int32_t[]> products(new std::int32_t[kLutSize]);
  const std::size_t first = reading.order == OperandOrder::ab ? 256 : 1, second = 257 - first;
  for (std::size_t i = 0; i < 256; ++i) {
    const std::size_t at = first * position(i, first_is_signed(reading), reading.index);
    for (std::size_t j = 0; j < 256; ++j)
      products[static_cast<std::ptrdiff_t>(
          at + second * position(j, second_is_signed(reading), reading.index))] =
          product_of(words.words[256 * i + j], words.wrap_bits, reading.type);
  }
  return Lut(reading.type, std::shared_ptr<const std::int32_t[]>(products));
}

std::string doubt(const Decision& decision, std::string_view options) {
  if (decision.is_product) return "";
  const std::string taken =
      "(taken as " + text_of(decision.reading) + ", type from " + decision.type_from + ")";
  if (decision.instead)
    return "the products resemble those of a multiplier " + text_of(*decision.instead) + " " +
           taken + "; check " + std::string(options);
  char score[16];
  std::snprintf(score, sizeof score, "%.2f", decision.resemblance.score());
  const bool is_8x8 = decision.words->bits == OperandWidths{};
  return "the table resembles a product of " +
         std::string(is_8x8 ? "two 8-bit operands" : "its operands") + " in no reading " + taken +
         ": score " + score + ", an exact multiplier has 1; check " + std::string(options) +
         ", and whether it holds products";
}

void record(const Decision& decision, std::string_view options, Provenance& provenance) {
  provenance.order = decision.reading.order;
  provenance.index = decision.reading.index;
  provenance.type_from = decision.type_from;
  provenance.order_from = decision.order_from;
  provenance.index_from = decision.index_from;
  provenance.decoding = decision.words->decoding;
  provenance.resemblance = decision.resemblance.score();
  provenance.warning = doubt(decision, options);
}

}  // namespace axmul::detail
