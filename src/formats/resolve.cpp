// Settles what a raw table leaves open, and puts its products into axmul's order.
#include <filesystem>

#include "axmul/core/errors.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

constexpr std::string_view kOptions = "--type, --order, --index and --input-format";

std::string stem_of(const std::string& path) {
  return path == "<stdin>" ? "stdin" : std::filesystem::path(path).stem().string();
}

bool is_ab(const Reading& reading) { return reading.order == OperandOrder::ab; }

/// What the caller, the file's own statement, its columns and its name say, in this order.
Known known_of(const RawTable& raw, const TableFormat& info, const ReadOptions& options,
               const std::string& stem) {
  Known known{.names = {stem},
              .first_signed = raw.first_signed,
              .second_signed = raw.second_signed,
              .usual = {info.type, info.order, info.index}};
  const auto settle = [](auto& value, std::string& from, const auto& option, const auto& file) {
    value = option ? option : file;
    from = option ? "option" : file ? "file" : "";
  };
  settle(known.type, known.type_from, options.type, raw.statement.type);
  settle(known.order, known.order_from, options.order, raw.statement.order);
  settle(known.index, known.index_from, options.index, raw.statement.index);
  return known;
}

/// Operand columns that no reading explains.
void check_columns(const Known& known, const Reading& reading, const OperandWidths& file,
                   const std::string& path) {
  if (!known.first_signed || !known.second_signed) return;
  const bool column_a = is_ab(reading) ? *known.first_signed : *known.second_signed;
  const bool column_b = is_ab(reading) ? *known.second_signed : *known.first_signed;
  const bool bytes = reading.type == OperandType::u8u8 || reading.index == OperandIndex::bits;
  const bool a = !bytes && a_is_signed(reading.type), b = !bytes && b_is_signed(reading.type);
  if (a == column_a && b == column_b) return;
  if (column_a && !column_b && !known.type)
    throw InputError(311, Place{path},
                     "operand a takes negative values and b does not, and there is no such "
                     "type; when b stands first, give --order " +
                         std::string(is_ab(reading) ? "ba" : "ab"));
  const OperandWidths bits = is_ab(reading) ? file : OperandWidths{file.b, file.a};
  const auto range = [](bool is_signed, int n) {
    const int half = 1 << (n - 1);
    return is_signed ? std::to_string(-half) + " … " + std::to_string(half - 1)
                     : "0 … " + std::to_string(2 * half - 1);
  };
  throw InputError(
      313, Place{path},
      "operand a runs over " + range(column_a, bits.a) + " and b over " + range(column_b, bits.b) +
          ", but type " + std::string(to_string(reading.type)) + " with index " +
          (reading.index == OperandIndex::bits ? "bits" : "value") + " needs " + range(a, bits.a) +
          " and " + range(b, bits.b) + "; check --type, --index and --order");
}

/// Of the ways to decode a narrow table the usual one counts.
Decision decide_narrow(const Known& known, RawTable& raw) {
  Words words;
  if (!raw.decodings.empty())
    words = raw.decodings.front()();
  else
    words.words = std::move(raw.words), words.wrap_bits = raw.wrap_bits;
  words.bits = raw.bits;
  if (words.words.size() != std::size_t{1} << (raw.bits.a + raw.bits.b))
    throw InternalError("a decoder gave " + std::to_string(words.words.size()) + " products");
  if (raw.unsigned_dtype) {
    words.only_type = OperandType::u8u8;
    words.only_type_from = "dtype";
  }
  return decide_narrow(known, words);
}

void check_width(const OperandWidths& file, OperandOrder order, const ReadOptions& options,
                 const std::string& path) {
  const OperandWidths found = order == OperandOrder::ab ? file : OperandWidths{file.b, file.a};
  if (!options.width || *options.width == found) return;
  const auto text = [](const OperandWidths& bits) {
    return std::to_string(bits.a) + "x" + std::to_string(bits.b);
  };
  throw InputError(352, Place{path},
                   "the file holds a table of " + text(found) + " bits, not of " +
                       text(*options.width) + "; check --width (a first) and --order");
}

Decodings decodings_of(RawTable& raw) {
  if (!raw.decodings.empty()) return std::move(raw.decodings);
  if (raw.words.size() != kLutSize)
    throw InternalError("a decoder gave " + std::to_string(raw.words.size()) + " products");
  return {[&raw] {
    Words words{.words = std::move(raw.words), .wrap_bits = raw.wrap_bits};
    if (raw.unsigned_dtype) {
      words.only_type = OperandType::u8u8;
      words.only_type_from = "dtype";
    }
    return words;
  }};
}

}  // namespace

std::optional<OperandWidths> expected_bits(const Input& input, const TableFormat& info,
                                           const ReadOptions& options) {
  Statement statement;
  if (info.text) statement = parse_statement(input);
  std::optional<OperandWidths> bits = options.width ? options.width : statement.bits;
  if (!bits && !statement.type) bits = widths_of_name(stem_of(input.path));
  if (!bits || bits->a > 8 || bits->b > 8) return std::nullopt;
  const OperandOrder order = options.order     ? *options.order
                             : statement.order ? *statement.order
                                               : info.order;
  return order == OperandOrder::ab ? *bits : OperandWidths{bits->b, bits->a};
}

Multiplier resolve(RawTable raw, const TableFormat& info, const std::string& path,
                   const ReadOptions& options) {
  const std::string stem = stem_of(path);
  const Known known = known_of(raw, info, options, stem);
  const OperandWidths bits = raw.bits;
  const bool is_8x8 = bits == OperandWidths{};
  check_width(bits, known.order.value_or(info.order), options, path);
  const Decision decision = is_8x8 ? decide(known, decodings_of(raw)) : decide_narrow(known, raw);
  check_columns(known, decision.reading, bits, path);
  if (decision.instead && decision.type_from == "name")
    throw InputError(312, Place{path},
                     "the name says " + std::string(to_string(decision.reading.type)) +
                         ", but the products are those of a multiplier " +
                         text_of(*decision.instead) + "; give --type (and --index) to say which");
  Multiplier multiplier{.name = stem, .lut = lut_of(decision)};
  multiplier.provenance.source_file = path;
  multiplier.provenance.format = info.name;
  record(decision, kOptions, multiplier.provenance);
  if (!raw.note.empty()) {
    std::string& warning = multiplier.provenance.warning;
    warning += (warning.empty() ? "" : "; ") + raw.note;
  }
  return multiplier;
}

}  // namespace axmul::detail
