// Tables that are no product, made by NumPy: each is told apart, or read in the way it was meant.
#include <map>

#include "axmul/core/errors.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

namespace {

// Values outside of 24 bits are no products in any type and are left out of "none".
const char* kScript = R"(
import numpy as np
u = np.arange(256)
P = np.outer(u, u)
A = np.outer(u & ~3, u)                                   # what a circuit may compute
low = lambda f: f(u[:, None], u[None, :])
random = np.random.default_rng(5)
none = {
    'errors': A - P, 'error_sizes': P - A, 'sum': low(lambda a, b: a + b),
    'scaled_sum': 128 * low(lambda a, b: a + b), 'difference': low(lambda a, b: a - b),
    'maximum': low(np.maximum), 'minimum': low(np.minimum), 'xor': low(np.bitwise_xor), 'and': low(np.bitwise_and),
    'or': low(np.bitwise_or), 'square': np.repeat((u * u)[:, None], 256, 1), 'constant': np.full((256, 256), 1234),
    'zeros': np.zeros((256, 256)), 'addresses': np.arange(65536).reshape(256, 256),
    'permutation': random.permutation(65536).reshape(256, 256),
    'shuffled': random.permutation(P.ravel()).reshape(256, 256),
    'hex_as_decimal': np.vectorize(lambda v: int('%05d' % v, 16))(P),
    'turned_rows': np.array([np.roll(P[i], i) for i in u]), 'moved_rows_32': np.roll(P, 32, 0),
    'moved_rows_64': np.roll(P, 64, 0), 'moved_rows_128': np.roll(P, 128, 0), 'reversed_rows': P[::-1],
    'reversed': P[::-1, ::-1], 'reversed_bits': P[[int('{:08b}'.format(x)[::-1], 2) for x in u]],
    'shifted_rows': P << (u[:, None] % 8), 'low_byte': P & 255, 'high_byte': P >> 8, 'half': P >> 1, 'double': 2 * P,
    'negative': -P, 'float_bits': P.astype('<f4').view('<u4').astype(np.int64) >> 8,
    'half_float_bits': (P / 65536).astype('<f2').view('<u2'), 'quarter_square': low(lambda a, b: (a + b) ** 2 // 4)}
for name, table in none.items():
    np.save('none_' + name + '.npy', table.astype(np.int32))
    if table.min() >= -32768 and table.max() < 65536:
        (table.astype(np.int64) & 65535).astype('<u2').tofile('none_' + name + '.bin')
        open('none_' + name + '.csv', 'w').write('\n'.join(','.join(map(str, row)) for row in table.astype(int)))

s = np.where(u < 128, u, u - 256)
S = np.outer(s & ~1, s)
A.astype('>u2').tofile('big.bin')
A.astype('>i4').tofile('big32.bin')
S.astype('>i2').tofile('big_signed.bin')
A.astype('<f4').tofile('float.bin')
open('decimal.txt', 'w').write(''.join('%05d\n' % v for v in A.ravel()))
open('decimal.hex', 'w').write(''.join('%05d\n' % v for v in A.ravel()))
np.save('patterns.npy', (S & 65535).astype(np.uint16))
open('patterns.csv', 'w').write('\n'.join(','.join(map(str, row)) for row in S & 65535))
)";

}  // namespace

TEST_CASE("tables that are no product are doubted in every format") {
  const test::ScratchDir dir;
  test::run_python(dir, kScript);
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir.path())) {
    const std::string name = file.path().filename().string();
    if (!name.starts_with("none_")) continue;
    CAPTURE(name);
    const Multiplier read = read_table(file.path().string());
    CHECK(read.provenance.warning.find("check --type, --order, --index and --input-format") !=
          std::string::npos);
    // A type that is given does not make a product of it.
    const Multiplier typed = read_table(file.path().string(), {.type = OperandType::u8u8});
    CHECK_FALSE(typed.provenance.warning.empty());
    ++count;
  }
  CHECK(count > 60);
}

TEST_CASE("unusual decodings are read as they were meant, and it is said") {
  const test::ScratchDir dir;
  test::run_python(dir, kScript);
  const Lut unsigned_lut =
      Lut::from_function(OperandType::u8u8, [](int a, int b) { return (a & ~3) * b; });
  const Lut signed_lut =
      Lut::from_function(OperandType::s8s8, [](int a, int b) { return (a & ~1) * b; });
  const std::map<std::string, std::string> expected = {{"big.bin", "big-endian"},
                                                       {"big32.bin", "big-endian"},
                                                       {"big_signed.bin", "big-endian"},
                                                       {"float.bin", "float32"},
                                                       {"decimal.txt", "decimal"},
                                                       {"decimal.hex", "decimal"},
                                                       {"patterns.npy", "two's complement"},
                                                       {"patterns.csv", "two's complement"}};
  for (const auto& [name, decoding] : expected) {
    CAPTURE(name);
    const Multiplier read = read_table((dir / name).string());
    const bool is_signed = read.lut.type() == OperandType::s8s8;
    CHECK(read.lut == (is_signed ? signed_lut : unsigned_lut));
    CHECK(is_signed == (name.find("signed") != std::string::npos || name.starts_with("patterns")));
    CHECK(read.provenance.decoding == decoding);
    CHECK(read.provenance.type_from == "values");
    CHECK(read.provenance.warning.empty());
  }
  // Whoever names the format means its usual decoding.
  const Multiplier hex = read_table((dir / "decimal.txt").string(), {.format = "hex"});
  CHECK(hex.provenance.decoding.empty());
  CHECK(hex.lut(255, 255) == 0x64260);  // 252 · 255 = 64260
  CHECK_FALSE(hex.provenance.warning.empty());
}

TEST_CASE("a table of numbers too large for products in every decoding is refused as before") {
  std::string bytes(262144, '\x7f');
  CHECK_THROWS_WITH_AS(parse_table(bytes, "x.bin"), doctest::Contains("AX321 x.bin: byte 0"),
                       InputError);
}
