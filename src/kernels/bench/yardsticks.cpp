// The loops that research tools simulate multipliers with, written from their descriptions and
// compiled like everything else here.
#include "kernels/bench/yardsticks.hpp"

#include <time.h>

namespace axmul::detail {

double seconds_of(const std::function<void()>& work, int threads) {
  const clockid_t clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  const auto now = [&] {
    timespec t{};
    ::clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  };
  const double start = now();
  work();
  return now() - start;
}

void triple_loop(const YardstickTask& t) {
  for (std::size_t n = 0; n < t.shape.n; ++n)
    for (std::size_t m = 0; m < t.shape.m; ++m) {
      const std::uint8_t* a = t.a + n * t.shape.k;
      const std::uint8_t* b = t.b_by_channel + m * t.shape.k;
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < t.shape.k; ++k) sum += t.table[a[k] << 8 | b[k]];
      t.y[n * t.shape.m + m] = sum;
    }
}

void adapt_loop(const YardstickTask& t) {
  for (std::size_t n = 0; n < t.shape.n; ++n)
    for (std::size_t m = 0; m < t.shape.m; ++m) {
      const std::uint8_t* a = t.a + n * t.shape.k;
      const std::uint8_t* b = t.b_by_channel + m * t.shape.k;
      std::int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
      std::size_t k = 0;
      for (; k + 8 <= t.shape.k; k += 8) {
        s0 += t.short_table[a[k] << 8 | b[k]];
        s1 += t.short_table[a[k + 1] << 8 | b[k + 1]];
        s2 += t.short_table[a[k + 2] << 8 | b[k + 2]];
        s3 += t.short_table[a[k + 3] << 8 | b[k + 3]];
        s4 += t.short_table[a[k + 4] << 8 | b[k + 4]];
        s5 += t.short_table[a[k + 5] << 8 | b[k + 5]];
        s6 += t.short_table[a[k + 6] << 8 | b[k + 6]];
        s7 += t.short_table[a[k + 7] << 8 | b[k + 7]];
      }
      for (; k < t.shape.k; ++k) s0 += t.short_table[a[k] << 8 | b[k]];
      t.y[n * t.shape.m + m] = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
    }
}

}  // namespace axmul::detail
