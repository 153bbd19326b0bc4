// Digit products on any CPU: the twin that the kernels for VNNI are held against.
#include "kernels/micro.hpp"

namespace axmul::detail {

namespace {

uint32_t pack(const DigitPackTask& task) {
  uint32_t sum = 0;
  for (size_t i = 0; i < task.count; ++i) {
    const uint8_t x = task.bytes[i];
    const uint8_t u = task.map == kDigitFlip ? static_cast<uint8_t>(x ^ task.flip)
                      : task.map == kDigitNibbles
                          ? static_cast<uint8_t>(task.low[x & 15] + task.high[x >> 4])
                          : task.table[x];
    task.out[i] = u;
    sum += u;
  }
  return sum;
}

void run(const DigitTask& task) {
  constexpr size_t kChannels = 16;
  for (size_t row = 0; row < task.rows; ++row) {
    const uint8_t* a = task.a + row * task.a_stride;
    const int8_t* b = task.b;
    uint32_t sum[kChannels] = {};
    for (size_t quad = 0; quad < task.quads; ++quad, a += 4, b += 4 * kChannels)
      for (size_t c = 0; c < kChannels; ++c)
        sum[c] += static_cast<uint32_t>(a[0] * b[4 * c] + a[1] * b[4 * c + 1] +
                                        a[2] * b[4 * c + 2] + a[3] * b[4 * c + 3]);
    int32_t* y = task.y + row * task.y_stride;
    for (size_t c = 0; c < kChannels; ++c) {
      const uint32_t start = task.add != 0 ? static_cast<uint32_t>(y[c])
                                           : static_cast<uint32_t>(task.row[row]) +
                                                 static_cast<uint32_t>(task.column[c]);
      y[c] = static_cast<int32_t>(start + static_cast<uint32_t>(task.scale) * sum[c]);
    }
  }
}

}  // namespace

extern const DigitKernel kDigitsVector;
const DigitKernel kDigitsVector = {16, pack, {run, nullptr, nullptr, nullptr}};

}  // namespace axmul::detail
