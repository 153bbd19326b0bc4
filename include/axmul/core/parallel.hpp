// Threads and interruption: one parallel loop, one thread setting, one interrupt flag.
#pragma once

#include <cstddef>
#include <functional>

#include "axmul/core/api.hpp"

namespace axmul {

/// Threads a loop uses when asked for 0: the last set_threads(), else the hardware's.
AXMUL_API int default_threads();
/// Sets that default (≥ 1) and OpenMP's; 0 returns to the hardware's. The CLI's --threads.
AXMUL_API void set_threads(int threads);

/// Calls body(i) for i = 0 … n−1 on `threads` threads (0 = default), each index once, any order.
/// When bodies throw, the exception of the lowest failing index is rethrown (indices above it may
/// not run, all below do). Polls interruption between bodies: throws InterruptedError.
AXMUL_API void parallel_for(std::size_t n, int threads,
                            const std::function<void(std::size_t)>& body);

/// Asks running work to stop at the next poll; async-signal-safe (the CLI's SIGINT handler calls
/// it).
AXMUL_API void request_interrupt() noexcept;
AXMUL_API bool interrupt_requested() noexcept;
AXMUL_API void clear_interrupt() noexcept;
/// Throws InterruptedError when an interrupt was requested.
AXMUL_API void poll_interrupt();

/// Called as work proceeds, from one thread at a time: (done, total), total 0 = unknown.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

}  // namespace axmul
