// Files made by an independent Python writer, from each tool's documented layout, are read right.
#include "axmul/core/errors.hpp"
#include "formats/helpers.hpp"

using namespace axmul;

namespace {

// p(a, b) of the writer; asymmetric, fits int16 for signed operands and uint16 for u8u8.
constexpr const char* kPython = R"(
import numpy as np
def p(a, b): return a * b - (a & 3) * (b & 3) + (a & 1)
U, S = list(range(256)), list(range(-128, 128))
BITS = [x if x < 128 else x - 256 for x in range(256)]
VALUES = {'u': {'value': U, 'bits': U}, 's': {'value': S, 'bits': BITS}}
CASES = [(t, o, i) for t in ('u8u8', 's8s8', 'u8s8') for o in ('ab', 'ba') for i in ('value', 'bits')]
def operands(type, order, index):
    a, b = VALUES[type[0]][index], VALUES[type[2]][index]
    return (a, b) if order == 'ab' else (b, a)
def product(order, first, second): return p(first, second) if order == 'ab' else p(second, first)
def table(type, order, index):
    first, second = operands(type, order, index)
    return [[product(order, x, y) for y in second] for x in first]
)";

void check_all(const test::ScratchDir& dir, const std::string& suffix, const char* format,
               const std::string& prefix = "") {
  for (const OperandType type : kOperandTypes)
    for (const auto& [order, index] : test::conventions()) {
      const std::string stem = prefix + std::string(to_string(type)) + "-" + test::text_of(order) +
                               "-" + test::text_of(index);
      CAPTURE(stem);
      const Multiplier read = read_table((dir / (stem + suffix)).string(),
                                         {.type = type, .order = order, .index = index});
      CHECK(read.provenance.format == format);
      test::check_same(read.lut, test::plausible_lut(type));
    }
}

}  // namespace

TEST_CASE("bin, 16 and 32 bit") {
  const test::ScratchDir dir;
  test::run_python(dir, std::string(kPython) + R"(
import struct
for t, o, i in CASES:
    flat = [x for row in table(t, o, i) for x in row]
    open(f'{t}-{o}-{i}.bin', 'wb').write(struct.pack('<65536' + ('H' if t == 'u8u8' else 'h'), *flat))
    open(f'{t}-{o}-{i}.raw', 'wb').write(struct.pack('<65536i', *flat))
)");
  check_all(dir, ".bin", "bin");
  check_all(dir, ".raw", "bin");
}

TEST_CASE("npy of every integer and float type, both byte orders, C and Fortran order, flat") {
  const test::ScratchDir dir;
  test::run_python(dir, std::string(kPython) + R"(
for t, o, i in CASES:
    x = np.array(table(t, o, i))
    name = f'{t}-{o}-{i}'
    np.save(name + '.npy', x)
    np.save(name + '_f.npy', np.asfortranarray(x.astype('>i4')))
    np.save(name + '_flat.npy', x.astype('<u2' if t == 'u8u8' else '<i2').reshape(-1))
    np.save(name + '_f4.npy', x.astype('>f4'))
    np.save(name + '_f8.npy', x.astype('f8'))
    np.save(name + '_u8.npy', x.astype('>u8' if t == 'u8u8' else '>i8'))
)");
  for (const char* suffix : {".npy", "_f.npy", "_flat.npy", "_f4.npy", "_f8.npy", "_u8.npy"})
    check_all(dir, suffix, "npy");
}

TEST_CASE("csv by numpy.savetxt, the csv module, white space, semicolons, one column") {
  const test::ScratchDir dir;
  test::run_python(dir, std::string(kPython) + R"(
import csv
for t, o, i in CASES:
    x, name = table(t, o, i), f'{t}-{o}-{i}'
    np.savetxt(name + '.csv', x, delimiter=',')  # 1.000e+00 notation
    np.savetxt(name + '_int.csv', x, fmt='%d', delimiter=' ', header='made by numpy')
    csv.writer(open(name + '_rfc.csv', 'w')).writerows(x)  # CRLF
    open(name + '_semi.csv', 'w').write('\n'.join(' ; '.join(map(str, r)) + ';' for r in x))
    open(name + '_one.csv', 'w').write('\n'.join(str(v) for r in x for v in r))
)");
  for (const char* suffix : {".csv", "_int.csv", "_rfc.csv", "_semi.csv", "_one.csv"})
    check_all(dir, suffix, "csv");
}

TEST_CASE("triplets in any order with a simulator's chatter") {
  const test::ScratchDir dir;
  test::run_python(dir, std::string(kPython) + R"(
import random
random.seed(3)
for t, o, i in CASES:
    first, second = operands(t, o, i)
    lines = [(x if i == 'value' else x % 256, y if i == 'value' else y % 256, product(o, x, y))
             for x in first for y in second]
    name = f'{t}-{o}-{i}'
    with open(name + '.txt', 'w') as f:
        f.write('INFO: [USF-XSim-96] XSim completed. Design snapshot loaded.\nrun all\n# a b p\n')
        f.writelines('%4d %4d %6d\n' % line for line in lines)
    random.shuffle(lines)
    with open(name + '_shuffled.dat', 'w') as f:
        f.write('first,second,product\r\n')
        f.writelines('%d, %d, %d\r\n' % line for line in lines)
        f.write('INFO: $finish called\n')
)");
  check_all(dir, ".txt", "triplets");
  check_all(dir, "_shuffled.dat", "triplets");
  // Operands listed by value tell the type without any option or name.
  for (const char* type : {"s8s8", "u8s8"}) {
    const std::string text = test::read_text(dir / (std::string(type) + "-ab-value.txt"));
    const Multiplier read = parse_table(text, "noname.txt");
    CHECK(read.provenance.type_from == "operands");
    test::check_same(read.lut, test::plausible_lut(*parse_operand_type(type)));
  }
}

TEST_CASE("hex as a testbench or a script writes it") {
  const test::ScratchDir dir;
  test::run_python(dir, std::string(kPython) + R"(
import random
for t, o, i in CASES:
    flat, name = [x for row in table(t, o, i) for x in row], f'{t}-{o}-{i}'
    open(name + '.hex', 'w').write('\n'.join('%04x' % (x & 0xffff) for x in flat))
    rows = list(range(256)); random.Random(5).shuffle(rows)
    with open(name + '_at.mem', 'w') as f:
        f.write('// rows in any order\n')
        for r in rows:
            f.write('@%04X /* row %d */\n' % (256 * r, r))
            f.write(' '.join('%02X_%04X' % ((x >> 16) & 0xff, x & 0xffff) for x in flat[256*r:256*r+256]) + '\n')
)");
  check_all(dir, ".hex", "hex");
  check_all(dir, "_at.mem", "hex");
}

TEST_CASE("C headers: AdaPT's layout and others") {
  const test::ScratchDir dir;
  test::run_python(dir, std::string(kPython) + R"(
for t, o, i in CASES:
    x, name = table(t, o, i), f'{t}-{o}-{i}'
    kind = 'uint16_t' if t == 'u8u8' else 'int16_t'
    rows = ['{' + ', '.join(map(str, r)) + '}' for r in x]
    open(name + '.h', 'w').write('#include <stdint.h>\n\nconst %s lut [256][256] = {%s};\n' % (kind, ',\n'.join(rows)))
    flat = [v for r in x for v in r]
    open(name + '_flat.h', 'w').write('''#ifndef LUT_H
#define LUT_H
#define ROWS { \\
  256 }
/* a comment with { and [256][256] */
static const char* kName = "mul"; // {
static const int other[3] = {1, 2, 3};
static const int table[65536] = {
%s,
};
#endif
''' % ', '.join(map(str, flat)))
    mask = 0xffff
    open(name + '_hex.h', 'w').write('static %s m[][256]={%s};' % (kind.replace('int16_t', 'int16_t'),
        ','.join('{' + ','.join('0x%04xu' % (v & mask) for v in r) + ',}' for r in x)))
)");
  for (const char* suffix : {".h", "_flat.h", "_hex.h"}) check_all(dir, suffix, "cheader");
}

TEST_CASE("torchapprox's array: int16, bit-pattern order, told by its values alone") {
  const test::ScratchDir dir;
  test::run_python(dir, R"(
import numpy as np
x = np.arange(256)
x[x >= 128] -= 256
np.save('exact.npy', np.outer(x, x).astype(np.int16))
m = np.abs(x)
f = np.outer(m, m) - (m[:, None] & 3) * (m[None, :] & 7)   # an unsigned circuit, asymmetric
f[128:] *= -1
f[:, 128:] *= -1
np.save('mul8u_X.npy', f.astype(np.int16))
)");
  const Multiplier exact = read_table((dir / "exact.npy").string());
  CHECK(exact.lut == Lut::exact(OperandType::s8s8));
  CHECK(exact.provenance.type_from == "values");
  CHECK(exact.provenance.index == OperandIndex::bits);
  CHECK_THROWS_WITH_AS(read_table((dir / "mul8u_X.npy").string()), doctest::Contains("AX312"),
                       InputError);
  const Multiplier sm = read_table((dir / "mul8u_X.npy").string(), {.type = OperandType::s8s8});
  CHECK(sm.lut(-5, 6) == -(5 * 6 - 1 * 6));
  CHECK(sm.lut(6, -5) == -(6 * 5 - 2 * 5));
}
