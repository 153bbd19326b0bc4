// Output for terminals whose locale has no UTF-8.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>

namespace axmul::cli {

/// Whether the environment's locale writes UTF-8.
bool locale_is_utf8();

/// Passes text on to another stream with what is not ASCII spelled out: "sigma" for σ, "-" for −,
/// "?" for what has no spelling.
class AsciiBuffer : public std::streambuf {
 public:
  explicit AsciiBuffer(std::ostream& to) : to_(to) {}
  ~AsciiBuffer() override { flush_rest(); }

 protected:
  int_type overflow(int_type c) override;
  int sync() override;

 private:
  void flush_rest();
  std::ostream& to_;
  std::string rest_;  // the start of a character
};

}  // namespace axmul::cli
