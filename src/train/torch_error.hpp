// Errors that libtorch throws, as errors of axmul.
#pragma once

#include <exception>
#include <string>

#include "axmul/core/errors.hpp"

namespace axmul::train {

/// What went wrong in one line: of an error out of the interpreter, whose text is a traceback, the
/// line that the traceback ends in; else the first line that is not empty.
std::string torch_message(const std::exception& error);

/// Throws InputError of `before`, that line and `after`, with libtorch's own error nested in it,
/// whose whole text --verbose shows. To be called where the error is being handled.
[[noreturn]] void throw_torch_error(int id, const Place& place, const std::string& before,
                                    const std::exception& error, const std::string& after = {});

}  // namespace axmul::train
