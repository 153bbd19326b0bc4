// Settles what a raw table leaves open, and puts its products into axmul's order.
#include <filesystem>

#include "axmul/core/errors.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

constexpr std::string_view kOptions = "--type, --order, --index and --input-format";

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
void check_columns(const Known& known, const Reading& reading, const std::string& path) {
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
  const auto range = [](bool is_signed) { return is_signed ? "-128 … 127" : "0 … 255"; };
  throw InputError(313, Place{path},
                   "operand a runs over " + std::string(range(column_a)) + " and b over " +
                       range(column_b) + ", but type " + std::string(to_string(reading.type)) +
                       " with index " + (reading.index == OperandIndex::bits ? "bits" : "value") +
                       " needs " + range(a) + " and " + range(b) +
                       "; check --type, --index and --order");
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

Multiplier resolve(RawTable raw, const TableFormat& info, const std::string& path,
                   const ReadOptions& options) {
  const std::string stem =
      path == "<stdin>" ? "stdin" : std::filesystem::path(path).stem().string();
  const Known known = known_of(raw, info, options, stem);
  const Decision decision = decide(known, decodings_of(raw));
  check_columns(known, decision.reading, path);
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
