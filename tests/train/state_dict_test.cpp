// State dicts: round trips, h5py as the other reader and writer, hostile files, wrong networks.
#include <cstdlib>

#include "axmul/core/errors.hpp"
#include "support/error_id.hpp"
#include "train/train_support.hpp"

using namespace axmul;
using axmul::test::error_id;

namespace {

StateDict sample() {
  StateDict state;
  state.tensors["conv.weight"] = StateTensor::from({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6.5f});
  state.tensors["conv.range"] = StateTensor::from({2}, std::vector<double>{0.1, -1e300});
  state.tensors["bn.batches"] = StateTensor::from({}, std::vector<std::int64_t>{1LL << 60});
  state.metadata["arch"] = "none";
  return state;
}

bool same(const StateDict& x, const StateDict& y) {
  if (x.tensors.size() != y.tensors.size()) return false;
  for (const auto& [name, tensor] : x.tensors) {
    const auto it = y.tensors.find(name);
    if (it == y.tensors.end() || it->second.shape != tensor.shape ||
        it->second.type != tensor.type || it->second.bytes != tensor.bytes)
      return false;
  }
  return x.metadata.at("arch") == y.metadata.at("arch");
}

}  // namespace

TEST_CASE("state dicts survive both file formats bit for bit") {
  const test::ScratchDir folder;
  for (const char* name : {"x.h5", "x.safetensors"}) {
    CAPTURE(name);
    const std::string path = (folder / name).string();
    write_state_dict(sample(), path);
    CHECK(same(sample(), read_state_dict(path)));
  }
  CHECK(error_id([&] { write_state_dict(sample(), (folder / "x.bin").string()); }) == 923);
}

TEST_CASE("h5py reads what we write and we read what h5py writes") {
  const test::ScratchDir folder;
  const std::string ours = (folder / "ours.h5").string(), theirs = (folder / "theirs.h5").string();
  write_state_dict(sample(), ours);
  test::write_text(folder / "check.py",
                   "import h5py, numpy as np, sys\n"
                   "f = h5py.File(sys.argv[1])\n"
                   "assert f['conv.weight'].dtype == np.float32 and f['conv.weight'][1, 2] == 6.5\n"
                   "assert f['bn.batches'][()] == 2**60 and f.attrs['arch'] == 'none'\n"
                   "g = h5py.File(sys.argv[2], 'w')\n"
                   "g['module.a.weight'] = np.arange(6, dtype='f4').reshape(3, 2)\n"
                   "g['module.b'] = np.array(7)\n"
                   "g.attrs['norm_mean'] = [0.25, 0.5]\n");
  const std::string command =
      "/usr/bin/python3 " + (folder / "check.py").string() + " " + ours + " " + theirs;
  REQUIRE(std::system(command.c_str()) == 0);
  const StateDict state = read_state_dict(theirs);
  REQUIRE(state.tensors.contains("a.weight"));  // DataParallel's prefix is gone
  CHECK(state.tensors.at("a.weight").shape == std::vector<std::int64_t>{3, 2});
  CHECK(state.tensors.at("a.weight").doubles()[3] == 3.0);
  CHECK(state.tensors.at("b").doubles()[0] == 7.0);
  CHECK(state.metadata.at("norm_mean") == "0.25,0.5");
}

TEST_CASE("half and bfloat16 tensors of a safetensors file become float32") {
  const std::string header = R"({"h":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},)"
                             R"("b":{"dtype":"BF16","shape":[1],"data_offsets":[6,8]}})";
  std::string text(8, '\0');
  text[0] = static_cast<char>(header.size());
  // 1.5, -2^-24 (subnormal), 65504 in half; -3.0 in bfloat16
  text += header + std::string("\x00\x3e\x01\x80\xff\x7b\x40\xc0", 8);
  const auto bytes = std::as_bytes(std::span(text));
  const StateDict state = from_safetensors({bytes.begin(), bytes.end()}, "x.safetensors");
  CHECK(state.tensors.at("h").doubles() == std::vector<double>{1.5, -0x1p-24, 65504});
  CHECK(state.tensors.at("b").doubles() == std::vector<double>{-3});
}

TEST_CASE("damaged and foreign files are named errors") {
  const test::ScratchDir folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    test::write_text(folder / name, text);
    return (folder / name).string();
  };
  CHECK(error_id([&] { read_state_dict(write("x.pt", "PK")); }) == 921);
  CHECK(error_id([&] { read_state_dict(write("y.pth", "no zip")); }) == 920);
  CHECK(error_id([&] { read_state_dict(write("a.safetensors", "short")); }) == 921);
  CHECK(error_id([&] { read_state_dict(write("b.safetensors", std::string(16, '\xff'))); }) == 921);
  const auto bytes = to_safetensors(sample());
  const std::string whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const std::size_t size : {std::size_t{7}, std::size_t{30}, whole.size() - 1})
    CHECK(error_id([&] { read_state_dict(write("c.safetensors", whole.substr(0, size))); }) == 921);
  CHECK(error_id([&] { read_state_dict(write("d.h5", "not HDF5")); }) == 150);
}

TEST_CASE("weights of another network are refused with what differs") {
  const Network resnet8 = make_network("resnet8", {}, 1);
  Network resnet14 = make_network("resnet14", {}, 1);
  Network other_classes = make_network("resnet8", {100, 3, 32, 32}, 1);
  const StateDict state = state_of(resnet8);
  for (Network* net : {&resnet14, &other_classes}) {
    bool refused = false;
    const at::Tensor before = net->layers[0]->weight.clone();
    try {
      load_state(*net, state, "weights.h5");
    } catch (const InputError& error) {
      refused = error.id() == 932;
      CHECK(std::string(error.what()).find("weights.h5") != std::string::npos);
    }
    CHECK(refused);
  }
  CHECK(error_id([] { make_network("resnet21", {}, 1); }) == 930);
  CHECK(error_id([] { make_network("lenet5", {10, 1, 30, 30}, 1); }) == 931);
}

TEST_CASE("every network runs forward and backward, and its state dict loads again") {
  set_training_threads(2);
  for (const auto& [name, purpose] : network_names()) {
    if (name.starts_with("vgg") && name != "vgg11-bn") continue;  // 0.5 GB each: the slow test
    CAPTURE(name);
    const bool lenet = name == "lenet5";
    const NetworkOptions options{7, lenet ? 1 : 3, 32, 32};
    Network net = make_network(std::string(name), options, 5);
    net.training = true;
    const at::Tensor y = forward(net, at::rand({2, options.channels, 32, 32}));
    REQUIRE(y.sizes() == at::IntArrayRef({2, 7}));
    y.sum().backward();
    for (const NamedTensor& p : parameters(net)) CHECK(p.tensor.grad().defined());
    const StateDict state = state_of(net);
    Network again = make_network(std::string(name), options, 6);
    load_state(again, state, "memory");
    CHECK((state_of(again).tensors.at(net.layers.back()->name + ".weight").bytes ==
           state.tensors.at(net.layers.back()->name + ".weight").bytes));
  }
}

TEST_CASE("parameter counts are the published ones") {
  // He et al. 2015, table 6 (0.27 M for ResNet-20, 0.46 M for 32, 0.66 M for 44, 0.85 M for 56);
  // torchvision's documentation for VGG-11-bn and MobileNetV2 with 1000 classes.
  const auto count = [](const char* name, const NetworkOptions& options) {
    std::int64_t total = 0;
    const Network net = make_network(name, options, 1);
    for (const NamedTensor& p : parameters(net)) total += p.tensor.numel();
    return total;
  };
  CHECK(count("resnet20", {}) == 269722);
  CHECK(count("resnet32", {}) == 464154);
  CHECK(count("resnet56", {}) == 853018);
  CHECK(count("mobilenetv2", {1000, 3, 224, 224}) == 3504872);
  CHECK(count("vgg11-bn", {1000, 3, 224, 224}) == 132868840);
}
