// HDF5 error tables as h5py and xarray see them; equal bytes; interruption and full targets.
#include "axmul/tables/error_table.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "axmul/core/errors.hpp"
#include "tables/tables_support.hpp"

using namespace axmul;

namespace {

CharacterizationOptions two_distributions() {
  CharacterizationOptions options;
  const std::vector<std::string> a{"uniform", "normal(mean=40,std=20)"};
  options.distributions = pair_distributions(a, {});
  return options;
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder),
                                                std::filesystem::directory_iterator()));
}

}  // namespace

TEST_CASE("xarray opens the export: named dims, int32, selection by operand value") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  ErrorTableOptions table;
  table.origin = {"three tables", "export a b -o t.h5", "export", "", {}};
  test::write_table(path, test::mixed_designs(), two_distributions(), table);
  CHECK(test::python(R"(import sys, numpy as np, xarray as xr
def f(a, b): return 3*a*b + 7*a - 5*b + 11
ds = xr.open_dataset(sys.argv[1], group='u8u8', engine='h5netcdf')
assert ds.error.dims == ('multiplier', 'operand_a', 'operand_b'), ds.error.dims
assert ds.error.dtype == np.int32 and ds['product'].dtype == np.int32
assert ds.multiplier.values.tolist() == ['alpha', 'beta', 'exact']
assert int(ds.error.sel(multiplier='alpha', operand_a=3, operand_b=200)) == f(3, 200) - 600
assert int(ds.error.sel(multiplier='alpha', operand_a=200, operand_b=3)) == f(200, 3) - 600
assert int(ds['product'].sel(multiplier='exact', operand_a=255, operand_b=254)) == 255*254
assert ds.mae.dims == ('multiplier', 'distribution') and ds.mae.dtype == np.float64
assert ds.distribution.values.tolist()[0] == 'uniform x uniform'
a, b = np.meshgrid(np.arange(256), np.arange(256), indexing='ij')
e = ds.error.sel(multiplier='beta').values.astype(np.int64)
assert (e == ds['product'].sel(multiplier='beta').values - a*b).all()
assert abs(float(ds.mae.sel(multiplier='beta')[0]) - np.abs(e).mean()) < 1e-12
w = ds.p_a.values[1][:, None] * ds.p_b.values[1][None, :]
assert abs(float(ds.bias.sel(multiplier='beta')[1]) - (w*e).sum()) < 1e-9
assert abs(ds.conditional_bias_a.sel(multiplier='beta')[0].values - e.mean(axis=1)).max() < 1e-9
assert ds.bit_flip_rate.dims == ('multiplier', 'distribution', 'bit')
for name, v in ds.data_vars.items():
    assert 'long_name' in v.attrs, name
    assert not any(d.startswith('phony') for d in v.dims), (name, v.dims)
    assert v.dtype.kind in 'OUS' or 'units' in v.attrs, name
assert ds.mae.attrs['definition'] == 'E|e|'
o = ds.error_pmf_offset.values
m, D = 1, 2
v = ds.error_pmf_value.values[o[m*D]:o[m*D+1]]; p = ds.error_pmf_probability.values[o[m*D]:o[m*D+1]]
u, n = np.unique(e, return_counts=True)
assert (v == u).all() and abs(p - n/65536).max() < 1e-15 and o[-1] == ds.error_pmf_value.size
s = xr.open_dataset(sys.argv[1], group='s8s8', engine='h5netcdf')
assert s.operand_a.values.tolist() == list(range(-128, 128))
x = xr.open_dataset(sys.argv[1], group='u8s8', engine='h5netcdf')
assert x.operand_a.values[0] == 0 and x.operand_b.values[0] == -128
)",
                     path));
  CHECK(test::python(R"(import sys, h5py, hashlib
f = h5py.File(sys.argv[1])
assert f.attrs['format'] == 'axmul-error-table' and f.attrs['format_version'] == '1.0'
assert f.attrs['complete'] == 1 and f.attrs['title'] == 'three tables'
g = f['u8u8']
assert g['error'].chunks == (1, 256, 256) and g['error'].compression_opts == 4 and g['error'].shuffle
for name, d in g.items():
    if d.attrs.get('CLASS') == b'DIMENSION_SCALE': continue
    for i, dim in enumerate(d.dims):
        assert len(dim) == 1 and dim.label, (name, i)
h = hashlib.sha256(b'u8u8' + g['product'][1].astype('<i4').tobytes()).hexdigest()
assert g['sha256'].asstr()[1] == h
)",
                     path));
}

TEST_CASE("equal bytes for two runs and for 1, 2 and 7 threads under SOURCE_DATE_EPOCH") {
  const test::ScratchDir scratch;
  const test::ScopedEnv epoch("SOURCE_DATE_EPOCH", "1700000000");
  std::string first;
  for (const int threads : {1, 2, 7}) {
    const std::string path = scratch / ("t" + std::to_string(threads) + ".h5");
    CharacterizationOptions options = two_distributions();
    options.threads = threads;
    if (threads > 1)
      options.prepare = pack_products;  // packed by the workers or by the writer: the same
    test::write_table(path, test::mixed_designs(), options, {});
    const std::string bytes = test::read_text(path);
    if (first.empty()) first = bytes;
    CHECK(bytes == first);
  }
}

TEST_CASE("axes that only count are dimensions without a variable, of the right length") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  test::write_table(path, test::mixed_designs(), two_distributions(), {});
  CHECK(test::python(R"(import sys, h5py, xarray as xr
f = h5py.File(sys.argv[1])
for group in ('u8u8', 's8s8', 'u8s8'):
    ds = xr.open_dataset(sys.argv[1], group=group, engine='h5netcdf')
    for axis in ('error_pmf_entry', 'error_pmf_boundary'):
        assert axis in ds.sizes and axis not in ds.variables, (group, axis)
        length = f[group][axis].shape[0]
        assert ds.sizes[axis] == length > 1
        mark = b'This is a netCDF dimension but not a netCDF variable.%10d' % length
        assert f[group][axis].attrs['NAME'] == mark, f[group][axis].attrs['NAME']
    assert ds.error_pmf_offset.dims == ('error_pmf_boundary',)
    assert ds.sizes['error_pmf_entry'] == int(ds.error_pmf_offset[-1])
)",
                     path));
}

TEST_CASE("the levels of quantiles ascend, each once") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  CharacterizationOptions options;
  options.metrics.quantile_levels = {0.9, 0.25, 0.9, 1, 0.25};
  ErrorTableOptions table;
  table.statistics = options.metrics;
  test::write_table(path, test::mixed_designs(), options, table);
  CHECK(test::python(R"(import sys, numpy as np, xarray as xr
ds = xr.open_dataset(sys.argv[1], group='u8u8', engine='h5netcdf')
assert ds.quantile_level.values.tolist() == [0.25, 0.9, 1.0]
for name in ds.multiplier.values:
    e = np.sort(ds.error.sel(multiplier=name).values.ravel())
    for level in (0.25, 0.9, 1.0):
        got = float(ds.error_quantile.sel(multiplier=name, quantile_level=level)[0])
        assert got == e[int(np.ceil(level * e.size)) - 1], (name, level)
)",
                     path));
}

TEST_CASE("under SOURCE_DATE_EPOCH no output depends on the folder of its inputs") {
  const test::ScratchDir scratch;
  std::filesystem::create_directories(scratch / "one/two");
  std::string counts;
  for (int i = 0; i < 256; ++i) counts += std::to_string(i + 1) + "\n";
  const test::ScopedEnv epoch("SOURCE_DATE_EPOCH", "1700000000");
  std::string first;
  for (const std::string folder : {"one", "one/two"}) {
    const std::string base = (scratch / folder).string();
    test::write_text(base + "/p.csv", counts);
    write_table(base + "/m.csv", {"m", test::asymmetric_lut(OperandType::u8u8)});
    CharacterizationOptions options;
    options.distributions =
        pair_distributions(std::vector{"file(" + base + "/p.csv)"}, std::vector<std::string>{});
    const std::vector<std::string> texts{base + "/m.csv"};
    const DesignList list = find_designs(texts);
    test::write_table(base + "/t.h5", list.designs, options, {});
    const DistributionSet distributions(options);
    std::vector<CharacterizationRow> rows;
    characterize_designs(list.designs, options, distributions, [&](const Characterization& r) {
      rows.push_back(characterization_row(r, distributions));
    });
    const std::string bytes = test::read_text(base + "/t.h5") +
                              characterization_json(rows, Convention::evoapproxlib) +
                              characterization_csv(rows);
    CHECK(bytes.find(scratch.path().string()) == std::string::npos);
    CHECK(bytes.find("file(p.csv)") != std::string::npos);
    if (first.empty()) first = bytes;
    CHECK(bytes == first);
  }
}

TEST_CASE("nothing appears without finish(); finish_partial() leaves FILE.partial.h5, complete=0") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  CharacterizationOptions options;
  options.threads = 1;
  const DistributionSet distributions(options);
  const auto designs = test::mixed_designs();
  {
    ErrorTableWriter writer(path, distributions);
    characterize_designs(designs, options, distributions,
                         [&](const Characterization& result) { writer.add(result); });
  }
  CHECK(files_in(scratch.path()) == 0);
  ErrorTableWriter writer(path, distributions);
  CHECK_THROWS_AS(characterize_designs(designs, options, distributions,
                                       [&](const Characterization& result) {
                                         writer.add(result);
                                         request_interrupt();
                                       }),
                  InterruptedError);
  clear_interrupt();
  CHECK(writer.finish_partial() == (scratch / "t.partial.h5").string());
  CHECK(files_in(scratch.path()) == 1);
  CHECK(
      test::python("import sys, h5py\nf = h5py.File(sys.argv[1])\nassert f.attrs['complete'] == 0\n"
                   "assert f['u8u8/multiplier'].asstr()[0] == 'alpha'\n",
                   scratch / "t.partial.h5"));
}

TEST_CASE("an existing file is kept without force") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  test::write_text(path, "precious");
  CHECK_THROWS_AS(test::write_table(path, test::mixed_designs(), {}, {}), OutputError);
  CHECK(test::read_text(path) == "precious");
  ErrorTableOptions table;
  table.force = true;
  test::write_table(path, test::mixed_designs(), {}, table);
  CHECK(test::read_text(path) != "precious");
}

TEST_CASE("kill -9 while writing leaves no file under the final name") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    CharacterizationOptions options;
    options.threads = 1;
    const DistributionSet distributions(options);
    ErrorTableWriter writer(path, distributions);
    const DesignRef one = test::design("x", test::random_lut(OperandType::u8u8, 1));
    for (;;)
      characterize_designs(std::span(&one, 1), options, distributions,
                           [&](const Characterization& result) {
                             writer.add(result);
                             if (write(ready[1], "x", 1) != 1) _exit(1);
                           });
  }
  char bytes[3];
  for (char& byte : bytes) REQUIRE(read(ready[0], &byte, 1) == 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a full target is an OutputError and nothing is left") {
  const test::ScratchDir scratch;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{300000, 300000};
    setrlimit(RLIMIT_FSIZE, &limit);
    int result = 1;
    try {
      CharacterizationOptions options;
      options.threads = 1;
      std::vector<DesignRef> designs;
      for (std::uint64_t i = 0; i < 8; ++i)
        designs.push_back(
            test::design("m" + std::to_string(i), test::random_lut(OperandType::u8u8, i)));
      test::write_table(scratch / "t.h5", designs, options, {});
    } catch (const OutputError& error) {
      result =
          std::string(error.what()).find("t.h5: cannot write: File too large") == std::string::npos;
    }
    std::exit(result);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(files_in(scratch.path()) == 0);
}
