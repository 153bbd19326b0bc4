// Readings of a table of fewer than 8x8 bits: few words, so each reading that is allowed is made a
// table and compared.
#include <algorithm>
#include <utility>

#include "axmul/core/errors.hpp"
#include "core/reading.hpp"

namespace axmul::detail {

namespace {

bool is_ab(const Reading& reading) { return reading.order == OperandOrder::ab; }

SizedType sized(const Reading& reading, const OperandWidths& file) {
  return {reading.type, is_ab(reading) ? file : OperandWidths{file.b, file.a}};
}

/// Place of a value among an operand's values as the file orders them.
std::size_t place(int value, int bits, bool is_signed, OperandIndex index) {
  const int count = 1 << bits;
  if (!is_signed) return static_cast<std::size_t>(value);
  return static_cast<std::size_t>(index == OperandIndex::value ? value + count / 2
                                                               : (value + count) % count);
}

Lut table(const Reading& reading, const Words& words) {
  const SizedType type = sized(reading, words.bits);
  const std::size_t cols = std::size_t{1} << words.bits.b;
  const auto product = [&](int a, int b) {
    const std::size_t i = place(a, type.bits.a, a_is_signed(type), reading.index);
    const std::size_t j = place(b, type.bits.b, b_is_signed(type), reading.index);
    const std::int32_t word = words.words[is_ab(reading) ? i * cols + j : j * cols + i];
    if (words.wrap_bits == 0 || type.kind == OperandType::u8u8) return word;
    const unsigned shift = 32 - words.wrap_bits;
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(word) << shift) >> shift;
  };
  return Lut::from_function_of_size(type, product);
}

/// Operand columns without negative values list bytes, others list values.
bool fits_columns(const Known& known, const Reading& reading) {
  if (!known.first_signed || !known.second_signed) return true;
  const bool any = *known.first_signed || *known.second_signed;
  if (reading.type == OperandType::u8u8) return !any;
  if (!any) return reading.index == OperandIndex::bits;
  const bool first = is_ab(reading) ? a_is_signed(reading.type) : b_is_signed(reading.type);
  const bool second = is_ab(reading) ? b_is_signed(reading.type) : a_is_signed(reading.type);
  return reading.index == OperandIndex::value && *known.first_signed == first &&
         *known.second_signed == second;
}

/// Every reading that nothing known contradicts, the usual one first.
std::vector<Reading> readings(const Known& known, const std::optional<OperandType>& type,
                              const Words& words) {
  const OperandOrder order = known.order.value_or(known.usual.order);
  const std::optional<OperandIndex> index = words.only_index ? words.only_index : known.index;
  std::vector<Reading> result;
  for (const OperandType each : kOperandTypes) {
    if (type.value_or(each) != each || words.only_type.value_or(each) != each) continue;
    for (const OperandIndex i : {OperandIndex::value, OperandIndex::bits}) {
      if (index.value_or(i) != i) continue;
      if (each == OperandType::u8u8 && i != index.value_or(OperandIndex::value)) continue;
      const Reading reading{each, order, i};
      if (fits_columns(known, reading)) result.push_back(reading);
    }
  }
  return result;
}

}  // namespace

Decision decide_narrow(const Known& known, const Words& words) {
  const std::optional<OperandType> type = type_of(known);
  const auto shared = std::make_shared<const Words>(words);
  std::vector<Reading> all = readings(known, type, words);
  if (all.empty())
    all.push_back({type.value_or(known.usual.type), known.order.value_or(known.usual.order),
                   known.index.value_or(known.usual.index)});
  Decision best;
  for (const Reading& reading : all) {
    const Resemblance like = resemblance(table(reading, words));
    if (best.words && like.score() <= best.resemblance.score() + 1e-12) continue;
    best.reading = reading;
    best.resemblance = like;
    best.words = shared;
  }
  best.is_product = best.resemblance.is_product();
  const std::string otherwise = best.resemblance.score() > 0 ? "values" : "format";
  best.type_from = type              ? known.type ? known.type_from : "name"
                   : words.only_type ? words.only_type_from
                                     : otherwise;
  best.order_from = known.order ? known.order_from : "format";
  if (best.reading.type != OperandType::u8u8)
    best.index_from = known.index ? known.index_from : words.only_index ? "format" : otherwise;
  return best;
}

Lut narrow_lut_of(const Decision& decision) { return table(decision.reading, *decision.words); }

}  // namespace axmul::detail
