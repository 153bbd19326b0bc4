// Measured distributions from CSV, NPY and HDF5, the latter two written by numpy and h5py.
#include <cmath>
#include <cstdlib>

#include "axmul/core/errors.hpp"
#include "axmul/stats/distribution.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

OperandDistribution read(const std::string& path, bool is_signed = false) {
  return parse_distribution("file(" + path + ")", is_signed);
}

std::string column(int n, double (*value)(int)) {
  std::string text;
  for (int i = 0; i < n; ++i) text += std::to_string(value(i)) + "\n";
  return text;
}

/// Runs python3 with numpy and h5py as np, h5py and the folder as d; false where they are missing.
bool python(const test::ScratchDir& folder, const std::string& code) {
  const std::string script = folder / "script.py";
  test::write_text(
      script, "import numpy as np, h5py\nd = '" + folder.path().string() + "/'\n" + code + "\n");
  return std::system(("/usr/bin/python3 " + script + " 2> /dev/null").c_str()) == 0;
}

void refused(const std::string& path, const std::string& message) {
  CAPTURE(path);
  CHECK_THROWS_WITH_AS(read(path), doctest::Contains(message.c_str()), InputError);
}

}  // namespace

TEST_CASE("CSV: counts, probabilities, one row or column, value-count pairs") {
  const test::ScratchDir folder;
  const std::string path = folder / "x.csv";
  std::string text;
  for (int i = 0; i < 256; ++i) text += std::to_string(i) + "\n";
  test::write_text(path, text);
  CHECK(read(path).p[51] == 51 / 32640.0);
  CHECK(read(path).text == "file(" + path + ")");
  for (char& c : text) c = c == '\n' ? ',' : c;
  test::write_text(path, text + "\n");
  CHECK(read(path).p[255] == 255 / 32640.0);
  test::write_text(path, "value,count\n-3,1\n5,3\n");
  const auto pairs = read(path, true);
  CHECK(pairs.p[125] == 0.25);
  CHECK(pairs.p[133] == 0.75);
  test::write_text(path, "5,0.5\n7,0.5\n");
  CHECK(read(path).p[7] == 0.5);
  // 1/256 to six decimals is 0.003906: the sum misses 1 by 6e-5.
  test::write_text(path, column(256, [](int) { return 1 / 256.0; }));
  refused(path, "sum to 0.999936");
  // Within 1e-9 it is accepted and normalised.
  test::write_text(path, "1,0.3333333333\n2,0.3333333333\n3,0.3333333333\n");
  CHECK(read(path).p[1] == doctest::Approx(1 / 3.0).epsilon(1e-15));
  CHECK(parse_distribution("0.5*file(" + path + ")+0.5*point(0)", false).p[0] == 0.5);
}

TEST_CASE("with SOURCE_DATE_EPOCH the text does not say in which folder the file lies") {
  const test::ScratchDir folder;
  const std::string path = folder / "x.csv", joint = folder / "j.csv";
  std::string row, rows;
  for (int i = 0; i < 256; ++i) row += i == 0 ? "1" : ",1";
  for (int i = 0; i < 256; ++i) rows += row + "\n";
  test::write_text(path, row + "\n");
  test::write_text(joint, rows);
  const auto text = [](const std::string& t) { return parse_distribution(t, false).text; };
  CHECK(text("file(" + path + ")") == "file(" + path + ")");
  CHECK(read_joint_distribution(joint, OperandType::u8u8).text == "joint(" + joint + ")");
  const bool with_h5 =
      python(folder, "h5py.File(d + 'x.h5', 'w')['g/counts'] = np.ones(256, np.int64)");
  setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  const std::string plain = text("file(" + path + ")"), quoted = text("file(\"" + path + "\")");
  const std::string mixed = text("zero_inflated(0.5,file(" + path + "))");
  const std::string both = read_joint_distribution(joint, OperandType::u8u8).text;
  const std::string dataset =
      with_h5 ? text("file(" + (folder / "x.h5").string() + ":g/counts)") : "";
  unsetenv("SOURCE_DATE_EPOCH");
  CHECK(plain == "file(x.csv)");
  CHECK(quoted == "file(\"x.csv\")");
  CHECK(mixed == "zero_inflated(zeros=0.5,file(x.csv))");
  CHECK(both == "joint(j.csv)");
  if (with_h5) CHECK(dataset == "file(x.h5:g/counts)");
}

TEST_CASE("CSV: refusals name file, line and value") {
  const test::ScratchDir folder;
  const std::string path = folder / "x.csv";
  std::string text;
  for (int i = 0; i < 256; ++i) text += i == 100 ? "-4\n" : "1\n";
  test::write_text(path, text);
  refused(path, path + ":101: the value for operand 100 is -4");
  test::write_text(path, "3,1\n300,1\n");
  refused(path, path + ":2: operand value 300");
  test::write_text(path, "3,1\n3,1\n");
  refused(path, path + ":2: operand value 3 is listed twice");
  test::write_text(path, "3,1\n4,nan\n");
  refused(path, path + ":2");
  test::write_text(path, "3,0\n4,0\n");
  refused(path, "every value is 0");
  test::write_text(path, "1\n2\n3\n");
  refused(path, "3 x 1 values; expected are 256");
  test::write_text(path, "");
  refused(path, path);
  refused(folder / "missing.csv", "missing.csv");
  test::write_text(path, "3,1\n");
  refused(path + ":name", "not an HDF5 file");
}

TEST_CASE("NPY and HDF5 written by numpy and h5py") {
  const test::ScratchDir folder;
  if (!python(folder, R"(
c = np.arange(256)
np.save(d + 'i4.npy', c.astype('<i4'))
np.save(d + 'u8.npy', c.astype('>u8')[:, None])
np.save(d + 'counts_f8.npy', c.astype('f8'))
np.save(d + 'p.npy', c / c.sum())
np.save(d + 'half.npy', c / c.sum() / 2)
np.save(d + 'nan.npy', np.where(c == 9, np.nan, c))
np.save(d + 'neg.npy', c - 1)
np.save(d + 'short.npy', c[1:])
j = np.arange(65536, dtype='f8').reshape(256, 256)
np.save(d + 'joint.npy', np.asfortranarray(j / j.sum()))
j[3, 200] = -1
np.save(d + 'joint_neg.npy', j)
np.savetxt(d + 'joint.csv', np.arange(65536).reshape(256, 256), fmt='%d', delimiter=',')
with h5py.File(d + 'one.h5', 'w') as f:
    f['h'] = c.astype('i8')
with h5py.File(d + 'two.h5', 'w') as f:
    f['g/p'] = (c / c.sum())
    f['x'] = c.astype('f4')
    f['y'] = np.zeros((2, 3, 4))
    f['text'] = 'abc'
    f['joint'] = np.arange(65536).reshape(256, 256).astype('u2')
    f.create_dataset('huge', shape=(1 << 40,), dtype='f8', chunks=(1 << 20,))
with open(d + 'two.h5', 'rb') as f: data = f.read()
with open(d + 'cut.h5', 'wb') as f: f.write(data[:700])
)"))
    AXMUL_SKIP("needs /usr/bin/python3 with numpy and h5py");
  for (const char* name : {"i4.npy", "u8.npy", "counts_f8.npy", "p.npy", "one.h5", "one.h5:h",
                           "two.h5:g/p", "two.h5:/g/p", "two.h5:x"}) {
    CAPTURE(name);
    const auto d = read(folder / name);
    for (std::size_t i = 0; i < 256; ++i)
      CHECK(d.p[i] == doctest::Approx(static_cast<double>(i) / 32640.0).epsilon(1e-15));
  }
  refused(folder / "half.npy", "sum to 0.5");
  refused(folder / "nan.npy", "operand 9 is nan");
  refused(folder / "neg.npy", "operand 0 is -1");
  refused(folder / "short.npy", "255 x 1 values");
  refused(folder / "two.h5", "which dataset?");
  refused(folder / "two.h5:nothing", "nothing");
  refused(folder / "two.h5:y", "3 dimensions");
  refused(folder / "two.h5:text", "text");
  refused(folder / "two.h5:huge", "1099511627776 x 1 values");
  refused(folder / "cut.h5", "cut.h5");

  for (const char* name : {"joint.npy", "joint.csv", "two.h5:joint"}) {
    CAPTURE(name);
    const auto joint = read_joint_distribution(folder / name, OperandType::u8s8);
    CHECK(joint.p(3, 200) == doctest::Approx(968 / 2147450880.0).epsilon(1e-15));
    CHECK(joint.p(200, 3) == doctest::Approx(51203 / 2147450880.0).epsilon(1e-15));
    CHECK(joint.type == OperandType::u8s8);
  }
  CHECK_THROWS_WITH_AS(read_joint_distribution(folder / "joint_neg.npy", OperandType::u8s8),
                       doctest::Contains("a = 3, b = 72 is -1"), InputError);
  CHECK_THROWS_WITH_AS(read_joint_distribution(folder / "i4.npy", OperandType::u8s8),
                       doctest::Contains("256 x 256"), InputError);
}
