// NPY: a strict parser of the header's Python dictionary, decoding of elements, and the writer.
#include "axmul/io/npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "axmul/core/errors.hpp"
#include "axmul/io/read_file.hpp"

namespace axmul {

namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);

struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::size_t>> shape;
};

/// Reads "{'descr': '<i4', 'fortran_order': False, 'shape': (256, 256), }", keys in any order.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::size_t offset, const std::string& name)
      : text_(text), offset_(offset), name_(name) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !header.descr) {
        header.descr = descr();
      } else if (key == "fortran_order" && !header.fortran_order) {
        header.fortran_order = boolean();
      } else if (key == "shape" && !header.shape) {
        header.shape = tuple();
      } else {
        fail("unexpected or repeated key '" + key + "'");
      }
      if (!accept(',') && peek() != '}') fail("expected ',' or '}'");
    }
    if (peek() != '\0') fail("text after the dictionary");
    if (!header.descr || !header.fortran_order || !header.shape)
      fail("'descr', 'fortran_order' and 'shape' are all needed");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(120, Place{name_},
                     "malformed NPY header at byte " + std::to_string(offset_ + at_) + ": " + what);
  }
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t'))
      ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "'");
  }
  std::string quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("expected a quoted text");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("a quoted text does not end");
    std::string value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }
  std::string descr() {
    if (peek() == '[')
      throw InputError(121, Place{name_},
                       "the array holds records; an array of plain numbers is needed");
    return quoted();
  }
  bool boolean() {
    peek();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return value;
      }
    }
    fail("expected True or False");
  }
  std::size_t number() {
    if (peek() < '0' || peek() > '9') fail("expected a non-negative number");
    std::size_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      if (value > (std::numeric_limits<std::size_t>::max() - 9) / 10) fail("extent is too large");
      value = value * 10 + static_cast<std::size_t>(text_[at_++] - '0');
    }
    return value;
  }
  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> values;
    expect('(');
    while (!accept(')')) {
      if (values.size() == 32) fail("more than 32 dimensions");
      values.push_back(number());
      if (!accept(',') && peek() != ')') fail("expected ',' or ')'");
    }
    return values;
  }

  std::string_view text_;
  std::size_t offset_;
  const std::string& name_;
  std::size_t at_ = 0;
};

struct Dtype {
  NpyKind kind;
  std::size_t size;
  bool swap;
};

Dtype parse_dtype(const std::string& descr, const std::string& name) {
  const auto unsupported = [&]() -> Dtype {
    throw InputError(121, Place{name},
                     "dtype '" + descr +
                         "' is not supported; needed is a bool, an integer of 1, 2, "
                         "4 or 8 bytes or a float of 2, 4 or 8 bytes (array.astype('<i4'))");
  };
  if (descr.size() != 3) return unsupported();
  const char order = descr[0], kind = descr[1];
  const std::size_t size = static_cast<std::size_t>(descr[2] - '0');
  if (order != '<' && order != '>' && order != '|' && order != '=') return unsupported();
  if (order == '|' && size != 1) return unsupported();
  const bool swap = order == (std::endian::native == std::endian::little ? '>' : '<') && size > 1;
  const bool integer_size = size == 1 || size == 2 || size == 4 || size == 8;
  if (kind == 'b' && size == 1) return {NpyKind::unsigned_integer, 1, false};
  if (kind == 'u' && integer_size) return {NpyKind::unsigned_integer, size, swap};
  if (kind == 'i' && integer_size) return {NpyKind::signed_integer, size, swap};
  if (kind == 'f' && integer_size && size != 1) return {NpyKind::floating, size, swap};
  return unsupported();
}

std::uint64_t load(const char* bytes, const Dtype& dtype) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < dtype.size; ++i) {
    const bool big = dtype.swap == (std::endian::native == std::endian::little);
    const std::size_t from = big ? i : dtype.size - 1 - i;
    word = word << 8 | static_cast<unsigned char>(bytes[from]);
  }
  return word;
}

std::int64_t sign_extend(std::uint64_t word, std::size_t size) {
  const unsigned shift = static_cast<unsigned>(64 - 8 * size);
  return static_cast<std::int64_t>(word << shift) >> shift;
}

double half_to_double(std::uint64_t word) {
  const int exponent = static_cast<int>(word >> 10 & 31);
  const double fraction = static_cast<double>(word & 1023);
  double value;
  if (exponent == 31)
    value = fraction == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    value = std::ldexp(fraction, -24);
  else
    value = std::ldexp(1024 + fraction, exponent - 25);
  return word >> 15 & 1 ? -value : value;
}

double to_real(std::uint64_t word, std::size_t size) {
  if (size == 2) return half_to_double(word);
  if (size == 4) return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(word)));
  return std::bit_cast<double>(word);
}

/// Where the dictionary is: its text and the offset of the data behind it.
struct Layout {
  std::string_view dictionary;
  std::size_t dictionary_offset;
  std::size_t data_offset;
};

Layout locate(std::string_view bytes, const std::string& name) {
  const auto fail = [&](const std::string& what) { throw InputError(120, Place{name}, what); };
  if (!is_npy(bytes)) fail("is not an NPY file (it does not start with \\x93NUMPY)");
  if (bytes.size() < 8)
    fail("ends within the NPY header (at byte " + std::to_string(bytes.size()) + ")");
  const int major = static_cast<unsigned char>(bytes[6]);
  if (major < 1 || major > 3)
    fail("NPY format version " + std::to_string(major) + " is not known (1, 2 and 3 are)");
  const std::size_t length_size = major == 1 ? 2 : 4;
  const std::size_t start = 8 + length_size;
  if (bytes.size() < start)
    fail("ends within the NPY header (at byte " + std::to_string(bytes.size()) + ")");
  const std::uint64_t length = [&] {
    std::uint64_t value = 0;
    for (std::size_t i = length_size; i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(bytes[8 + i]);
    return value;
  }();
  if (length > bytes.size() - start)
    fail("the NPY header says it has " + std::to_string(length) + " bytes, but only " +
         std::to_string(bytes.size() - start) + " follow");
  return {bytes.substr(start, length), start, start + length};
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

/// Without axes of length 1 where there are more than two: a batch of one.
std::vector<std::size_t> squeezed(std::vector<std::size_t> shape) {
  while (shape.size() > 2) {
    const auto one = std::ranges::find(shape, std::size_t{1});
    if (one == shape.end()) break;
    shape.erase(one);
  }
  return shape;
}

std::size_t checked_count(const Header& header, const Dtype& dtype, std::size_t available,
                          const std::string& name) {
  const std::vector<std::size_t> shape = squeezed(*header.shape);
  if (shape.empty() || shape.size() > 2)
    throw InputError(
        121, Place{name},
        "the array has shape " + shape_text(*header.shape) + "; one or two dimensions are needed");
  // Checked before it is multiplied, so that no extent can wrap the product around.
  std::size_t count = std::ranges::find(shape, std::size_t{0}) != shape.end() ? 0 : 1;
  bool fits = true;
  for (const std::size_t extent : shape) {
    fits = fits && (count == 0 || count <= available / extent);
    if (fits) count *= extent;
  }
  if (!fits || count > available / dtype.size || count * dtype.size != available)
    throw InputError(122, Place{name},
                     "the header says shape " + shape_text(shape) + " of " +
                         std::to_string(dtype.size) + "-byte elements, but " +
                         std::to_string(available) + " bytes of data follow");
  return count;
}

}  // namespace

bool is_npy(std::string_view bytes) { return bytes.substr(0, kMagic.size()) == kMagic; }

NpyArray parse_npy(std::string_view bytes, const std::string& name) {
  const Layout layout = locate(bytes, name);
  const Header header = HeaderParser(layout.dictionary, layout.dictionary_offset, name).parse();
  const Dtype dtype = parse_dtype(*header.descr, name);
  const std::string_view data = bytes.substr(layout.data_offset);
  const std::size_t count = checked_count(header, dtype, data.size(), name);

  NpyArray array;
  array.dtype = *header.descr;
  array.kind = dtype.kind;
  array.item_size = dtype.size;
  array.shape = squeezed(*header.shape);
  const std::size_t rows = array.shape[0];
  const std::size_t cols = array.shape.size() == 2 ? array.shape[1] : 1;
  if (array.is_integer())
    array.integers.resize(count);
  else
    array.reals.resize(count);
  for (std::size_t row = 0, i = 0; i < count; ++row) {
    for (std::size_t col = 0; col < cols; ++col, ++i) {
      const std::size_t from = *header.fortran_order ? col * rows + row : i;
      const std::uint64_t word = load(data.data() + from * dtype.size, dtype);
      if (dtype.kind == NpyKind::floating)
        array.reals[i] = to_real(word, dtype.size);
      else if (dtype.kind == NpyKind::signed_integer)
        array.integers[i] = sign_extend(word, dtype.size);
      else if (word >> 63 != 0)
        throw InputError(
            123, Place{name},
            "element " + std::to_string(i) + " is " + std::to_string(word) + ", above 2^63 - 1");
      else
        array.integers[i] = static_cast<std::int64_t>(word);
    }
  }
  return array;
}

NpyArray read_npy(const std::string& path) { return parse_npy(read_file(path), path); }

namespace {

template <class T>
std::string encode(std::span<const T> data, std::span<const std::size_t> shape, const char* descr) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) count *= extent;
  if (shape.empty() || shape.size() > 2 || count != data.size())
    throw InternalError("NPY shape and number of elements differ");
  const std::string dictionary =
      std::string("{'descr': '") + descr +
      "', 'fortran_order': False, 'shape': " + shape_text({shape.begin(), shape.end()}) + ", }";
  // The data starts at a multiple of 64 bytes; a newline ends the padding.
  const std::size_t length = (10 + dictionary.size() + 1 + 63) / 64 * 64 - 10;
  std::string bytes(kMagic);
  bytes += {'\x01', '\x00', static_cast<char>(length & 255), static_cast<char>(length >> 8)};
  bytes += dictionary;
  bytes.append(length - dictionary.size() - 1, ' ');
  bytes += '\n';
  bytes.reserve(bytes.size() + data.size() * sizeof(T));
  for (const T& element : data) {
    std::array<char, sizeof(T)> raw = std::bit_cast<std::array<char, sizeof(T)>>(element);
    if constexpr (std::endian::native == std::endian::big) std::reverse(raw.begin(), raw.end());
    bytes.append(raw.data(), raw.size());
  }
  return bytes;
}

}  // namespace

std::string npy_bytes(std::span<const std::uint8_t> data, std::span<const std::size_t> shape) {
  return encode(data, shape, "|u1");
}
std::string npy_bytes(std::span<const std::int16_t> data, std::span<const std::size_t> shape) {
  return encode(data, shape, "<i2");
}
std::string npy_bytes(std::span<const std::uint16_t> data, std::span<const std::size_t> shape) {
  return encode(data, shape, "<u2");
}
std::string npy_bytes(std::span<const std::int32_t> data, std::span<const std::size_t> shape) {
  return encode(data, shape, "<i4");
}
std::string npy_bytes(std::span<const std::int64_t> data, std::span<const std::size_t> shape) {
  return encode(data, shape, "<i8");
}
std::string npy_bytes(std::span<const float> data, std::span<const std::size_t> shape) {
  return encode(data, shape, "<f4");
}
std::string npy_bytes(std::span<const double> data, std::span<const std::size_t> shape) {
  return encode(data, shape, "<f8");
}

}  // namespace axmul
