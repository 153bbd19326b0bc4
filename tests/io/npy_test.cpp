// NPY against NumPy itself: what it writes is read, what we write it loads; hostile headers.
#include "axmul/io/npy.hpp"

#include <cstdlib>
#include <vector>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

void python(const test::ScratchDir& dir, const std::string& script) {
  test::write_text(dir / "script.py", script);
  const std::string command =
      "cd '" + dir.path().string() + "' && /usr/bin/python3 script.py >log 2>&1";
  const int status = std::system(command.c_str());
  const std::string log = test::read_text(dir / "log");
  CAPTURE(log);
  REQUIRE(status == 0);
}

std::string file(const std::string& dictionary, const std::string& data, int major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(major);
  bytes += '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i)
    bytes += static_cast<char>(dictionary.size() >> (8 * i) & 255);
  return bytes + dictionary + data;
}

}  // namespace

TEST_CASE("every dtype, byte order, memory order and format version that NumPy writes is read") {
  const test::ScratchDir dir;
  python(dir, R"(
import numpy as np
from numpy.lib import format
for kind in ['b1','u1','u2','u4','u8','i1','i2','i4','i8','f2','f4','f8']:
    for order in '<>':
        for memory in 'CF':
            for version in [(1,0),(2,0),(3,0)]:
                x = (np.arange(15).reshape(3,5) * 7 - (0 if kind[0] in 'ub' else 40)).astype(order + kind, order=memory)
                with open(f'{kind}{"l" if order == "<" else "b"}{memory}{version[0]}.npy', 'wb') as f:
                    format.write_array(f, x, version=version)
np.save('line.npy', np.array([3, -4, 5], dtype='i2'))
np.save('halves.npy', np.array([0.1, -65504, 6e-8, np.inf, np.nan], dtype='f2'))
np.save('empty.npy', np.zeros((0, 4), dtype='i2'))
)");
  for (const std::string kind :
       {"b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"})
    for (const char order : {'l', 'b'})
      for (const char memory : {'C', 'F'})
        for (const char version : {'1', '2', '3'}) {
          const std::string name = kind + order + memory + version + ".npy";
          CAPTURE(name);
          const NpyArray array = read_npy((dir / name).string());
          REQUIRE(array.shape == std::vector<std::size_t>{3, 5});
          CHECK(array.is_integer() == (kind[0] != 'f'));
          for (int i = 0; i < 15; ++i) {
            const int value = 7 * i - (kind[0] == 'u' || kind[0] == 'b' ? 0 : 40);
            CHECK(array.real(static_cast<std::size_t>(i)) == (kind == "b1" ? value != 0 : value));
          }
        }
  CHECK(read_npy((dir / "line.npy").string()).integers == std::vector<std::int64_t>{3, -4, 5});
  CHECK(read_npy((dir / "empty.npy").string()).size() == 0);
  const NpyArray halves = read_npy((dir / "halves.npy").string());
  CHECK(halves.reals[0] == 0.0999755859375);
  CHECK(halves.reals[1] == -65504);
  CHECK(halves.reals[2] == 0x1p-24);
  CHECK(halves.reals[3] > 1e300);
  CHECK(halves.reals[4] != halves.reals[4]);
}

TEST_CASE("NumPy loads what is written") {
  const test::ScratchDir dir;
  const std::size_t shape[] = {2, 3};
  const std::size_t line[] = {6};
  const auto put = [&](const char* name, const std::string& bytes) {
    write_file((dir / name).string(), bytes);
  };
  put("u1.npy", npy_bytes(std::vector<std::uint8_t>{0, 1, 2, 3, 4, 255}, shape));
  put("i2.npy", npy_bytes(std::vector<std::int16_t>{0, -1, 2, 3, 4, -32768}, shape));
  put("u2.npy", npy_bytes(std::vector<std::uint16_t>{0, 1, 2, 3, 4, 65535}, line));
  put("i4.npy", npy_bytes(std::vector<std::int32_t>{0, -1, 2, 3, 4, 1 << 30}, shape));
  put("i8.npy", npy_bytes(std::vector<std::int64_t>{0, -1, 2, 3, 4, 1LL << 60}, shape));
  put("f4.npy", npy_bytes(std::vector<float>{0, -1, 2, 3, 4, 0.1f}, shape));
  put("f8.npy", npy_bytes(std::vector<double>{0, -1, 2, 3, 4, 0.1}, shape));
  python(dir, R"(
import numpy as np
last = dict(u1=255, i2=-32768, u2=65535, i4=1<<30, i8=1<<60, f4=np.float32(0.1), f8=0.1)
for kind, value in last.items():
    x = np.load(kind + '.npy', allow_pickle=False)
    assert x.dtype == np.dtype('<' + kind), (kind, x.dtype)
    assert x.shape == ((6,) if kind == 'u2' else (2, 3)), x.shape
    x = x.reshape(-1)
    assert x[5] == value and x[2] == 2 and abs(x[1]) == 1 and (x[1] < 0) == (kind[0] != 'u'), (kind, x)
)");
}

TEST_CASE("hostile headers are refused with an id, never believed") {
  const auto fails = [](const std::string& bytes, const char* part) {
    CAPTURE(bytes);
    CHECK_THROWS_WITH_AS(parse_npy(bytes, "f.npy"), doctest::Contains(part), InputError);
  };
  const std::string good = "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }";
  CHECK(parse_npy(file(good, "abcd"), "f").size() == 2);
  CHECK(parse_npy(file("{\"shape\":(2),\"descr\":\"<i2\",\"fortran_order\":True}\n", "abcd"), "f")
            .size() == 2);
  const auto dict = [](const std::string& descr, const std::string& shape) {
    return "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }";
  };
  fails("", "AX120");
  fails("\x93NUMP", "AX120");
  fails("\x93NUMPY\x01", "AX120");
  fails(file(good, "abcd").substr(0, 9), "AX120");
  fails(file(good, "abcd").substr(0, 30), "only 20 follow");
  fails(file(good, "abcd", 4), "version 4");
  fails(file(good, "abc"), "AX122");
  fails(file(good, "abcde"), "AX122");
  fails(file("{}", ""), "are all needed");
  fails(file("", ""), "expected '{'");
  fails(file("{'descr': '<i2'", ""), "expected");
  fails(file("{'descr': '<i2", ""), "does not end");
  fails(file("{'descr': '<i2', 'descr': '<i2'}", ""), "repeated");
  fails(file("{'evil': '<i2'}", ""), "evil");
  fails(file(good + "x", "abcd"), "after the dictionary");
  fails(file(dict("'|O'", "(2,)"), "abcd"), "AX121");
  fails(file(dict("'<U4'", "(2,)"), "abcd"), "AX121");
  fails(file(dict("'<c8'", "(2,)"), "abcd"), "AX121");
  fails(file(dict("'<f16'", "(2,)"), "abcd"), "AX121");
  fails(file(dict("'<i3'", "(2,)"), "abcd"), "AX121");
  fails(file(dict("''", "(2,)"), "abcd"), "AX121");
  fails(file(dict("[('a', '<i2')]", "(2,)"), "abcd"), "records");
  fails(file(dict("'<i2'", "()"), "ab"), "AX121");
  CHECK(parse_npy(file(dict("'<i2'", "(1, 1, 2)"), "abcd"), "f").size() == 2);
  fails(file(dict("'<i2'", "(2, 2, 2)"), "abcdabcdabcdabcd"), "(2, 2, 2)");
  fails(file(dict("'<i2'", "(-2,)"), "abcd"), "AX120");
  fails(file(dict("'<i2'", "(99999999999999999999999,)"), "abcd"), "too large");
  fails(file(dict("'<i2'", "(4294967296, 4294967296)"), "abcd"), "AX122");
  fails(file(dict("'<i8'", "(2305843009213693952,)"), ""), "AX122");
  fails(file(dict("'<i2'", "(2305843009213693952, 0)"), "abcd"), "AX122");
  fails(file(dict("'<u8'", "(1,)"), "\xff\xff\xff\xff\xff\xff\xff\xff"), "AX123");
  // An empty array of absurd extents holds nothing and costs nothing.
  CHECK(parse_npy(file(dict("'<i2'", "(4294967295, 0)"), ""), "f").size() == 0);
}
