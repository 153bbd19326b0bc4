// Fused passes over whole tensors, cloned for AVX2; -ffp-contract=off keeps all clones equal.
#include <algorithm>
#include <limits>
#include <vector>

#include "axmul/core/parallel.hpp"
#include "train/layer/elementwise.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define AXMUL_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define AXMUL_CLONES
#endif

namespace axmul::detail {
namespace {

constexpr std::size_t kBlock = 1 << 15;
constexpr float kRound = 12582912.0f;  // 1.5 · 2^23: adding and removing it rounds half to even

AXMUL_CLONES void quantize_integers(const float* x, std::size_t n, float inverse, float low,
                                    float high, float* integers) {
  for (std::size_t i = 0; i < n; ++i) {
    float t = x[i] * inverse;
    t = t > low ? t : low;
    t = t < high ? t : high;
    integers[i] = (t + kRound) - kRound;
  }
}

AXMUL_CLONES void quantize_codes(const float* x, std::size_t n, float inverse, float low,
                                 float high, int zero_point, std::uint8_t* codes) {
  for (std::size_t i = 0; i < n; ++i) {
    float t = x[i] * inverse;
    t = t > low ? t : low;
    t = t < high ? t : high;
    codes[i] = static_cast<std::uint8_t>(static_cast<int>((t + kRound) - kRound) + zero_point);
  }
}

template <bool kAdd, class T>
[[gnu::always_inline]] inline void finish_rows(const T* acc, std::size_t rows, std::size_t m_count,
                                               const Finish& f, const float* add, float* y) {
  const float *scale = f.scale, *shift = f.shift;
  const float low = f.low, high = f.high;
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t m = 0; m < m_count; ++m) {
      float t = static_cast<float>(acc[i * m_count + m]) * scale[m] + shift[m];
      if constexpr (kAdd) t += add[i * m_count + m];
      t = t < low ? low : t;
      y[i * m_count + m] = t > high ? high : t;
    }
}
AXMUL_CLONES void finish_block(const float* acc, std::size_t rows, std::size_t m_count,
                               const Finish& f, const float* add, float* y) {
  if (add != nullptr)
    finish_rows<true>(acc, rows, m_count, f, add, y);
  else
    finish_rows<false>(acc, rows, m_count, f, add, y);
}
AXMUL_CLONES void finish_block(const std::int32_t* acc, std::size_t rows, std::size_t m_count,
                               const Finish& f, const float* add, float* y) {
  if (add != nullptr)
    finish_rows<true>(acc, rows, m_count, f, add, y);
  else
    finish_rows<false>(acc, rows, m_count, f, add, y);
}

AXMUL_CLONES void remove_rows(std::int32_t* acc, std::size_t rows, std::size_t m_count,
                              std::size_t groups, std::int32_t zero_point,
                              const std::int32_t* field, const std::int32_t* constant) {
  const std::size_t per_group = m_count / groups;
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t g = 0; g < groups; ++g) {
      const auto away = static_cast<std::uint32_t>(zero_point) *
                        static_cast<std::uint32_t>(field[i * groups + g]);
      std::int32_t* sums = acc + i * m_count + g * per_group;
      const std::int32_t* fixed = constant + g * per_group;
      for (std::size_t m = 0; m < per_group; ++m)
        sums[m] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[m]) - away -
                                            static_cast<std::uint32_t>(fixed[m]));
    }
}

AXMUL_CLONES void sum_codes_block(const std::uint8_t* codes, std::size_t n, std::size_t width,
                                  std::int32_t start, std::int32_t* sums) {
  for (std::size_t i = 0; i < n; ++i) {
    std::int32_t sum = start;
    for (std::size_t j = 0; j < width; ++j) sum += codes[i * width + j];
    sums[i] = sum;
  }
}

AXMUL_CLONES void mask_block(float* gradient, const float* x, std::size_t n, float inverse,
                             float low, float high) {
  for (std::size_t i = 0; i < n; ++i) {
    const float t = x[i] * inverse;
    gradient[i] = t >= low && t <= high ? gradient[i] : 0.0f;
  }
}

AXMUL_CLONES void range_block(const float* x, std::size_t n, float* out) {
  float low[16], high[16], sum[16];  // fixed lanes; the sum only carries NaN
  for (int j = 0; j < 16; ++j) low[j] = high[j] = x[0], sum[j] = 0;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (std::size_t j = 0; j < 16; ++j) {
      const float v = x[i + j];
      low[j] = v < low[j] ? v : low[j];
      high[j] = v > high[j] ? v : high[j];
      sum[j] += v * 0.0f;
    }
  for (; i < n; ++i) {
    low[0] = x[i] < low[0] ? x[i] : low[0];
    high[0] = x[i] > high[0] ? x[i] : high[0];
    sum[0] += x[i] * 0.0f;
  }
  for (int j = 1; j < 16; ++j) {
    low[0] = std::min(low[0], low[j]);
    high[0] = std::max(high[0], high[j]);
    sum[0] += sum[j];
  }
  out[0] = low[0] + sum[0];
  out[1] = high[0] + sum[0];
}

// Calls work(begin, end) on blocks of about kBlock elements, rows of `width` elements kept whole.
template <class Work>
void for_blocks(std::size_t rows, std::size_t width, const Work& work) {
  const std::size_t step = std::max<std::size_t>(1, kBlock / std::max<std::size_t>(1, width));
  const auto blocks = static_cast<std::ptrdiff_t>((rows + step - 1) / step);
#pragma omp parallel for schedule(static) if (blocks > 1)
  for (std::ptrdiff_t block = 0; block < blocks; ++block) {
    const std::size_t begin = static_cast<std::size_t>(block) * step;
    work(begin, std::min(rows, begin + step));
  }
}

template <class T>
void finish(const T* acc, std::size_t rows, std::size_t m_count, const Finish& f, float* y) {
  for_blocks(rows, m_count, [&](std::size_t begin, std::size_t end) {
    finish_block(acc + begin * m_count, end - begin, m_count, f,
                 f.add == nullptr ? nullptr : f.add + begin * m_count, y + begin * m_count);
  });
}

}  // namespace

void quantize(const float* x, std::size_t n, float inverse, float low, float high, int zero_point,
              std::uint8_t* codes, float* integers) {
  for_blocks(n, 1, [&](std::size_t begin, std::size_t end) {
    if (integers != nullptr)
      quantize_integers(x + begin, end - begin, inverse, low, high, integers + begin);
    if (codes != nullptr)
      quantize_codes(x + begin, end - begin, inverse, low, high, zero_point, codes + begin);
  });
}

void finish_sums(const float* acc, std::size_t rows, std::size_t m_count, const Finish& f,
                 float* y) {
  finish(acc, rows, m_count, f, y);
}
void finish_sums(const std::int32_t* acc, std::size_t rows, std::size_t m_count, const Finish& f,
                 float* y) {
  finish(acc, rows, m_count, f, y);
}

void remove_zero_points(std::int32_t* acc, std::size_t rows, std::size_t m_count,
                        std::size_t groups, std::int32_t zero_point, const std::int32_t* field,
                        const std::int32_t* constant) {
  for_blocks(rows, m_count, [&](std::size_t begin, std::size_t end) {
    remove_rows(acc + begin * m_count, end - begin, m_count, groups, zero_point,
                field + begin * groups, constant);
  });
}

void sum_codes(const std::uint8_t* codes, std::size_t n, std::size_t width, int zero_point,
               std::int32_t* sums) {
  const auto start = -zero_point * static_cast<std::int32_t>(width);
  for_blocks(n, width, [&](std::size_t begin, std::size_t end) {
    sum_codes_block(codes + begin * width, end - begin, width, start, sums + begin);
  });
}

void mask_gradient(float* gradient, const float* x, std::size_t n, float inverse, float low,
                   float high) {
  for_blocks(n, 1, [&](std::size_t begin, std::size_t end) {
    mask_block(gradient + begin, x + begin, end - begin, inverse, low - 0.5f, high + 0.5f);
  });
}

Range range_of(const float* x, std::size_t n) {
  if (n == 0) return {0, 0};
  const std::size_t blocks = (n + kBlock - 1) / kBlock;
  std::vector<float> parts(2 * blocks);
  for_blocks(n, 1, [&](std::size_t begin, std::size_t end) {
    range_block(x + begin, end - begin, parts.data() + 2 * (begin / kBlock));
  });
  Range range{parts[0], parts[1]};
  for (std::size_t i = 1; i < blocks; ++i) {
    // Written so that a NaN stays.
    range.min = parts[2 * i] < range.min || parts[2 * i] != parts[2 * i] ? parts[2 * i] : range.min;
    range.max = parts[2 * i + 1] > range.max || parts[2 * i + 1] != parts[2 * i + 1]
                    ? parts[2 * i + 1]
                    : range.max;
  }
  return range;
}

}  // namespace axmul::detail
