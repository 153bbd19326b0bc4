// The parallel loop on OpenMP; exceptions leave it by lowest index.
#include "axmul/core/parallel.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "axmul/core/errors.hpp"
#include "axmul/core/interrupt.hpp"

namespace axmul {

namespace {
std::atomic<int> g_threads{0};
std::atomic<bool> g_interrupt{false}, g_noticed{false};
std::atomic<unsigned> g_patience{kInterruptPatience};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");
}  // namespace

int default_threads() {
  const int threads = g_threads.load();
  return threads > 0 ? threads : std::max(1, omp_get_num_procs());
}

void set_threads(int threads) {
  g_threads = std::max(0, threads);
  omp_set_num_threads(default_threads());
}

void request_interrupt() noexcept { g_interrupt = true; }
bool interrupt_requested() noexcept {
  if (!g_interrupt.load(std::memory_order_relaxed)) return false;
  g_noticed = true;
  return true;
}
bool interrupt_noticed() noexcept { return g_noticed; }
void set_interrupt_patience(unsigned seconds) noexcept { g_patience = seconds; }
unsigned interrupt_patience() noexcept { return g_patience; }
void clear_interrupt() noexcept { g_interrupt = g_noticed = false; }
void poll_interrupt() {
  if (interrupt_requested()) throw InterruptedError();
}

void parallel_for(std::size_t n, int threads, const std::function<void(std::size_t)>& body) {
  if (threads <= 0) threads = default_threads();
  threads = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(threads), n));
  if (threads <= 1) {
    for (std::size_t i = 0; i < n; ++i) {
      poll_interrupt();
      body(i);
    }
    return;
  }
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> first_failure{n};
  std::exception_ptr failure;
  std::mutex mutex;
#pragma omp parallel num_threads(threads)
  {
    for (;;) {
      const std::size_t i = next.fetch_add(1);
      // Indices are handed out in order, so every index below a failing one has started already.
      if (i >= n || i >= first_failure.load()) break;
      try {
        poll_interrupt();
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < first_failure.load()) {
          first_failure = i;
          failure = std::current_exception();
        }
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace axmul
