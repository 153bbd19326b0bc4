// Reads whole files, through zlib or liblzma when the name says so.
#include <lzma.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "axmul/core/errors.hpp"
#include "axmul/train/data.hpp"

namespace axmul {
namespace {

constexpr std::size_t kChunk = 1 << 20;

std::vector<std::uint8_t> read_plain(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError(901, {path}, "cannot be opened; check the path and its permissions");
  file.seekg(0, std::ios::end);
  const auto size = file.tellg();
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::max<std::streamoff>(size, 0)));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw InputError(902, {path}, "cannot be read to its end");
  return bytes;
}

std::vector<std::uint8_t> inflate_gzip(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw InputError(901, {path}, "cannot be opened");
  std::vector<std::uint8_t> bytes;
  std::size_t used = 0;
  int got = 0;
  do {
    bytes.resize(used + kChunk);
    got = gzread(file, bytes.data() + used, kChunk);
    if (got > 0) used += static_cast<std::size_t>(got);
  } while (got > 0);
  int status = Z_OK;
  gzerror(file, &status);
  const bool broken = got < 0 || (status != Z_OK && status != Z_STREAM_END);
  gzclose(file);
  if (broken) throw InputError(902, {path}, "is damaged or cut short (gzip); fetch it again");
  bytes.resize(used);
  return bytes;
}

std::vector<std::uint8_t> inflate_xz(const std::string& path) {
  const std::vector<std::uint8_t> packed = read_plain(path);
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, UINT64_MAX, LZMA_CONCATENATED) != LZMA_OK)
    throw InternalError("liblzma cannot be initialised");
  stream.next_in = packed.data();
  stream.avail_in = packed.size();
  std::vector<std::uint8_t> bytes;
  lzma_ret status = LZMA_OK;
  while (status == LZMA_OK) {
    const std::size_t used = bytes.size();
    bytes.resize(used + kChunk);
    stream.next_out = bytes.data() + used;
    stream.avail_out = kChunk;
    status = lzma_code(&stream, LZMA_FINISH);
    bytes.resize(bytes.size() - stream.avail_out);
  }
  lzma_end(&stream);
  if (status != LZMA_STREAM_END)
    throw InputError(902, {path}, "is damaged or cut short (xz); fetch it again");
  return bytes;
}

}  // namespace

std::vector<std::uint8_t> read_maybe_compressed(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    throw InputError(901, {path}, "is not a file that can be read");
  if (path.ends_with(".gz")) return inflate_gzip(path);
  if (path.ends_with(".xz")) return inflate_xz(path);
  return read_plain(path);
}

}  // namespace axmul
