// Aligned memory that outlives a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace axmul::detail {

/// Aligned bytes, not initialised, that grow on demand: kept one a thread, because fresh pages
/// would cost more than small products.
class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { release(); }

  unsigned char* at_least(std::size_t wanted) {
    if (wanted > size_) {
      release();
      bytes_ = static_cast<unsigned char*>(::operator new(wanted, kAlignment));
      size_ = wanted;
    }
    return bytes_;
  }

 private:
  static constexpr std::align_val_t kAlignment{4096};
  void release() {
    if (bytes_ != nullptr) ::operator delete(bytes_, kAlignment);
    bytes_ = nullptr;
    size_ = 0;
  }
  std::size_t size_ = 0;
  unsigned char* bytes_ = nullptr;
};

/// A fixed number of bytes that begin at a cache line.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::size_t size)
      : bytes_(static_cast<std::uint8_t*>(::operator new(size, kAlignment))) {}
  Bytes(Bytes&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
  Bytes& operator=(Bytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Bytes() {
    if (bytes_ != nullptr) ::operator delete(bytes_, kAlignment);
  }
  std::uint8_t* data() { return bytes_; }
  const std::uint8_t* data() const { return bytes_; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  std::uint8_t* bytes_ = nullptr;
};

}  // namespace axmul::detail
