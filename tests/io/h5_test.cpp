// HDF5 layer: read back by h5py, equal bytes, refusals before memory is taken, and a full target.
#include "axmul/io/h5.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;
using h5::Shape;

namespace {

bool python(const std::string& code) {
  const test::ScratchDir scratch;
  test::write_text(scratch / "t.py", code);
  return std::system(("/usr/bin/python3 " + (scratch / "t.py").string()).c_str()) == 0;
}

void write_sample(const std::string& path) {
  h5::File file = h5::File::create(path);
  file.set_attribute("/", "title", "grüße");
  file.set_attribute("/", "seed", std::int64_t{-7});
  file.set_attribute("/", "scale", 0.5);
  file.create_group("/g");
  const std::vector<std::string> names{"a", "", "drei"};
  file.write_text("/g/name", names);
  file.make_scale("/g/name");
  h5::DatasetOptions options;
  options.chunk = {1, 4};
  options.extendible = true;
  options.deflate = true;
  h5::Dataset grid = file.create_dataset("/g/grid", h5::Type::int32, {0, 4}, options);
  grid.append<std::int32_t>(std::vector<std::int32_t>{1, -2, 3, 4, 5, 6, 7, 8});
  grid.resize(3);
  const std::vector<std::int32_t> last{-9, 10, 11, 1 << 30};
  grid.write_filtered_chunk({2, 0}, h5::deflate_chunk(last));
  file.attach_scale("/g/grid", 0, "/g/name");
  file.create_plain_dimension("/g/column", 4);
  file.attach_scale("/g/grid", 1, "/g/column");
  const std::vector<double> reals{1.5, -0.25};
  file.write<double>("/g/real", {2}, reals);
  file.close();
}

// The id of the InputError that f throws; 0 when it throws none.
template <class F>
int input_error(F&& f, const std::string& part = "") {
  try {
    f();
  } catch (const InputError& error) {
    CHECK(std::string(error.what()).find(part) != std::string::npos);
    return error.id();
  }
  return 0;
}

}  // namespace

TEST_CASE("what is written reads back, here and in h5py") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "x.h5";
  write_sample(path);
  const h5::File file = h5::File::open(path);
  CHECK(file.attribute_text("/", "title") == "grüße");
  CHECK(file.attribute_int("/", "seed") == -7);
  CHECK(file.attribute_double("/", "scale") == 0.5);
  CHECK_FALSE(file.attribute_int("/", "none").has_value());
  CHECK(file.dataset("/g/name").read_text() == std::vector<std::string>{"a", "", "drei"});
  const h5::Dataset grid = file.dataset("/g/grid");
  CHECK(grid.shape() == Shape{3, 4});
  CHECK(grid.read<std::int32_t>() ==
        std::vector<std::int32_t>{1, -2, 3, 4, 5, 6, 7, 8, -9, 10, 11, 1 << 30});
  std::vector<std::int64_t> block(2);
  grid.read<std::int64_t>({1, 1}, {2, 1}, block);
  CHECK(block == std::vector<std::int64_t>{6, 10});
  const auto entries = file.list("/g");
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].name == "name");  // order of creation
  CHECK(entries[1].name == "grid");
  CHECK(entries[1].kind == h5::Kind::dataset);
  CHECK(python("import h5py\nf=h5py.File('" + path + R"(')
assert f.attrs['title']=='grüße' and f.attrs['seed']==-7 and f.attrs['scale']==0.5
g=f['g/grid']
assert g.dtype=='<i4' and g[2].tolist()==[-9,10,11,1<<30] and g[0].tolist()==[1,-2,3,4]
assert [d.label for d in g.dims]==['name','column'] and g.dims[0][0].asstr()[2]=='drei'
assert g.compression=='gzip' and g.compression_opts==4 and g.shuffle
)"));
}

TEST_CASE("equal calls give equal bytes") {
  const test::ScratchDir scratch;
  write_sample(scratch / "x.h5");
  sleep(1);
  write_sample(scratch / "y.h5");
  CHECK(test::read_text(scratch / "x.h5") == test::read_text(scratch / "y.h5"));
}

TEST_CASE("missing, foreign and truncated files are InputErrors that name the path") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "x.h5";
  CHECK(input_error([&] { h5::File::open(path); }, "no such file") == 150);
  CHECK(input_error([&] { h5::File::open(scratch.path()); }, "regular") == 150);
  test::write_text(path, "a,b\n1,2\n");
  CHECK(input_error([&] { h5::File::open(path); }, "is not an HDF5 file") == 150);
  CHECK_FALSE(h5::File::is_hdf5(path));
  write_sample(path);
  CHECK(h5::File::is_hdf5(path));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  CHECK(input_error([&] { h5::File::open(path); }, path) == 150);
}

TEST_CASE("missing objects, wrong types, shapes and counts are refused by name") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "x.h5";
  write_sample(path);
  const h5::File file = h5::File::open(path);
  CHECK(input_error([&] { file.dataset("/g/nothing"); }, "/g/nothing") == 151);
  CHECK(input_error([&] { file.dataset("/g"); }, "/g") == 152);
  CHECK(input_error([&] { file.list("/none"); }, "/none") == 151);
  CHECK(input_error([&] { file.read<std::int32_t>("/g/real"); }, "float64") == 152);
  CHECK(input_error([&] { file.read<std::int16_t>("/g/grid"); }, "int32") == 152);
  CHECK(input_error([&] { file.read<double>("/g/name"); }, "text") == 152);
  CHECK(input_error([&] { file.dataset("/g/grid").read_text(); }, "/g/grid") == 152);
  CHECK(input_error([&] { file.dataset("/g/grid").expect_shape({0, 5}); }, "[N, 5]") == 153);
  file.dataset("/g/grid").expect_shape({0, 4});
  CHECK(input_error([&] { file.attribute_int("/", "title"); }, "/@title") == 152);
  CHECK(input_error([&] { file.attribute_text("/", "seed"); }, "/@seed") == 152);
}

TEST_CASE("a dataset that claims more than the file holds is refused before memory is taken") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "x.h5";
  REQUIRE(python("import h5py\nf=h5py.File('" + path + R"(','w')
f.create_dataset('huge',(1<<40,),dtype='i4',chunks=(1024,))
f.create_dataset('flat',(1<<30,),dtype='i4',chunks=(1024,))
f.create_dataset('chunk',(1<<30,),dtype='i4',chunks=(1<<28,))
f.create_dataset('texts',(1<<30,),dtype=h5py.string_dtype(),chunks=(1024,))
f.create_dataset('honest',(300,),dtype='i4')
f['away']=h5py.ExternalLink('other.h5','/x')
f.create_dataset('outside',(4,),dtype='u1',external=[('/etc/hostname',0,4)])
f['empty']=h5py.Empty('i4')
)"));
  const h5::File file = h5::File::open(path);
  CHECK(input_error([&] { file.read<std::int32_t>("/huge"); }, "/huge") == 154);
  CHECK(input_error([&] { file.read<std::int32_t>("/flat"); }, "/flat") == 154);
  CHECK(input_error([&] { file.dataset("/chunk"); }, "/chunk") == 154);
  CHECK(input_error([&] { file.dataset("/texts").read_text(); }, "/texts") == 154);
  CHECK(input_error([&] { file.dataset("/away"); }, "/away") != 0);
  CHECK(input_error([&] { file.dataset("/outside"); }, "/outside") == 155);
  CHECK(input_error([&] { file.dataset("/empty"); }, "/empty") == 153);
  CHECK(file.read<std::int32_t>("/honest") == std::vector<std::int32_t>(300, 0));
}

TEST_CASE("a target that cannot be made, or is full, is an OutputError, and the exit is quiet") {
  const test::ScratchDir scratch;
  CHECK_THROWS_AS(h5::File::create(scratch / "no" / "x.h5"), OutputError);
  // In a child, because the file size limit and the library's state at exit are the process's.
  const std::string log = scratch / "log";
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (freopen(log.c_str(), "w", stderr) == nullptr) _exit(9);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200000, 200000};
    setrlimit(RLIMIT_FSIZE, &limit);
    int result = 1;
    try {
      h5::File file = h5::File::create(scratch / "x.h5");
      const std::vector<double> values(100000, 1.25);
      for (int i = 0; i < 20; ++i) file.write<double>("/d" + std::to_string(i), {100000}, values);
      file.close();
    } catch (const OutputError& error) {
      result = std::string(error.what()).find("File too large") != std::string::npos ? 0 : 2;
    }
    std::exit(result);  // not _exit: HDF5's own closing at exit must stay silent
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(test::read_text(log).empty());
}
