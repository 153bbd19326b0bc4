// Digit products for NEON, which every arm64 CPU has: 16-bit multiply-adds of one tap and 8
// channels.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels/micro.hpp"

namespace axmul::detail {

namespace {

void pack(const DigitPackTask& task) {
  for (size_t row = 0; row < task.rows; ++row) {
    const uint8_t* bytes = task.base + task.row_offset[row];
    uint8_t* out = task.out + row * task.stride;
    uint32_t sum = 0;
    for (size_t i = 0; i < task.taps; ++i) sum += out[i] = task.table[bytes[i]];
    if (task.sums != nullptr) task.sums[row] += sum;
  }
}

int16x8_t widened(uint8x8_t bytes, bool is_signed) {
  return is_signed ? vmovl_s8(vreinterpret_s8_u8(bytes)) : vreinterpretq_s16_u16(vmovl_u8(bytes));
}

/// Four taps of one row times 16 channels, whose four bytes each are parted by the load.
void quad(const uint8_t* a, const uint8_t* b, bool turned, int32x4_t (&sum)[4]) {
  const uint8x16x4_t w = vld4q_u8(b);
  for (int t = 0; t < 4; ++t) {
    const auto x = static_cast<int16_t>(turned ? static_cast<int8_t>(a[t]) : a[t]);
    const int16x8_t low = widened(vget_low_u8(w.val[t]), !turned);
    const int16x8_t high = widened(vget_high_u8(w.val[t]), !turned);
    sum[0] = vmlal_n_s16(sum[0], vget_low_s16(low), x);
    sum[1] = vmlal_n_s16(sum[1], vget_high_s16(low), x);
    sum[2] = vmlal_n_s16(sum[2], vget_low_s16(high), x);
    sum[3] = vmlal_n_s16(sum[3], vget_high_s16(high), x);
  }
}

void panel(const DigitTask& task) {
  for (size_t row = 0; row < task.rows; ++row) {
    int32x4_t sum[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    for (size_t q = 0; q < task.quads; ++q)
      quad(task.a + row * task.a_stride + 4 * q, task.b + 64 * q, task.turned != 0, sum);
    int32_t* y = task.y + row * task.y_stride;
    for (int i = 0; i < 4; ++i) {
      const int32x4_t start =
          task.add != 0 ? vld1q_s32(y + 4 * i)
                        : vaddq_s32(vdupq_n_s32(task.row[row]), vld1q_s32(task.column + 4 * i));
      vst1q_s32(y + 4 * i, vmlaq_n_s32(start, sum[i], task.scale));
    }
  }
}

}  // namespace

extern const DigitKernel kDigitsNeon;
const DigitKernel kDigitsNeon = {16, pack, {panel, nullptr, nullptr, nullptr}};

}  // namespace axmul::detail
#endif
