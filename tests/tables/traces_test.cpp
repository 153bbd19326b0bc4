// Trace files: round trips, files by h5py, every refusal with layer and dataset.
#include "axmul/tables/traces.hpp"

#include <cmath>
#include <numeric>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "tables/tables_support.hpp"

using namespace axmul;

namespace {

LayerOperands sample(const std::string& name, OperandType type, std::size_t groups) {
  LayerOperands layer;
  layer.name = name;
  layer.layer_index = 3;
  layer.type = type;
  layer.fan_in = 12;
  layer.ops = 1e6;
  layer.groups = groups;
  layer.in_channels = 3 * groups;
  layer.out_channels = 5 * groups;
  layer.kernel_h = 2;
  layer.kernel_w = 2;
  layer.output_std = 17.25;
  layer.a_zero_point = 9;
  layer.a_scale = 0.5;
  layer.b_scale.assign(layer.out_channels, 0.25);
  layer.b_scale.back() = 0.125;
  layer.b_zero_point.assign(layer.out_channels, 0);
  layer.b_zero_point.front() = -2;
  layer.patch_count = 7;
  Philox random(42);
  for (std::size_t i = 0; i < groups * 7 * 12; ++i)
    layer.patches.push_back(static_cast<std::uint8_t>(random.next_below(256)));
  for (std::size_t i = 0; i < groups * 12 * 5; ++i)
    layer.weights.push_back(static_cast<std::uint8_t>(random.next_below(256)));
  layer.image.assign(7, 1);
  layer.image.back() = 4;
  return layer;
}

void check_equal(const LayerOperands& x, const LayerOperands& y) {
  CHECK(x.name == y.name);
  CHECK(x.layer_index == y.layer_index);
  CHECK(x.type == y.type);
  CHECK(x.fan_in == y.fan_in);
  CHECK(x.ops == y.ops);
  CHECK(x.in_channels == y.in_channels);
  CHECK(x.out_channels == y.out_channels);
  CHECK(x.groups == y.groups);
  CHECK(x.kernel_h == y.kernel_h);
  CHECK(x.kernel_w == y.kernel_w);
  CHECK(std::abs(x.output_std - y.output_std) <= 1e-15 * y.output_std);  // stored in real units
  CHECK(x.a_zero_point == y.a_zero_point);
  CHECK(x.b_zero_point == y.b_zero_point);
  CHECK(x.a_scale == y.a_scale);
  CHECK(x.b_scale == y.b_scale);
  CHECK(x.patch_count == y.patch_count);
  CHECK(x.patches == y.patches);
  CHECK(x.weights == y.weights);
  CHECK(x.hist_a == y.hist_a);
  CHECK(x.hist_b == y.hist_b);
  CHECK(x.image == y.image);
}

// A good file whose layer /traces/n/conv is then changed by `code`; the message of reading it.
std::string refusal(const std::string& code) {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  REQUIRE(test::python(R"(import sys, h5py, numpy as np
f = h5py.File(sys.argv[1], 'w')
f.attrs.update(format='axmul-traces', format_version='1.0')
g = f.create_group('traces/n/conv')
def put(name, array):
    if name in g: del g[name]
    g[name] = array
put('patches', np.full((4, 18), 7, 'u1'))
put('weights', np.full((18, 5), 9, 'u1'))
put('image', np.arange(4, dtype='i4'))
g.attrs.update(type='u8u8', layer_index=0, fan_in=18, in_channels=2, out_channels=5, groups=1,
               kernel_h=3, kernel_w=3, ops=100, output_std=1.0, a_zero_point=0, b_zero_point=128,
               a_scale=1.0, b_scale=1.0, tap_order='c,kh,kw')
)" + code,
                       path));
  try {
    read_traces(path);
  } catch (const InputError& error) {
    const std::string message = error.what();
    CHECK(message.find(path) != std::string::npos);
    return message.substr(message.find(path) + path.size());
  }
  return "";
}

bool names(const std::string& message, const std::string& layer, const std::string& part) {
  INFO(message);
  const bool both =
      message.find(layer) != std::string::npos && message.find(part) != std::string::npos;
  CHECK(both);
  return both;
}

}  // namespace

TEST_CASE("layers of every type and with groups come back as they were") {
  const test::ScratchDir scratch;
  for (const OperandType type : kOperandTypes)
    for (const std::size_t groups : {std::size_t{1}, std::size_t{4}}) {
      const std::string path =
          scratch / (std::string(to_string(type)) + std::to_string(groups) + ".h5");
      const LayerOperands layer = sample("features.0", type, groups);
      write_traces(path, "net", std::span(&layer, 1));
      const auto back = read_traces(path);
      REQUIRE(back.size() == 1);
      check_equal(back.front(), layer);
    }
  CHECK(TraceFile::is_one(scratch / "s8s81.h5"));
  CHECK(test::python(R"(import sys, h5py
g = h5py.File(sys.argv[1])['traces/net/features.0']
assert g['patches'].dtype == 'i1' and g['patches'].shape == (7, 12)
assert [d.label for d in g['weights'].dims] == ['tap', 'channel']
assert g.attrs['type'] == 's8s8' and g.attrs['ops'] == 1000000 and len(g.attrs['b_scale']) == 5
)",
                     scratch / "s8s81.h5"));
}

TEST_CASE("histograms alone make a layer") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  LayerOperands layer = sample("fc", OperandType::s8s8, 1);
  layer.hist_a.assign(7 * 256, 0);
  layer.hist_b.assign(5 * 256, 0);
  for (std::size_t s = 0; s < 7; ++s) layer.hist_a[s * 256 + s] = 12;
  for (std::size_t m = 0; m < 5; ++m) layer.hist_b[m * 256 + 255 - m] = 12;
  layer.patches.clear();
  layer.weights.clear();
  write_traces(path, "net", std::span(&layer, 1));
  check_equal(read_traces(path).front(), layer);
}

TEST_CASE("layers come by layer_index, or as they are asked for") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  std::vector<LayerOperands> layers{sample("late", OperandType::u8u8, 1),
                                    sample("early", OperandType::u8u8, 1)};
  layers[1].layer_index = 0;
  write_traces(path, "net", layers);
  const TraceFile file(path);
  CHECK(file.networks() == std::vector<std::string>{"net"});
  CHECK(file.layers() == std::vector<std::string>{"early", "late"});
  const std::vector<std::string> wanted{"late"};
  CHECK(read_traces(path, "net", wanted).front().name == "late");
  CHECK_THROWS_WITH_AS(file.layer("middle"), doctest::Contains("early, late"), InputError);
  CHECK_THROWS_WITH_AS(file.layers("other"), doctest::Contains("there is net"), InputError);
}

TEST_CASE("what does not fit together is refused by layer and dataset") {
  const std::string layer = "/traces/n/conv";
  REQUIRE(refusal("") == "");
  names(refusal("put('patches', np.zeros((0, 18), 'u1'))\n"), layer, "\"patches\" has zero");
  names(refusal("put('patches', np.zeros((4, 17), 'u1'))\n"), layer, "patches: has shape [4, 17]");
  names(refusal("put('patches', np.zeros((4,), 'u1'))\n"), layer, "patches: has shape [4]");
  names(refusal("put('patches', np.full((4, 18), 256, 'i4'))\n"), layer,
        "patches: value 256 at [0, 0]");
  names(refusal("x = np.zeros((4, 18), 'i8'); x[2, 5] = -1; put('patches', x)\n"), layer,
        "patches: value -1 at [2, 5]");
  names(refusal("put('patches', np.zeros((4, 18), 'f4'))\n"), layer, "patches: has type float32");
  names(refusal("g.attrs['type'] = 's8s8'; put('patches', np.full((4, 18), 200, 'u1'))\n"), layer,
        "patches: value 200");
  names(refusal("g.attrs['type'] = 'u8s8'; put('weights', np.full((18, 5), 128, 'u1'))\n"), layer,
        "weights: value 128 at [0, 0]");
  names(refusal("del g['patches']\n"), layer, "neither dataset \"patches\" nor \"hist_a\"");
  names(refusal("del g['weights']\n"), layer, "neither dataset \"weights\" nor \"hist_b\"");
  names(refusal("put('weights', np.zeros((17, 5), 'u1'))\n"), layer, "weights: has shape [17, 5]");
  names(refusal("put('weights', np.zeros((18, 6), 'u1'))\n"), layer, "weights: has shape [18, 6]");
  names(refusal("put('image', np.zeros(3, 'i4'))\n"), layer, "image: has shape [3]");
  names(refusal("put('image', np.full(4, -1))\n"), layer, "image: image -1");
  names(refusal("g.attrs['kernel_h'] = 5\n"), layer, "is not the fan-in K = 18");
  names(refusal("g.attrs['in_channels'] = 3\n"), layer, "is not the fan-in K = 18");
  names(refusal("g.attrs['fan_in'] = 9\n"), layer, "patches: has shape [4, 18]");
  names(refusal("g.attrs['groups'] = 2\n"), layer, "groups = 2");
  names(refusal("g.attrs['groups'] = 0\n"), layer, "\"groups\" is 0");
  names(refusal("g.attrs['fan_in'] = 1.5\n"), layer, "\"fan_in\" is 1.5");
  names(refusal("g.attrs['type'] = 'u4u4'\n"), layer, "\"type\" is \"u4u4\"");
  names(refusal("del g.attrs['type']\n"), layer, "\"type\" is missing");
  names(refusal("g.attrs['tap_order'] = 'kh,kw,c'\n"), layer, "tap_order");
  names(refusal("g.attrs['ops'] = 'many'\n"), layer, "ops");
  names(refusal("g.attrs['b_scale'] = np.ones(4)\n"), "conv", "\"b_scale\" has 4 values");
  names(refusal("g.attrs['a_scale'] = 0.0\n"), "conv", "\"a_scale\"");
  names(refusal("del g['patches']; put('hist_a', np.ones((4, 256), 'i4'))\n"), "conv",
        "\"hist_a\" row 0 sums to 256");
  names(refusal("put('hist_a', np.full((4, 255), 1))\n"), layer, "hist_a: has shape [4, 255]");
  names(refusal("put('hist_b', np.full((5, 256), -1))\n"), layer, "hist_b: count -1");
  names(refusal("put('hist_b', np.zeros((4, 256), 'i4'))\n"), layer, "hist_b: has shape [4, 256]");
  names(refusal("del f['traces/n/conv']\n"), "/traces/n", "holds no layers");
  names(refusal("del f['traces']\n"), "", "no network");
  names(refusal("f.attrs['format'] = 'axmul-library'\n"), "", "not axmul-traces");
  names(refusal("f.attrs['format_version'] = '2.0'\n"), "", "this axmul reads 1.x");
  names(
      refusal(
          "del g['patches']; g.create_dataset('patches', (1 << 40, 18), 'u1', chunks=(64, 18))\n"),
      layer, "patches");
}

TEST_CASE("a layer is checked before it is written, and nothing is left") {
  const test::ScratchDir scratch;
  LayerOperands layer = sample("conv", OperandType::u8u8, 1);
  layer.weights.pop_back();
  CHECK_THROWS_AS(write_traces(scratch / "t.h5", "net", std::span(&layer, 1)), InputError);
  const std::vector<LayerOperands> twice(2, sample("conv", OperandType::u8u8, 1));
  CHECK_THROWS_AS(write_traces(scratch / "t.h5", "net", twice), InputError);
  const LayerOperands slash = sample("a/b", OperandType::u8u8, 1);
  CHECK_THROWS_AS(write_traces(scratch / "t.h5", "net", std::span(&slash, 1)), InputError);
  CHECK(std::filesystem::is_empty(scratch.path()));
}

TEST_CASE("trace(FILE,layer=NAME,operand=a|b) counts what the layer saw") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  const LayerOperands layer = sample("conv", OperandType::u8s8, 1);
  write_traces(path, "net", std::span(&layer, 1));
  const DistributionContext context = trace_context();
  const std::string text = "trace(" + path + ",layer=conv,operand=";
  const OperandDistribution a = parse_distribution(text + "a)", false, context);
  const OperandDistribution b = parse_distribution(text + "b)", true, context);
  CHECK(a.text == text + "a)");
  setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  const std::string stored = parse_distribution(text + "a)", false, context).text;
  unsetenv("SOURCE_DATE_EPOCH");
  CHECK(stored == "trace(t.h5,layer=conv,operand=a)");
  std::array<double, 256> count_a{}, count_b{};
  for (const std::uint8_t byte : layer.patches) ++count_a[byte];
  for (const std::uint8_t byte : layer.weights)
    ++count_b[static_cast<std::size_t>(static_cast<std::int8_t>(byte) + 128)];
  for (std::size_t i = 0; i < 256; ++i) {
    CHECK(a.p[i] == doctest::Approx(count_a[i] / 84).epsilon(1e-14));
    CHECK(b.p[i] == doctest::Approx(count_b[i] / 60).epsilon(1e-14));
  }
  CHECK_THROWS_WITH_AS(parse_distribution(text + "a)", true, context),
                       doctest::Contains("operand a is unsigned"), InputError);
  CHECK_THROWS_AS(parse_distribution(text + "c)", false, context), UsageError);
  CHECK_THROWS_AS(parse_distribution("trace(" + path + ",operand=a)", false, context), UsageError);
}

TEST_CASE("where scales differ the spread of the outputs is stored in real units") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  LayerOperands layer = sample("conv", OperandType::u8s8, 1);
  write_traces(path, "n", std::span(&layer, 1));
  CHECK(test::python(R"(import sys, h5py, numpy as np
g = h5py.File(sys.argv[1])['traces/n/conv'].attrs
assert 'output_std' not in g
assert abs(g['output_std_real'] / (17.25 * 0.5 * np.sqrt(np.mean(g['b_scale'] ** 2))) - 1) < 1e-14
)",
                     path));
  layer.b_scale.assign(5, 0.25);
  write_traces(path, "n", std::span(&layer, 1), {{}, true});
  CHECK(test::python(R"(import sys, h5py
g = h5py.File(sys.argv[1])['traces/n/conv'].attrs
assert 'output_std_real' not in g and g['output_std'] == 17.25
)",
                     path));
}

TEST_CASE("output_std of integer sums tells nothing where scales differ") {
  const test::ScratchDir scratch;
  const auto output_std = [&](const std::string& attributes) {
    const std::string path = scratch / "t.h5";
    REQUIRE(test::python(R"(import sys, h5py, numpy as np
f = h5py.File(sys.argv[1], 'w')
f.attrs.update(format='axmul-traces', format_version='1.0')
g = f.create_group('traces/n/conv')
g['patches'], g['weights'] = np.full((4, 18), 7, 'u1'), np.full((18, 2), 9, 'u1')
g.attrs.update(type='u8u8', ops=100, a_scale=0.5, )" +
                             attributes + ")\n",
                         path));
    return read_traces(path).front().output_std;
  };
  CHECK(output_std("b_scale=[0.3, 0.3], output_std=7.0") == 7);
  CHECK(std::isnan(output_std("b_scale=[0.3, 0.1], output_std=7.0")));  // as older files are
  const double rms = std::sqrt((0.09 + 0.01) / 2);
  CHECK(output_std("b_scale=[0.3, 0.1], output_std_real=7.0") ==
        doctest::Approx(7 / (0.5 * rms)).epsilon(1e-14));
  CHECK(output_std("b_scale=[0.3, 0.1], output_std_real=7.0, output_std=99.0") ==
        doctest::Approx(7 / (0.5 * rms)).epsilon(1e-14));
  CHECK(output_std("b_scale=0.3, output_std_real=1.05") == doctest::Approx(7).epsilon(1e-14));
  CHECK(output_std("b_scale=0.3, output_std=7.0, output_std_real=1.05") == 7);
  CHECK(std::isnan(output_std("b_scale=0.3")));
  names(refusal("g.attrs['output_std_real'] = 2.0"), "/traces/n/conv", "leave one of them out");
  names(refusal("g.attrs['output_std_real'] = -1.0"), "/traces/n/conv", "output_std_real");
}

TEST_CASE("what the layers leave out is stored, and a file that does not say is told apart") {
  const test::ScratchDir scratch;
  const std::string path = scratch / "t.h5";
  const LayerOperands layer = sample("fc", OperandType::u8u8, 1);
  for (const auto& calls : {std::optional<std::size_t>{}, std::optional<std::size_t>{0},
                            std::optional<std::size_t>{3}}) {
    TraceOptions options;
    options.force = true;
    options.ops_not_covered = 1234;
    options.calls_not_counted = calls;
    write_traces(path, "net", std::span(&layer, 1), options);
    CHECK(TraceFile(path).ops_not_covered() == 1234);
    CHECK(TraceFile(path).calls_not_counted() == calls);
  }
  for (const char* value : {"-1", "0.5", "float('nan')", "[1, 2]", "'many'"}) {
    CAPTURE(value);
    REQUIRE(test::python(std::string("import sys, h5py\n"
                                     "h5py.File(sys.argv[1], 'r+')['traces/net'].attrs"
                                     "['calls_not_counted'] = ") +
                             value,
                         path));
    CHECK_THROWS_WITH_AS(TraceFile(path).calls_not_counted(),
                         doctest::Contains("calls_not_counted"), InputError);
  }
}
