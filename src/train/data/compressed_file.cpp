// Reads whole files, through zlib or liblzma when the name says so.
#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>

#include "axmul/core/errors.hpp"
#include "axmul/core/parallel.hpp"
#include "axmul/train/data.hpp"

namespace axmul {
namespace {

constexpr std::size_t kChunk = 1 << 20;

std::vector<std::uint8_t> read_plain(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError(901, {path}, "cannot be opened; check the path and its permissions");
  file.seekg(0, std::ios::end);
  const auto size = file.tellg();
  if (size > static_cast<std::streamoff>(kMostPlain))
    throw InputError(904, {path},
                     "is larger than " + std::to_string(kMostPlain >> 30) +
                         " GiB, the most that is read; give the data in files of fewer images");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::max<std::streamoff>(size, 0)));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw InputError(902, {path}, "cannot be read to its end");
  return bytes;
}

using Wanted = std::function<std::size_t(std::span<const std::uint8_t>)>;

[[noreturn]] void too_large(const std::string& path, std::size_t limit) {
  throw InputError(904, {path},
                   "unpacks to more than " + std::to_string(limit >> 20) +
                       " MiB, the most that is read; give the data in files of fewer images");
}

// How much a file may unpack to, once its first bytes are there.
class Bound {
 public:
  Bound(const std::string& path, const Wanted& wanted) : path_(path), wanted_(wanted) {}

  void check(std::span<const std::uint8_t> bytes) {
    if (!asked_ && wanted_ && !bytes.empty()) {
      asked_ = true;
      wanted_bytes_ = wanted_(bytes.first(std::min(bytes.size(), kChunk)));
    }
    if (bytes.size() > wanted_bytes_)
      throw InputError(902, {path_},
                       "declares " + std::to_string(wanted_bytes_) +
                           " bytes but unpacks to more; it is damaged");
    if (bytes.size() > kMostUnpacked) too_large(path_, kMostUnpacked);
  }

 private:
  const std::string& path_;
  const Wanted& wanted_;
  bool asked_ = false;
  std::size_t wanted_bytes_ = std::numeric_limits<std::size_t>::max();
};

std::vector<std::uint8_t> inflate_gzip(const std::string& path, const Wanted& wanted) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw InputError(901, {path}, "cannot be opened");
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> closed(file, gzclose);
  Bound bound(path, wanted);
  std::vector<std::uint8_t> bytes;
  std::size_t used = 0;
  int got = 0;
  do {
    poll_interrupt();
    bytes.resize(used + kChunk);
    got = gzread(file, bytes.data() + used, kChunk);
    if (got > 0) used += static_cast<std::size_t>(got);
    bound.check(std::span(bytes).first(used));
  } while (got > 0);
  int status = Z_OK;
  gzerror(file, &status);
  if (got < 0 || (status != Z_OK && status != Z_STREAM_END))
    throw InputError(902, {path}, "is damaged or cut short (gzip); fetch it again");
  bytes.resize(used);
  return bytes;
}

std::vector<std::uint8_t> inflate_xz(const std::string& path, const Wanted& wanted) {
  const std::vector<std::uint8_t> packed = read_plain(path);
  constexpr std::uint64_t kDecoderMemory = std::uint64_t{256} << 20;  // xz -9 needs 65 MiB
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kDecoderMemory, LZMA_CONCATENATED) != LZMA_OK)
    throw InternalError("liblzma cannot be initialised");
  const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> ended(&stream, lzma_end);
  Bound bound(path, wanted);
  stream.next_in = packed.data();
  stream.avail_in = packed.size();
  std::vector<std::uint8_t> bytes;
  lzma_ret status = LZMA_OK;
  while (status == LZMA_OK) {
    poll_interrupt();
    const std::size_t used = bytes.size();
    bytes.resize(used + kChunk);
    stream.next_out = bytes.data() + used;
    stream.avail_out = kChunk;
    status = lzma_code(&stream, LZMA_FINISH);
    bytes.resize(bytes.size() - stream.avail_out);
    bound.check(bytes);
  }
  if (status == LZMA_MEMLIMIT_ERROR)
    throw InputError(904, {path}, "needs more than 256 MiB to be unpacked (xz)");
  if (status != LZMA_STREAM_END)
    throw InputError(902, {path}, "is damaged or cut short (xz); fetch it again");
  return bytes;
}

}  // namespace

std::vector<std::uint8_t> read_maybe_compressed(const std::string& path, const Wanted& wanted) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    throw InputError(901, {path}, "is not a file that can be read");
  if (path.ends_with(".gz")) return inflate_gzip(path, wanted);
  if (path.ends_with(".xz")) return inflate_xz(path, wanted);
  return read_plain(path);
}

}  // namespace axmul
