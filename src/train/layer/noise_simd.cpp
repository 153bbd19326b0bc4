// Normal numbers from Philox counters and the passes that add them; -ffp-contract=off and own
// polynomials make all clones equal.
#include <algorithm>
#include <bit>
#include <cmath>

#include "axmul/core/philox.hpp"
#include "train/layer/noise.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define AXMUL_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
// Widening multiplications of g++ 12 take three instructions for one with AVX-512F.
#define AXMUL_AVX2_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define AXMUL_CLONES
#define AXMUL_AVX2_CLONES
#endif

namespace axmul::detail {
namespace {

constexpr int kLanes = 64;  // counters side by side, enough of them for a loop that gets vectorised
static_assert(kNormalPiece == 4 * kLanes);

// Of a 64-bit product; apart from the low half, since g++ 12 knows how to vectorise each alone.
[[gnu::always_inline]] inline std::uint32_t high_half(std::uint32_t x, std::uint32_t y) {
  return static_cast<std::uint32_t>((std::uint64_t{x} * y) >> 32);
}

// Natural logarithm of u in (0, 1]: u = m·2^e with m around 1, log m = 2·artanh((m−1)/(m+1)).
[[gnu::always_inline]] inline float logarithm(float u) {
  const auto bits = std::bit_cast<std::int32_t>(u);
  const std::int32_t e = (bits - 0x3f3504f3) >> 23;  // 0x3f3504f3: √½
  const float m = std::bit_cast<float>(bits - e * (1 << 23));
  const float s = (m - 1.0f) / (m + 1.0f), t = s * s;
  const float series =
      2.0f + t * (2.0f / 3.0f + t * (2.0f / 5.0f + t * (2.0f / 7.0f + t * (2.0f / 9.0f))));
  return static_cast<float>(e) * 0.69314718f + s * series;
}

// radius·cos and radius·sin of the angle k/2^24 of a turn: the nearest quarter turn is exact, the
// rest, an eighth at most, goes into Taylor series.
[[gnu::always_inline]] inline void polar(float radius, std::int32_t k, float& x, float& y) {
  const std::int32_t quarter = (k + (1 << 21)) >> 22;
  const float angle = static_cast<float>(k - quarter * (1 << 22)) * (6.28318531f / 16777216.0f);
  const float t = angle * angle;
  const float sine =
      angle * (1.0f - t * (1.0f / 6 - t * (1.0f / 120 - t * (1.0f / 5040 - t * (1.0f / 362880)))));
  const float cosine =
      1.0f -
      t * (0.5f - t * (1.0f / 24 - t * (1.0f / 720 - t * (1.0f / 40320 - t * (1.0f / 3628800)))));
  const bool odd = (quarter & 1) != 0;
  const float along = odd ? sine : cosine, across = odd ? cosine : sine;
  x = radius * ((quarter + 1) & 2 ? -along : along);
  y = radius * (quarter & 2 ? -across : across);
}

// One piece: draw 64·j + lane comes from word pair j/2 of counter 64·piece + lane.
AXMUL_AVX2_CLONES void draw_pieces(float* out, std::size_t pieces, std::uint64_t first_piece,
                                   std::uint64_t seed, std::uint64_t stream) {
  for (std::size_t piece = 0; piece < pieces; ++piece, out += kNormalPiece) {
    std::uint32_t c0[kLanes], c1[kLanes], c2[kLanes], c3[kLanes];
    const std::uint64_t base = (first_piece + piece) * kLanes;  // lanes never carry: 64 divides it
    for (int i = 0; i < kLanes; ++i) {
      c0[i] = static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(i);
      c1[i] = static_cast<std::uint32_t>(base >> 32);
      c2[i] = static_cast<std::uint32_t>(stream);
      c3[i] = static_cast<std::uint32_t>(stream >> 32);
    }
    auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
      for (int i = 0; i < kLanes; ++i) {  // philox4x32() of axmul/core/philox.hpp, lane by lane
        const std::uint32_t high0 = high_half(0xD2511F53u, c0[i]), low0 = 0xD2511F53u * c0[i];
        const std::uint32_t high1 = high_half(0xCD9E8D57u, c2[i]), low1 = 0xCD9E8D57u * c2[i];
        c0[i] = high1 ^ c1[i] ^ k0;
        c1[i] = low1;
        c2[i] = high0 ^ c3[i] ^ k1;
        c3[i] = low0;
      }
    for (int i = 0; i < kLanes; ++i) {  // Box–Muller, u in (0, 1]
      const float u = static_cast<float>((c0[i] >> 8) + 1) * 0x1.0p-24f;
      const float radius = std::sqrt(-2.0f * logarithm(u));
      polar(radius, static_cast<std::int32_t>(c1[i] >> 8), out[i], out[kLanes + i]);
    }
    for (int i = 0; i < kLanes; ++i) {
      const float u = static_cast<float>((c2[i] >> 8) + 1) * 0x1.0p-24f;
      const float radius = std::sqrt(-2.0f * logarithm(u));
      polar(radius, static_cast<std::int32_t>(c3[i] >> 8), out[2 * kLanes + i],
            out[3 * kLanes + i]);
    }
  }
}

AXMUL_CLONES void add_scaled_clone(const float* from, const float* normal, std::size_t n,
                                   float scale, float* to) {
  for (std::size_t i = 0; i < n; ++i) to[i] = from[i] + scale * normal[i];
}

AXMUL_CLONES void add_centred_clone(const float* gradient, const float* y, std::size_t n,
                                    float slope, float mean, float* to) {
  for (std::size_t i = 0; i < n; ++i) to[i] = gradient[i] + slope * (y[i] - mean);
}

AXMUL_CLONES void moments_clone(const float* x, std::size_t n, double* out) {
  double sum[8] = {}, squares[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t j = 0; j < 8; ++j) {
      const double v = x[i + j];
      sum[j] += v;
      squares[j] += v * v;
    }
  for (std::size_t j = 0; i < n; ++i, ++j) {
    const double v = x[i];
    sum[j] += v;
    squares[j] += v * v;
  }
  for (int j = 0; j < 8; ++j) {
    out[0] += sum[j];
    out[1] += squares[j];
  }
}

AXMUL_CLONES double dot_clone(const float* x, const float* y, std::size_t n) {
  double sum[8] = {}, total = 0;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t j = 0; j < 8; ++j)
      sum[j] += static_cast<double>(x[i + j]) * static_cast<double>(y[i + j]);
  for (std::size_t j = 0; i < n; ++i, ++j)
    sum[j] += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  for (const double s : sum) total += s;
  return total;
}

}  // namespace

void normal_draws(float* out, std::size_t n, std::size_t first, std::uint64_t seed,
                  std::uint64_t stream) {
  const std::size_t whole = n / kNormalPiece;
  draw_pieces(out, whole, first / kNormalPiece, seed, stream);
  if (const std::size_t rest = n % kNormalPiece; rest != 0) {
    float piece[kNormalPiece];
    draw_pieces(piece, 1, first / kNormalPiece + whole, seed, stream);
    std::copy(piece, piece + rest, out + whole * kNormalPiece);
  }
}

void add_scaled(const float* from, const float* normal, std::size_t n, float scale, float* to) {
  add_scaled_clone(from, normal, n, scale, to);
}

void add_centred(const float* gradient, const float* y, std::size_t n, float slope, float mean,
                 float* to) {
  add_centred_clone(gradient, y, n, slope, mean, to);
}

Moments moments(const float* x, std::size_t n) {
  double out[2] = {0, 0};
  moments_clone(x, n, out);
  return {out[0], out[1]};
}

double dot(const float* x, const float* y, std::size_t n) { return dot_clone(x, y, n); }

}  // namespace axmul::detail
