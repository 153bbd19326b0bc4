// Digit products on any CPU: the twin that the kernels for VNNI are held against.
#include "kernels/micro.hpp"

namespace axmul::detail {

namespace {

void pack(const DigitPackTask& task) {
  for (size_t row = 0; row < task.rows; ++row) {
    const uint8_t* bytes = task.base + task.row_offset[row];
    uint8_t* out = task.out + row * task.stride;
    uint32_t sum = 0;
    for (size_t i = 0; i < task.taps; ++i) {
      const uint8_t x = bytes[i];
      out[i] = task.map == kDigitFlip ? static_cast<uint8_t>(x ^ task.flip)
               : task.map == kDigitNibbles
                   ? static_cast<uint8_t>(task.low[x & 15] + task.high[x >> 4])
                   : task.table[x];
      sum += out[i];
    }
    if (task.sums != nullptr) task.sums[row] += sum;
  }
}

/// The product of two bytes, of which one is signed.
int product(uint8_t a, uint8_t b, bool turned) {
  return turned ? static_cast<int8_t>(a) * b : a * static_cast<int8_t>(b);
}

void run(const DigitTask& task) {
  constexpr size_t kChannels = 16;
  for (size_t row = 0; row < task.rows; ++row) {
    const uint8_t* a = task.a + row * task.a_stride;
    const uint8_t* b = task.b;
    uint32_t sum[kChannels] = {};
    for (size_t quad = 0; quad < task.quads; ++quad, a += 4, b += 4 * kChannels)
      for (size_t c = 0; c < kChannels; ++c)
        for (size_t t = 0; t < 4; ++t)
          sum[c] += static_cast<uint32_t>(product(a[t], b[4 * c + t], task.turned != 0));
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
