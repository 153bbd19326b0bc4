// Records of a zip archive as PyTorch writes them, read as a stranger's: every offset and size is
// checked against the file before anything is taken from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace axmul::train {

/// An archive that cannot be used; what() says why, without the path and without an error id, which
/// are the caller's to add.
class BadArchive : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Where a record lies. Stored records are packed_size == size bytes as they are.
struct ZipRecord {
  std::uint64_t header = 0;  ///< offset of the local header
  std::uint64_t packed_size = 0, size = 0;
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// An open archive. All names in it begin with one folder, which is taken off.
class ZipFile {
 public:
  static constexpr std::size_t kMostRecords = 200'000;
  static constexpr std::size_t kLongestName = 4096;
  /// A compressed record may hold this many times its packed size where it is larger than 64 MiB.
  static constexpr std::uint64_t kMostExpansion = 16;
  static constexpr std::uint64_t kFreeExpansion = std::uint64_t{64} << 20;

  /// Reads the directory. Throws BadArchive where it is no zip archive of regular, unencrypted
  /// records inside the file, or exceeds the limits above.
  explicit ZipFile(const std::string& path);
  ~ZipFile();
  ZipFile(const ZipFile&) = delete;
  ZipFile& operator=(const ZipFile&) = delete;

  const std::map<std::string, ZipRecord>& records() const { return records_; }
  bool has(const std::string& name) const { return records_.contains(name); }
  std::uint64_t file_size() const { return size_; }

  /// The record's bytes, whose CRC is right. Throws BadArchive where there is no such record, it is
  /// damaged, or it is larger than `limit`.
  std::vector<std::byte> read(const std::string& name, std::uint64_t limit) const;

 private:
  std::vector<std::byte> bytes_at(std::uint64_t offset, std::uint64_t count) const;
  void read_directory();
  void add_entry(const std::vector<std::byte>& directory, std::size_t& at, std::string& folder);

  int file_ = -1;
  std::uint64_t size_ = 0;
  std::map<std::string, ZipRecord> records_;
};

/// The bytes of an archive of stored records NAME → bytes, all in the folder "archive", in the
/// order given: what libtorch gets to see. Throws BadArchive beyond 4 GiB.
class ZipWriter {
 public:
  void add(const std::string& name, const std::vector<std::byte>& bytes);
  /// Once, after all records.
  std::string finish();

 private:
  std::string data_, directory_;
  std::uint16_t count_ = 0;
};

}  // namespace axmul::train
