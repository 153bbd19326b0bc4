// .npz: a zip archive of .npy arrays (numpy.savez, savez_compressed), its central directory and the
// one array that is the table. Zip: PKWARE APPNOTE 6.3.
#include <zlib.h>

#include <algorithm>
#include <cstdint>

#include "axmul/core/errors.hpp"
#include "axmul/io/npy.hpp"
#include "formats/format.hpp"

namespace axmul::detail {

namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20;  // of one array

struct Entry {
  std::string name;
  unsigned method = 0;
  std::uint64_t packed = 0, size = 0, offset = 0;
};

class Archive {
 public:
  explicit Archive(const Input& input) : text_(input.content), path_(input.path) {}

  std::vector<Entry> entries() const {
    const std::size_t end = text_.rfind("PK\5\6");
    if (end == std::string_view::npos || end + 22 > text_.size())
      fail("has no directory; truncated?");
    const std::uint64_t count = number(end + 10, 2);
    std::uint64_t at = number(end + 16, 4);
    std::vector<Entry> found;
    for (std::uint64_t i = 0; i < count && i < 10000; ++i) {
      if (at + 46 > text_.size() || text_.substr(at, 4) != "PK\1\2") fail("has a broken directory");
      Entry entry;
      entry.method = static_cast<unsigned>(number(at + 10, 2));
      entry.packed = number(at + 20, 4);
      entry.size = number(at + 24, 4);
      entry.offset = number(at + 42, 4);
      const std::uint64_t name = number(at + 28, 2), extra = number(at + 30, 2);
      if (at + 46 + name + extra > text_.size()) fail("has a broken directory");
      entry.name = text_.substr(at + 46, name);
      large_sizes(entry, at + 46 + name, extra);
      at += 46 + name + extra + number(at + 32, 2);
      found.push_back(std::move(entry));
    }
    return found;
  }

  /// The bytes of an entry; at most `most` of them.
  std::string bytes(const Entry& entry, std::size_t most) const {
    if (entry.offset > text_.size() || text_.size() - entry.offset < 30 ||
        text_.substr(entry.offset, 4) != "PK\3\4")
      fail("has a broken entry " + quoted(entry.name));
    const std::uint64_t start =
        entry.offset + 30 + number(entry.offset + 26, 2) + number(entry.offset + 28, 2);
    if (start > text_.size() || entry.packed > text_.size() - start || entry.size > kMostBytes)
      fail("entry " + quoted(entry.name) + " is cut off or too large");
    const std::string_view packed = text_.substr(start, entry.packed);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(entry.size, most));
    if (entry.method == 0) return std::string(packed.substr(0, wanted));
    if (entry.method != 8)
      fail("entry " + quoted(entry.name) + " is packed by method " + std::to_string(entry.method) +
           ", not by numpy.savez or savez_compressed");
    return inflated(entry, packed, wanted);
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(330, Place{path_}, "the .npz archive " + what);
  }

 private:
  std::uint64_t number(std::uint64_t at, unsigned size) const {
    std::uint64_t value = 0;
    for (unsigned i = size; i-- > 0;)
      value = value << 8 | (at + i < text_.size() ? static_cast<unsigned char>(text_[at + i]) : 0U);
    return value;
  }

  /// Sizes of 64 bits, in the order of the fields that say 0xFFFFFFFF.
  void large_sizes(Entry& entry, std::uint64_t at, std::uint64_t length) const {
    const std::uint64_t end = at + length;
    while (at + 4 <= end) {
      const std::uint64_t id = number(at, 2), size = number(at + 2, 2);
      std::uint64_t field = at + 4;
      if (id == 1)
        for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.offset})
          if (*value == 0xFFFFFFFFU && field + 8 <= end) {
            *value = number(field, 8);
            field += 8;
          }
      at += 4 + size;
    }
  }

  std::string inflated(const Entry& entry, std::string_view packed, std::size_t wanted) const {
    std::string result(wanted, '\0');
    z_stream stream{};
    if (inflateInit2(&stream, -15) != Z_OK) throw UnavailableError(330, "zlib cannot start");
    // zlib does not write to its input; its type says so only where ZLIB_CONST is defined.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    const int status = inflate(&stream, Z_SYNC_FLUSH);
    const bool is_full = stream.avail_out == 0;
    inflateEnd(&stream);
    if ((status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) || !is_full)
      fail("entry " + quoted(entry.name) + " cannot be unpacked");
    return result;
  }

  std::string_view text_;
  const std::string& path_;
};

/// The name of an array: its entry's without .npy.
std::string array_name(const Entry& entry) {
  return entry.name.ends_with(".npy") ? entry.name.substr(0, entry.name.size() - 4) : entry.name;
}

/// By the bytes that an entry has: a table's elements of 1 … 8 bytes and a header.
bool may_be_table(const Entry& entry, std::uint64_t words) {
  for (const std::uint64_t item : {1U, 2U, 4U, 8U})
    if (entry.size > item * words && entry.size <= item * words + 4096) return true;
  return false;
}

}  // namespace

bool is_npz(std::string_view content) {
  if (!content.starts_with("PK\3\4") || content.size() < 34) return false;
  const std::size_t name = static_cast<unsigned char>(content[26]) |
                           static_cast<std::size_t>(static_cast<unsigned char>(content[27])) << 8;
  return content.substr(30, name).ends_with(".npy");
}

std::string npz_array(const Input& input) {
  const Archive archive(input);
  std::vector<Entry> entries = archive.entries(), fitting;
  std::string names;
  for (const Entry& entry : entries) {
    names += (names.empty() ? "" : ", ") + array_name(entry);
    const bool wanted = input.column ? array_name(entry) == *input.column
                                     : entries.size() == 1 || may_be_table(entry, input.words());
    if (wanted) fitting.push_back(entry);
  }
  if (fitting.empty())
    archive.fail(input.column ? "has no array " + quoted(*input.column) + "; there are: " + names
                              : "has no array of " + std::to_string(input.words()) +
                                    " elements; there are: " + names);
  if (fitting.size() > 1) {
    std::string choice;
    for (const Entry& entry : fitting) choice += (choice.empty() ? "" : ", ") + array_name(entry);
    archive.fail("has several arrays of the size of a table: " + choice +
                 "; choose one with --column NAME");
  }
  return archive.bytes(fitting.front(), kMostBytes);
}

}  // namespace axmul::detail
