// Typed failures. Every error has a stable id; the command line maps the type to an exit code.
//
// id ranges, one per layer (an id is never reused for another meaning):
//   core 1-99   io 100-199   netlist 200-299   formats 300-399   stats 400-499   designs 500-599
//   kernels 600-699   model 700-799   tables 800-899   train 900-999   cli 1000-1099   report
//   1100-1199
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include "axmul/core/api.hpp"

namespace axmul {

/// Base of every failure that the library reports. what() is the whole message, "AX203 foo.v:17:
/// …".
class AXMUL_API Error : public std::runtime_error {
 public:
  Error(int id, const std::string& message);
  int id() const noexcept { return id_; }
  /// Exit code of the command line for this kind of failure (src/README.md#command-line).
  virtual int exit_code() const noexcept = 0;

 private:
  int id_;
};

/// Where in an input something is wrong; line 0 = no line, rendered "path:line: " or "path: ".
struct AXMUL_API Place {
  std::string path;
  std::size_t line = 0;
};

/// The caller asked for something that has no meaning (bad option, bad parameter). Exit code 2.
class AXMUL_API UsageError : public Error {
 public:
  using Error::Error;
  int exit_code() const noexcept override { return 2; }
};

/// Input that cannot be used: malformed, inconsistent, out of range. Exit code 3.
class AXMUL_API InputError : public Error {
 public:
  using Error::Error;
  InputError(int id, const Place& place, const std::string& message);
  int exit_code() const noexcept override { return 3; }
};

/// A target cannot be written. Exit code 4.
class AXMUL_API OutputError : public Error {
 public:
  using Error::Error;
  int exit_code() const noexcept override { return 4; }
};

/// A kernel, tool or feature that this machine or build does not have. Exit code 5.
class AXMUL_API UnavailableError : public Error {
 public:
  using Error::Error;
  int exit_code() const noexcept override { return 5; }
};

/// The user interrupted. Exit code 130.
class AXMUL_API InterruptedError : public Error {
 public:
  InterruptedError();
  int exit_code() const noexcept override { return 130; }
};

/// A broken invariant of axmul itself: a bug. Exit code 70.
class AXMUL_API InternalError : public Error {
 public:
  explicit InternalError(const std::string& message);
  int exit_code() const noexcept override { return 70; }
};

}  // namespace axmul
