// Whether running work has listened to an interrupt.
#pragma once

#include "axmul/core/api.hpp"

namespace axmul {

/// Whether interrupt_requested() has answered true since the request, so that whoever asked is
/// about to stop. Async-signal-safe: the command line ends work that does not listen.
AXMUL_API bool interrupt_noticed() noexcept;

/// Seconds that the command line leaves running work to listen, unless that work says that its
/// steps take longer and that it has something to save between them.
inline constexpr unsigned kInterruptPatience = 2;
AXMUL_API void set_interrupt_patience(unsigned seconds) noexcept;
AXMUL_API unsigned interrupt_patience() noexcept;

}  // namespace axmul
