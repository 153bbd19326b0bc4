// Column-table micro-kernels in GCC's vector extension: what every 64-bit CPU can run (SSE2, NEON).
#include <cstdint>

#include "kernels/micro.hpp"

namespace axmul::detail {

namespace {

typedef std::uint16_t Lanes __attribute__((vector_size(16), may_alias));
typedef std::uint32_t Wide __attribute__((vector_size(16), may_alias));

/// One block of 16 channels as two vectors: the even and odd lanes of the first hold channels 0-3
/// and 8-11, those of the second 4-7 and 12-15, as the AVX2 kernel has them.
template <bool kSigned>
void column(const ColumnTask& task) {
  constexpr std::ptrdiff_t kStride = column_tap_stride(32);
  for (std::size_t row = 0; row < task.rows; ++row) {
    const std::uint8_t* a = task.base + task.row_offset[row];
    Wide even0{}, even1{}, odd0{}, odd1{};
    Lanes sum0{}, sum1{};
    for (const ColumnPiece* p = task.pieces; p != task.pieces + task.piece_count; ++p) {
      const unsigned char* table = task.table + p->table;
      const std::uint8_t* taps = a + p->offset;
      for (std::uint32_t i = 0; i < p->taps; ++i, table += kStride) {
        const std::ptrdiff_t x = kSigned ? static_cast<std::int8_t>(taps[i]) : taps[i];
        const Lanes* entry = reinterpret_cast<const Lanes*>(table + x * 32);
        sum0 += entry[0];
        sum1 += entry[1];
      }
      if (p->flush == 0) continue;
      const Wide wide0 = (Wide)sum0, wide1 = (Wide)sum1;  // the same bits, as 32-bit lanes
      even0 += (wide0 & 0xFFFFu) << p->shift;
      even1 += (wide1 & 0xFFFFu) << p->shift;
      odd0 += (wide0 >> 16) << p->shift;
      odd1 += (wide1 >> 16) << p->shift;
      sum0 = sum1 = Lanes{};
    }
    std::int32_t* y = task.y + row * task.y_stride;
    for (int i = 0; i < 4; ++i) {
      y[i] += static_cast<std::int32_t>(even0[i]);
      y[4 + i] += static_cast<std::int32_t>(even1[i]);
      y[8 + i] += static_cast<std::int32_t>(odd0[i]);
      y[12 + i] += static_cast<std::int32_t>(odd1[i]);
    }
  }
}

void scan(const ScanTask& task) {
  std::uint8_t least = *task.least;
  for (std::size_t row = 0; row < task.rows; ++row) {
    const std::uint8_t* a = task.base + task.row_offset[row];
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < task.length; ++i) {
      const auto x = static_cast<std::uint8_t>(a[i] ^ task.flip);
      task.largest[i] = x > task.largest[i] ? x : task.largest[i];
      least = x < least ? x : least;
      sum += x;
    }
    task.sum[row] += sum;
  }
  *task.least = least;
}

void build(const BuildTask& task) {
  for (std::size_t level = 0; level < task.levels; ++level) {
    auto* out = reinterpret_cast<std::uint16_t*>(task.table + level * task.row_stride);
    for (int i = 0; i < 16; ++i) out[i] = task.columns[i][level];
  }
}

}  // namespace

extern const ColumnKernel kColumnVector;
const ColumnKernel kColumnVector = {
    16, {{column<false>, nullptr, nullptr}, {column<true>, nullptr, nullptr}}, scan, build};

}  // namespace axmul::detail
