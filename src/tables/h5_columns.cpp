// Columns of an HDF5 group that grow row by row.
#include "tables/h5_columns.hpp"

#include <algorithm>

namespace axmul::detail {

std::uint64_t chunk_rows(std::uint64_t row_bytes, std::uint64_t most) {
  constexpr std::uint64_t kChunkBytes = std::uint64_t{1} << 20;
  return std::clamp<std::uint64_t>(kChunkBytes / std::max<std::uint64_t>(1, row_bytes), 1,
                                   std::max<std::uint64_t>(1, most));
}

void set_meaning(h5::File& file, const std::string& dataset, const Meaning& meaning) {
  if (!meaning.units.empty()) file.set_attribute(dataset, "units", std::string(meaning.units));
  file.set_attribute(dataset, "long_name", std::string(meaning.long_name));
  if (!meaning.definition.empty())
    file.set_attribute(dataset, "definition", std::string(meaning.definition));
}

TextColumn::TextColumn(h5::File& file, const std::string& path, std::uint64_t most_rows,
                       const Meaning& meaning)
    : rows_(std::max<std::uint64_t>(1, most_rows)) {
  h5::DatasetOptions options;
  options.chunk = {rows_};
  options.extendible = true;
  dataset_ = file.create_dataset(path, h5::Type::text, {0}, options);
  set_meaning(file, path, meaning);
}

void TextColumn::push(const std::string& text) {
  buffer_.push_back(utf8_text(text));
  if (buffer_.size() == rows_) flush();
}

void TextColumn::flush() {
  dataset_.append_text(buffer_);
  buffer_.clear();
}

namespace {

// Length of the well-formed UTF-8 sequence at text[i], 0 where there is none (Unicode, table 3-7).
std::size_t sequence_length(const std::string& text, std::size_t i) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
  };
  const unsigned lead = byte(i);
  if (lead != 0 && lead < 0x80) return 1;
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                             : lead >= 0xe0 && lead <= 0xef ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (length == 0 || byte(i + 1) < low || byte(i + 1) > high) return 0;
  for (std::size_t k = 2; k < length; ++k)
    if (byte(i + k) < 0x80 || byte(i + k) > 0xbf) return 0;
  return length;
}

}  // namespace

std::string utf8_text(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    if (length == 0) {
      out += '?';
      ++i;
    } else {
      out.append(text, i, length);
      i += length;
    }
  }
  return out;
}

}  // namespace axmul::detail
