// A run is gone on from whole stage files only; weights and run records are held to their
// checksums.
#include <algorithm>

#include "support/error_id.hpp"
#include "train/stage_support.hpp"

using namespace axmul;
using axmul::test::error_id;
using nlohmann::json;
using test::Damage;
using test::run;
using test::StageBench;
using test::without_seconds;

TEST_CASE("a damaged stage file ends --resume with its name, and a missing one is made anew") {
  const StageBench bench;
  if (!bench.ready()) AXMUL_SKIP("needs the executable axmul-train");
  REQUIRE(run(bench.resume()) == 0);
  const json points = without_seconds(bench.record(bench.name)["points"]);
  const auto files = bench.stage_files();
  REQUIRE(files.size() == 13);
  const auto damages = test::json_damages();
  const auto named = [&](const std::string& name) {
    return *std::find_if(damages.begin(), damages.end(),
                         [&](const Damage& d) { return d.name == name; });
  };
  for (const std::string& file : files) {
    bench.check_refused(file, test::byte_damages()[1]);
    if (file.ends_with("evaluation.json")) {
      bench.check_refused(file, named("one prediction less"));
      bench.check_refused(file, named("one prediction less, sealed"));
    }
  }
  bench.check_refused("lambda-0.5/search/epochs.json", named("epoch -1, sealed"));
  bench.check_refused("lambda-0.5/sigma.json", named("negative noise, sealed"));
  bench.check_refused("baseline/evaluation.json", named("nested"));
  {  // Files that are whole, but of another stage.
    for (const char* kind : {"evaluation.json", "weights.h5"}) {
      const std::string other = test::read_text(bench.folder / bench.name / "quantized" / kind);
      bench.check_refused(std::string("baseline/") + kind,
                          {"of another stage", [&](const std::string&) { return other; }});
    }
  }
  for (const char* file : {"quantized/evaluation.json", "lambda-0.5/retrain/epochs.json"}) {
    CAPTURE(file);
    std::filesystem::remove(bench.folder / bench.name / file);
    CHECK(run(bench.resume()) == 0);
    CHECK(without_seconds(bench.record(bench.name)["points"]) == points);
  }
  std::filesystem::remove(bench.folder / bench.name / "settings.json");
  CHECK(run(bench.resume()) == 3);
  CHECK(test::read_text(bench.folder / "stderr").find("settings.json: is missing") !=
        std::string::npos);
}

TEST_CASE("run records of strangers are read with care") {
  const test::ScratchDir folder;
  const auto program = test::binary_dir() / "bin" / "axmul-train";
  if (!std::filesystem::exists(program)) AXMUL_SKIP("needs the executable axmul-train");
  const json good =
      json::parse(test::read_text(test::source_dir() / "bench" / "records" / "resnet20-jpeg.json"));
  const auto code = [&](const std::string& text) {
    test::write_text(folder / "run.json", text);
    return run(program.string() + " pareto " + (folder / "run.json").string() + " >/dev/null 2>" +
               (folder / "stderr").string());
  };
  REQUIRE(code(good.dump()) == 0);
  const auto refused = [&](const char* what, const std::function<void(json&)>& change) {
    CAPTURE(what);
    json bad = good;
    change(bad);
    CHECK(code(bad.dump()) == 3);
    CHECK(test::read_text(folder / "stderr").find("run.json") != std::string::npos);
  };
  refused("no points", [](json& j) { j["points"] = json::array(); });
  refused("points a number", [](json& j) { j["points"] = 5; });
  refused("images -1", [](json& j) { j["points"][0]["report"]["images"] = -1; });
  refused("images 0.5", [](json& j) { j["quantized_report"]["images"] = 0.5; });
  refused("top1 63", [](json& j) { j["points"][0]["report"]["top1"] = 63; });
  refused("difference 2", [](json& j) { j["points"][0]["selection"]["difference"] = 2; });
  refused("negative energy", [](json& j) { j["points"][0]["relative_energy"] = -0.5; });
  refused("a layer less", [](json& j) { j["points"][0]["layers"].erase(0); });
  refused("a layer renamed", [](json& j) { j["points"][0]["layers"][0]["layer"] = "x"; });
  refused("layer names less", [](json& j) { j["layers"].erase(0); });
  refused("seed a text", [](json& j) { j["seed"] = "1"; });
  refused("negative ops", [](json& j) { j["points"][0]["layers"][0]["ops"] = -1; });
  refused("epoch 7", [](json& j) { j["quantize_epochs"][0]["epoch"] = 7; });
  refused("schema a list", [](json& j) { j["schema"] = json::array(); });
  refused("wrong checksum", [](json& j) { j["checksum"] = "0"; });
  CHECK(code(std::string(200000, '[')) == 3);
  CHECK(code("{\"schema\":\"axmul.run/1\",\"options\":" + std::string(100000, '[') +
             std::string(100000, ']') + "}") == 3);
}

TEST_CASE("weights that carry a checksum are held to it") {
  const test::ScratchDir folder;
  StateDict state;
  state.tensors["w"] = StateTensor::from({2}, std::vector<float>{1, 2});
  state.metadata["arch"] = "none";
  state.metadata[kChecksum] = checksum_of(state);
  for (const char* name : {"x.h5", "x.safetensors"}) {
    CAPTURE(name);
    const std::string path = (folder / name).string();
    write_state_dict(state, path);
    CHECK(error_id([&] { read_state_dict(path); }) == 0);
    std::string text = test::read_text(path);
    const auto at = text.find(std::string("\0\0\x80\x3f\0\0\0\x40", 8));
    REQUIRE(at != text.npos);
    text[at + 5] = 1;
    test::write_text(path, text);
    CHECK(error_id([&] { read_state_dict(path); }) == 921);
  }
  StateDict other = state;
  other.metadata["arch"] = "other";
  CHECK(checksum_of(other) != checksum_of(state));
  other = state;
  other.tensors["w"] = StateTensor::from({1, 2}, std::vector<float>{1, 2});
  CHECK(checksum_of(other) != checksum_of(state));
}

TEST_CASE("HDF5 weights whose groups contain themselves end in an error") {
  const test::ScratchDir folder;
  test::write_text(folder / "make.py",
                   "import h5py, numpy as np, sys\n"
                   "f = h5py.File(sys.argv[1], 'w')\n"
                   "g = f.create_group('a'); g['again'] = f['/']; g['b'] = g\n"
                   "g['w'] = np.zeros(3, np.float32)\n"
                   "f = h5py.File(sys.argv[2], 'w')\n"
                   "d = f.create_dataset('w', (2**26,), 'f4', chunks=(2**20,), compression=9,\n"
                   "                     fillvalue=0)\n"
                   "d[...] = 0\n"
                   "for i in range(100): f[f'w{i}'] = d\n");
  const std::string cycle = (folder / "cycle.h5").string(), many = (folder / "many.h5").string();
  REQUIRE(test::run_process("/usr/bin/python3 " + (folder / "make.py").string() + " " + cycle +
                            " " + many) == 0);
  CHECK(error_id([&] { read_state_dict(cycle); }) == 921);
  CHECK(error_id([&] { read_state_dict(many); }) == 921);
}

TEST_CASE("figures beside PyTorch's tensors must make sense") {
  Network network = make_network("lenet5", {10, 1, 28, 28}, 1);
  const StateDict good = state_of(network);
  const auto id = [&](const std::string& name, const std::vector<double>& values) {
    StateDict state = good;
    state.tensors[name] = StateTensor::from({static_cast<std::int64_t>(values.size())}, values);
    return error_id([&] { load_state(network, state, "w.h5"); });
  };
  const std::string layer = network.layers.front()->name;
  CHECK(id(layer + ".a_range", {0, 1}) == 0);
  CHECK(id(layer + ".a_range", {0, 1, 2}) == 932);
  CHECK(id(layer + ".a_range", {2, 1}) == 932);
  CHECK(id(layer + ".a_range", {0, HUGE_VAL}) == 932);
  CHECK(id(layer + ".sigma_l", {}) == 932);
  CHECK(id(layer + ".sigma_l", {std::nan("")}) == 932);
  CHECK(id(layer + ".mean_acc", {1}) == 932);
  CHECK(id(layer + ".mean_acc", std::vector<double>(6, std::nan(""))) == 932);
}
