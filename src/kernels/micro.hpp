// What the micro-kernels take: pointers, strides and sizes. Included by files that are compiled for
// more than the baseline CPU, so it holds plain structs and nothing inline.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace axmul::detail {

/// Rows of activation bytes and the taps of one segment of them.
struct ScanTask {
  const uint8_t* base;
  const ptrdiff_t* row_offset;
  size_t rows;
  size_t length;     ///< bytes of each row
  uint8_t flip;      ///< 0x80 where the bytes are signed: byte ^ flip ascends with the value
  uint8_t* largest;  ///< [length], in: so far, out: largest byte ^ flip per tap
  uint8_t* least;    ///< one byte, in: so far, out: least byte ^ flip
  uint32_t* sum;     ///< [rows], the sum of byte ^ flip is added
};

/// Bytes from one tap's table to the next: 256 rows, and a pad without which the hot rows of all
/// taps would share a few cache sets.
constexpr ptrdiff_t column_tap_stride(size_t row_bytes) {
  return static_cast<ptrdiff_t>(256 * row_bytes + 192);
}

/// Taps whose tables are laid out together, at most: enough to hide the traffic of the sums, few
/// enough for their hot rows to stay in the second-level cache.
constexpr size_t kColumnGroupTaps = 48;

/// A run of taps that lie side by side in the activations and in the tables.
struct ColumnPiece {
  ptrdiff_t offset;  ///< bytes from a row's start to its first tap
  size_t table;      ///< bytes from the group's start to its first tap's table
  uint32_t taps;
  uint32_t shift;  ///< the 16-bit sums count 2^shift
  uint32_t flush;  ///< 1: sums are widened after this piece
};

/// One group of taps (twice kColumnGroupTaps with two planes) for one block of output channels over
/// many rows.
struct ColumnTask {
  const uint8_t* base;
  const ptrdiff_t* row_offset;
  size_t rows;
  const unsigned char* table;  ///< row of operand 0 of the first tap
  const ColumnPiece* pieces;
  size_t piece_count;
  int32_t* y;  ///< [rows, lanes], added to
  size_t y_stride;
  uint8_t skip;  ///< sparse kernels: the activation byte whose entries are all 0
};

/// Lays out 16 columns of a derived table side by side.
struct BuildTask {
  const uint16_t* columns[16];  ///< in lane order
  size_t levels;                ///< entries of each column to take; read up to a multiple of 8
  unsigned char* table;
  size_t row_stride;  ///< bytes
};

using ColumnFn = void (*)(const ColumnTask&);
/// What a column-table kernel consists of. Lanes per vector times vectors = channels per block.
struct ColumnKernel {
  size_t lanes;
  ColumnFn run[2][3];  ///< [activations are signed][1, 2, 4 vectors]; null: not compiled
  void (*scan)(const ScanTask&);
  void (*build)(const BuildTask&);
};

/// Rows of a tile of the byte-permute kernels: up to four vectors of 64.
constexpr size_t kPermuteRows = 256;

/// Turns rows of activation bytes into one vector of rows per tap.
struct PermutePackTask {
  const uint8_t* base;
  const ptrdiff_t* row_offset;  ///< [64 vectors]
  size_t vectors;               ///< of 64 rows, at most 4
  size_t taps;                  ///< bytes of each row
  uint8_t* out;                 ///< [taps, kPermuteRows]
};

/// Copies taps that lie as they are needed, at offsets of a plane, to a tile.
struct PermuteCopyTask {
  const uint8_t* plane;
  const size_t* offsets;  ///< [taps]
  size_t vectors, taps;
  uint8_t* out;  ///< [taps, kPermuteRows]
};

/// Finds the taps where a vector of rows has activations with the highest bit set: large ones.
struct PermuteLookTask {
  const uint8_t* x;  ///< [taps, kPermuteRows]
  size_t vectors, taps;
  uint16_t* large;   ///< [vectors][taps], the taps of each vector
  size_t counts[4];  ///< out: how many those are
};

/// How table entries, of up to 128 or 256 activations, are cut into a low and a high byte. The more
/// bits a byte has to spare, the more taps' bytes are added before they are widened.
enum PermuteKind {
  kPermuteSmall6,  ///< 128 entries; 6 low bits; high ones as PermuteTask::ends says
  kPermuteSmall7,  ///< 128 entries; 7 low bits
  kPermuteSmall8,
  kPermuteLarge6,  ///< 256 entries
  kPermuteLarge7,
  kPermuteLarge8,
  kPermuteSmallOne6,  ///< 128 entries of one byte, of 6 bits
  kPermuteSmallOne7,
  kPermuteSmallOne8,
  kPermuteLargeOne6,
  kPermuteLargeOne7,
  kPermuteLargeOne8,
  kPermuteKinds
};

struct PermuteStep {
  uint16_t tap;
  uint16_t column;  ///< of the tables
};

/// One output channel of a tile: sums of table entries that are held in registers and picked by
/// byte permutes.
struct PermuteTask {
  const uint8_t* x;  ///< [taps, kPermuteRows]
  size_t vectors;
  const PermuteStep* steps;  ///< four at a time
  /// Fours before ends[0] have high bytes below 64, those before ends[1] below 128, those before
  /// ends[2], the last, any.
  size_t ends[3];
  const uint8_t* tables;  ///< [columns][low, high][128 or 256], without high where it is one byte
  int32_t* sums;          ///< [vectors, 4, 16]: row 4 j + i of a vector is at [i][j]
  int first;              ///< sums are written; else added to
  int32_t factor;         ///< of the sums over all steps
  /// 0, or where a second channel's steps and sums are, which has the same taps in the same order:
  /// of kernels with 128 entries of one byte.
  size_t next_steps, next_sums;
};

/// One output channel of one vector of rows whose large activations have been taken for what they
/// are without their highest bit: adds the difference, and 32768 for each large activation.
struct PermuteMendTask {
  const uint8_t* x;       ///< [taps, kPermuteRows], the vector's rows
  const uint16_t* large;  ///< [count]
  size_t count;
  const uint8_t* columns;  ///< [taps]
  const uint8_t* tables;   ///< [columns][low, high][128] differences + 32768
  int32_t* sums;           ///< [4, 16], added to
};

/// Adds up the taps of each row, as bytes ^ flip.
struct PermuteRowSumTask {
  const uint8_t* x;  ///< [taps, kPermuteRows]
  size_t vectors, taps;
  uint8_t flip;
  int32_t* sums;  ///< as PermuteTask::sums
};

/// Writes the sums of up to 16 channels as rows of the product.
struct PermuteStoreTask {
  const int32_t* sums;      ///< [channels, 4 vectors, 4, 16]
  const int32_t* row_sums;  ///< [vectors, 4, 16], added to all channels
  const int32_t* constant;  ///< [16], added to all rows
  size_t channels, rows;
  int32_t* y;
  size_t y_stride;
  int accumulate;  ///< y is added to
};

struct PermuteKernel {
  int (*pack)(const PermutePackTask&);  ///< returns whether there are bytes of 128 and more
  int (*copy)(const PermuteCopyTask&);  ///< the same
  void (*look)(PermuteLookTask&);
  void (*mend)(const PermuteMendTask&);
  void (*count_large)(const PermuteMendTask&);  ///< columns and tables are not used
  void (*row_sums)(const PermuteRowSumTask&);
  void (*run[kPermuteKinds])(const PermuteTask&);
  void (*store)(const PermuteStoreTask&);
};

/// Rows of activation bytes to be written as 16-bit factors u(a).
struct FactorTask {
  const uint8_t* bytes;
  size_t count;
  const int16_t* u;  ///< [256] by bit pattern
  /// u(x) = low[x & 15] + high[x >> 4] where additive is 1.
  const int16_t* low;
  const int16_t* high;
  int additive;
  int16_t* out;
};

/// Four rows (or fewer) of 16 channels of an integer GEMM: y = sum over pairs of taps.
struct Rank1Task {
  const int16_t* a;  ///< [rows, a_stride], pairs of taps side by side
  size_t a_stride;
  size_t rows;
  const int16_t* b;  ///< [pairs, 16 channels, 2]
  size_t pairs;
  int32_t* y;
  size_t y_stride;
};

struct Rank1Kernel {
  void (*factors)(const FactorTask&);
  void (*gemm)(const Rank1Task&);
};

/// How activation bytes become factors u(a) of one byte.
enum DigitMap {
  kDigitFlip,     ///< byte ^ flip
  kDigitNibbles,  ///< low[byte & 15] + high[byte >> 4], modulo 256
  kDigitAny       ///< table[byte]
};

/// Runs of activation bytes to be written as factors, row by row.
struct DigitPackTask {
  const uint8_t* base;
  const ptrdiff_t* row_offset;  ///< [rows]
  size_t rows;
  size_t taps;  ///< bytes of each row
  DigitMap map;
  uint8_t flip;
  const uint8_t* low;    ///< [16]
  const uint8_t* high;   ///< [16]
  const uint8_t* table;  ///< [256]
  /// [rows, stride]; up to 63 bytes behind a row's last may be written as well, rows ascending.
  uint8_t* out;
  size_t stride;
  uint32_t* sums;  ///< [rows], the sums of factors are added; null: not wanted
};

/// Rows times one panel of 16 channels, or a multiple: y = (add ? y : row + column) + scale · Σ a·b
/// modulo 2^32.
struct DigitTask {
  const uint8_t* a;  ///< [rows, a_stride], four taps side by side
  size_t a_stride;
  size_t rows;
  const uint8_t* b;  ///< [quads, channels, 4]
  size_t quads;
  int32_t scale;
  int turned;  ///< a is signed and b unsigned; else a is unsigned and b signed
  int32_t* y;
  size_t y_stride;
  const int32_t* row;     ///< [rows]
  const int32_t* column;  ///< [channels]
  int add;
};

/// A GEMM of unsigned by signed bytes.
struct DigitKernel {
  size_t rows;  ///< that tiles should be multiples of
  void (*pack)(const DigitPackTask&);
  void (*run[4])(const DigitTask&);  ///< panels of 16, 32, 48, 64 channels; null: not compiled
};

/// A product by gathers from an int32 table, the yardstick.
struct GatherTask {
  size_t n, k, m;
  const uint8_t* a;
  const uint8_t* b;
  const int32_t* table;
  int32_t* y;
};

}  // namespace axmul::detail
