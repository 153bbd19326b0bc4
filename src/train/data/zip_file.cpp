// The part of the zip format that PyTorch uses (APPNOTE 6.3.10: stored and deflated records,
// zip64).
#include "train/data/zip_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace axmul::train {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kEntry = 0x02014b50, kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::size_t kLocalSize = 30, kEntrySize = 46, kEndSize = 22, kEnd64Size = 56;
constexpr std::size_t kLocatorSize = 20;
constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMostDirectory = std::uint64_t{256} << 20;

// Little-endian numbers at a place that must lie inside the bytes.
std::uint64_t number(const std::vector<std::byte>& bytes, std::size_t at, std::size_t width) {
  if (at > bytes.size() || bytes.size() - at < width)
    throw BadArchive("is damaged: its zip directory is cut short");
  std::uint64_t value = 0;
  for (std::size_t i = width; i > 0; --i)
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i - 1]);
  return value;
}

std::uint32_t crc_of(const std::vector<std::byte>& bytes) {
  uLong crc = crc32(0, nullptr, 0);
  constexpr std::size_t kStep = std::size_t{1} << 30;
  for (std::size_t at = 0; at < bytes.size(); at += kStep)
    crc = crc32(crc, reinterpret_cast<const Bytef*>(bytes.data()) + at,
                static_cast<uInt>(std::min(kStep, bytes.size() - at)));
  return static_cast<std::uint32_t>(crc);
}

// Raw deflate into exactly `size` bytes.
std::vector<std::byte> inflate_raw(const std::vector<std::byte>& packed, std::uint64_t size) {
  std::vector<std::byte> bytes(size);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
  std::size_t in = packed.size(), out = bytes.size();
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  Bytef nothing = 0;  // where an empty record has no buffer
  if (out == 0) stream.next_out = &nothing;
  constexpr std::size_t kStep = std::size_t{1} << 30;
  int status = Z_OK;
  while (status == Z_OK) {
    const auto give = static_cast<uInt>(std::min(kStep, in));
    const auto take = static_cast<uInt>(std::min(kStep, out));
    stream.avail_in = give;
    stream.avail_out = take;
    status = inflate(&stream, Z_NO_FLUSH);
    in -= give - stream.avail_in;
    out -= take - stream.avail_out;
    if (status == Z_OK && give == stream.avail_in && take == stream.avail_out) break;
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END || out != 0) throw BadArchive("a compressed record is damaged");
  return bytes;
}

void append(std::string& to, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) to.push_back(static_cast<char>(value >> (8 * i) & 255));
}

}  // namespace

ZipFile::ZipFile(const std::string& path)
    : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (file_ < 0) throw BadArchive(std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status {};
  const bool regular = fstat(file_, &status) == 0 && S_ISREG(status.st_mode);
  try {
    if (!regular) throw BadArchive("is no regular file");
    size_ = static_cast<std::uint64_t>(status.st_size);
    read_directory();
  } catch (...) {
    close(file_);
    throw;
  }
}

ZipFile::~ZipFile() { close(file_); }

std::vector<std::byte> ZipFile::bytes_at(std::uint64_t offset, std::uint64_t count) const {
  if (offset > size_ || size_ - offset < count)
    throw BadArchive("is cut short: a record lies outside the file");
  std::vector<std::byte> bytes(count);
  for (std::size_t done = 0; done < bytes.size();) {
    const auto got =
        pread(file_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw BadArchive("cannot be read to its end");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

void ZipFile::read_directory() {
  const std::uint64_t tail_size = std::min<std::uint64_t>(size_, kEndSize + 65535);
  const auto tail = bytes_at(size_ - tail_size, tail_size);
  std::size_t end = tail.size() < kEndSize ? 0 : tail.size() - kEndSize + 1;
  while (end > 0 && !(number(tail, end - 1, 4) == kEnd &&
                      number(tail, end - 1 + 20, 2) == tail.size() - kEndSize - (end - 1)))
    --end;
  if (end == 0) throw BadArchive("is damaged or cut short: it has no zip directory at its end");
  --end;
  const std::uint64_t end_offset = size_ - tail_size + end;
  std::uint64_t count = number(tail, end + 10, 2), length = number(tail, end + 12, 4);
  std::uint64_t begin = number(tail, end + 16, 4);
  std::uint64_t limit = end_offset;
  if (end >= kLocatorSize && number(tail, end - kLocatorSize, 4) == kLocator64) {
    const std::uint64_t where = number(tail, end - kLocatorSize + 8, 8);
    const auto end64 = bytes_at(where, kEnd64Size);
    if (number(end64, 0, 4) != kEnd64)
      throw BadArchive("is damaged: its zip directory makes no sense");
    count = number(end64, 32, 8);
    length = number(end64, 40, 8);
    begin = number(end64, 48, 8);
    limit = std::min(limit, where);
  }
  if (count > kMostRecords || length > kMostDirectory)
    throw BadArchive("has more than " + std::to_string(kMostRecords) + " records");
  if (begin > limit || limit - begin < length)
    throw BadArchive("is damaged: its zip directory makes no sense");
  const auto directory = bytes_at(begin, length);
  std::size_t at = 0;
  std::string folder;
  for (std::uint64_t i = 0; i < count; ++i) add_entry(directory, at, folder);
}

void ZipFile::add_entry(const std::vector<std::byte>& d, std::size_t& at, std::string& folder) {
  if (number(d, at, 4) != kEntry) throw BadArchive("is damaged: its zip directory makes no sense");
  const auto flags = number(d, at + 8, 2), method = number(d, at + 10, 2);
  ZipRecord record;
  record.crc = static_cast<std::uint32_t>(number(d, at + 16, 4));
  record.packed_size = number(d, at + 20, 4);
  record.size = number(d, at + 24, 4);
  record.header = number(d, at + 42, 4);
  record.deflated = method == 8;
  const std::size_t name_size = number(d, at + 28, 2), extra_size = number(d, at + 30, 2);
  const std::size_t comment_size = number(d, at + 32, 2);
  const std::size_t entry_size = kEntrySize + name_size + extra_size + comment_size;
  if (d.size() - at < entry_size) throw BadArchive("is damaged: its zip directory is cut short");
  std::string name(reinterpret_cast<const char*>(d.data()) + at + kEntrySize, name_size);
  const std::size_t extra_end = at + kEntrySize + name_size + extra_size;
  for (std::size_t x = at + kEntrySize + name_size; extra_end - x >= 4;) {
    const std::size_t id = number(d, x, 2), size = number(d, x + 2, 2);
    x += 4;
    if (extra_end - x < size) throw BadArchive("is damaged: its zip directory makes no sense");
    std::size_t field = x;
    if (id == 1)
      for (std::uint64_t* value : {&record.size, &record.packed_size, &record.header})
        if (*value == kMax32 && field + 8 <= x + size) {
          *value = number(d, field, 8);
          field += 8;
        }
    x += size;
  }
  at += entry_size;
  if (name.size() > kLongestName || name.find('\0') != name.npos)
    throw BadArchive("a record has an unusable name");
  const auto slash = name.find('/');
  if (slash == name.npos) throw BadArchive("its records do not lie in one folder");
  if (folder.empty()) folder = name.substr(0, slash + 1);
  if (!name.starts_with(folder)) throw BadArchive("its records do not lie in one folder");
  name.erase(0, folder.size());
  if (name.empty() || name.ends_with('/')) return;  // a folder's own entry
  if ((flags & 1) != 0 || (method != 0 && method != 8))
    throw BadArchive("record " + name + " is encrypted or packed in a way that is not read");
  if (record.packed_size > size_ || (!record.deflated && record.size != record.packed_size))
    throw BadArchive("record " + name + " claims more bytes than the file has");
  if (record.size > kFreeExpansion && record.size / kMostExpansion > record.packed_size)
    throw BadArchive("record " + name + " unpacks to more than " + std::to_string(kMostExpansion) +
                     " times its size");
  if (!records_.emplace(std::move(name), record).second)
    throw BadArchive("has two records of one name");
}

std::vector<std::byte> ZipFile::read(const std::string& name, std::uint64_t limit) const {
  const auto found = records_.find(name);
  if (found == records_.end()) throw BadArchive("has no record " + name);
  const ZipRecord& record = found->second;
  if (record.size > limit)
    throw BadArchive("record " + name + " holds " + std::to_string(record.size) +
                     " bytes; at most " + std::to_string(limit) + " are read");
  const auto header = bytes_at(record.header, kLocalSize);
  if (number(header, 0, 4) != kLocal) throw BadArchive("record " + name + " is damaged");
  const std::uint64_t begin =
      record.header + kLocalSize + number(header, 26, 2) + number(header, 28, 2);
  auto bytes = bytes_at(begin, record.packed_size);
  if (record.deflated) bytes = inflate_raw(bytes, record.size);
  if (crc_of(bytes) != record.crc)
    throw BadArchive("record " + name + " is damaged: its checksum is wrong");
  return bytes;
}

void ZipWriter::add(const std::string& record, const std::vector<std::byte>& bytes) {
  const std::string name = "archive/" + record;
  if (bytes.size() >= kMax32 || data_.size() + bytes.size() + name.size() >= kMax32 ||
      count_ == std::numeric_limits<std::uint16_t>::max())
    throw BadArchive("is larger than 4 GiB or has more than 65535 records");
  const auto header = data_.size();
  std::string common;  // of both headers: flags … lengths of name and extra field
  append(common, 0, 2);
  append(common, 0, 2);
  append(common, 0, 4);
  append(common, crc_of(bytes), 4);
  append(common, bytes.size(), 4);
  append(common, bytes.size(), 4);
  append(common, name.size(), 2);
  append(common, 0, 2);
  append(data_, kLocal, 4);
  append(data_, 20, 2);
  data_ += common + name;
  data_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  append(directory_, kEntry, 4);
  append(directory_, 20, 2);
  append(directory_, 20, 2);
  directory_ += common;
  directory_.append(2 + 2 + 2 + 4, '\0');  // comment, disk, attributes
  append(directory_, header, 4);
  directory_ += name;
  ++count_;
}

std::string ZipWriter::finish() {
  const auto begin = data_.size();
  if (begin + directory_.size() >= kMax32) throw BadArchive("is larger than 4 GiB");
  data_ += directory_;
  append(data_, kEnd, 4);
  append(data_, 0, 4);
  append(data_, count_, 2);
  append(data_, count_, 2);
  append(data_, directory_.size(), 4);
  append(data_, begin, 4);
  append(data_, 0, 2);
  return std::move(data_);
}

}  // namespace axmul::train
