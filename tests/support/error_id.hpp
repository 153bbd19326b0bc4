// The id of the error that a call throws.
#pragma once

#include <functional>

#include "axmul/core/errors.hpp"

namespace axmul::test {

/// 0 where it throws none.
inline int error_id(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.id();
  }
  return 0;
}

}  // namespace axmul::test
