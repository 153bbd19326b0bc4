// The built-in networks, built from named layers and joined by small functions.
#include "axmul/train/network.hpp"

#include <algorithm>
#include <cmath>

#include "axmul/core/errors.hpp"
#include "axmul/core/philox.hpp"
#include "train/torch_types.hpp"

namespace axmul {
namespace {

using at::Tensor;
using Step = std::function<Tensor(Network&, const Tensor&)>;

Tensor normal_tensor(at::IntArrayRef sizes, double std, std::uint64_t seed, std::uint64_t stream) {
  Tensor tensor = at::empty(sizes, at::kFloat);
  fill_normal({tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())}, seed,
              (std::uint64_t{1} << 62) + stream);
  return tensor.mul_(std);
}

struct Conv {
  std::int64_t in, out, kernel = 1, stride = 1, padding = 0, groups = 1;
  bool bias = false;
};

MultiplyLayer* add_layer(Network& net, const std::string& name, const LayerGeometry& g, bool bias,
                         double gain_fan) {
  auto layer = std::make_unique<MultiplyLayer>();
  layer->name = name;
  layer->geometry = g;
  std::vector<std::int64_t> sizes = {g.out_channels, g.in_channels / g.groups};
  if (!g.linear) sizes.insert(sizes.end(), g.kernel.begin(), g.kernel.end());
  layer->weight = normal_tensor(sizes, std::sqrt(2.0 / gain_fan), net.seed, net.layers.size());
  layer->weight.set_requires_grad(true);
  if (bias) layer->bias = at::zeros({g.out_channels}).set_requires_grad(true);
  layer->noise_seed = net.seed;
  layer->noise_stream = static_cast<std::uint64_t>(net.layers.size()) << 40;
  net.layers.push_back(std::move(layer));
  return net.layers.back().get();
}

// Pointers to layers stay valid when the network is moved: they are held by unique_ptr.
MultiplyLayer* add_conv(Network& net, const std::string& name, const Conv& c) {
  LayerGeometry g;
  g.in_channels = c.in;
  g.out_channels = c.out;
  g.kernel = {c.kernel, c.kernel};
  g.stride = {c.stride, c.stride};
  g.padding = {c.padding, c.padding};
  g.groups = c.groups;
  const std::int64_t fan_out = c.out / c.groups * c.kernel * c.kernel;
  return add_layer(net, name, g, c.bias, static_cast<double>(fan_out));
}

MultiplyLayer* add_linear(Network& net, const std::string& name, std::int64_t in,
                          std::int64_t out) {
  LayerGeometry g;
  g.linear = true;
  g.in_channels = in;
  g.out_channels = out;
  return add_layer(net, name, g, true, static_cast<double>(in));
}

BatchNorm* add_norm(Network& net, const std::string& name, std::int64_t channels) {
  auto norm = std::make_unique<BatchNorm>();
  norm->name = name;
  norm->weight = at::ones({channels}).set_requires_grad(true);
  norm->bias = at::zeros({channels}).set_requires_grad(true);
  norm->running_mean = at::zeros({channels});
  norm->running_var = at::ones({channels});
  net.norms.push_back(std::move(norm));
  return net.norms.back().get();
}

Tensor apply_norm(const Network& net, BatchNorm& norm, const Tensor& x) {
  const bool train = net.training || norm.estimating;
  double momentum = norm.momentum;
  if (train) {
    ++norm.batches;
    if (norm.estimating) momentum = 1.0 / static_cast<double>(norm.batches);
  }
  return at::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_var, train,
                        momentum, norm.eps, false);
}

// Its own generator instead of at::dropout's, so that masks depend on (seed, step) only.
Tensor dropout(Network& net, const Tensor& x, double p, std::uint64_t place) {
  if (!net.training) return x;
  Tensor mask = at::empty(x.sizes(), at::kFloat);
  Philox random(net.seed + 1, net.step * 16 + place);
  float* to = mask.data_ptr<float>();
  for (std::int64_t i = 0; i < mask.numel(); ++i)
    to[i] = random.next_u32() * 0x1.0p-32 < p ? 0.0f : static_cast<float>(1 / (1 - p));
  return x * mask.to(x.device());
}

Step in_sequence(std::vector<Step> steps) {
  return [steps = std::move(steps)](Network& net, const Tensor& x) {
    Tensor y = x;
    for (const Step& step : steps) y = step(net, y);
    return y;
  };
}

Step multiply(MultiplyLayer* layer) {
  return [layer](Network&, const Tensor& x) { return forward(*layer, x); };
}

enum class Activation : std::uint8_t { none, relu, relu6 };

// Evaluation of a layer on integers takes norm, addition and activation along in one pass.
Tensor conv_norm_fused(MultiplyLayer& conv, const BatchNorm& norm, Activation activation,
                       const Tensor& x, const Tensor& add) {
  Epilogue epilogue;
  const auto list = [](const Tensor& t) {
    const Tensor dense = t.detach().to(at::kCPU).to(at::kDouble).contiguous();
    return std::vector<double>(dense.data_ptr<double>(), dense.data_ptr<double>() + dense.numel());
  };
  epilogue.mean = list(norm.running_mean);
  epilogue.scale = list(norm.weight);
  epilogue.shift = list(norm.bias);
  const std::vector<double> variance = list(norm.running_var);
  for (std::size_t m = 0; m < variance.size(); ++m)
    epilogue.scale[m] /= std::sqrt(variance[m] + norm.eps);
  epilogue.add = add;
  if (activation != Activation::none) epilogue.low = 0;
  if (activation == Activation::relu6) epilogue.high = 6;
  return forward(conv, x, epilogue);
}

// act(norm(conv(x)) + add); add may be undefined.
Tensor conv_norm(Network& net, MultiplyLayer& conv, BatchNorm& norm, Activation activation,
                 const Tensor& x, const Tensor& add = {}) {
  if (conv.mode != LayerMode::float32 && !at::GradMode::is_enabled() && !net.training &&
      !norm.estimating)
    return conv_norm_fused(conv, norm, activation, x, add);
  Tensor y = apply_norm(net, norm, forward(conv, x));
  if (add.defined()) y = y + add;
  // Not in place: batch_norm's backward does not need y, but a quantised layer keeps its input.
  if (activation == Activation::relu) y = at::relu(y);
  if (activation == Activation::relu6) y = at::clamp(y, 0, 6);
  return y;
}

Step conv_norm(MultiplyLayer* conv, BatchNorm* norm, Activation activation) {
  norm->after = conv;
  return [=](Network& net, const Tensor& x) { return conv_norm(net, *conv, *norm, activation, x); };
}

[[noreturn]] void wrong_size(const Network& net, const std::string& takes) {
  const NetworkOptions& o = net.options;
  throw InputError(931, net.architecture + " takes " + takes + ", not " +
                            std::to_string(o.channels) + " x " + std::to_string(o.height) + " x " +
                            std::to_string(o.width));
}

// LeNet-5 (LeCun et al. 1998) with ReLU and max pooling, as PyTorch's tutorials write it.
void build_lenet5(Network& net) {
  const NetworkOptions& o = net.options;
  if (o.height != o.width || (o.height != 28 && o.height != 32))
    wrong_size(net, "images of 28 x 28 or 32 x 32 pixels");
  auto* conv1 = add_conv(net, "conv1", {o.channels, 6, 5, 1, o.height == 28 ? 2 : 0, 1, true});
  auto* conv2 = add_conv(net, "conv2", {6, 16, 5, 1, 0, 1, true});
  auto* fc1 = add_linear(net, "fc1", 400, 120);
  auto* fc2 = add_linear(net, "fc2", 120, 84);
  auto* fc3 = add_linear(net, "fc3", 84, o.classes);
  net.body = [=](Network&, const Tensor& x) {
    Tensor y = at::max_pool2d(at::relu(forward(*conv1, x)), {2, 2});
    y = at::max_pool2d(at::relu(forward(*conv2, y)), {2, 2});
    y = at::relu(forward(*fc1, y.contiguous().flatten(1)));
    return forward(*fc3, at::relu(forward(*fc2, y)));
  };
}

// Shortcut "A" of He et al. 2015: every second pixel, new channels zero on both sides.
Tensor shortcut_a(const Tensor& x, std::int64_t out) {
  const std::int64_t add = (out - x.size(1)) / 2;
  return at::constant_pad_nd(x.slice(2, 0, x.size(2), 2).slice(3, 0, x.size(3), 2),
                             {0, 0, 0, 0, add, add});
}

Step basic_block(Network& net, const std::string& name, std::int64_t in, std::int64_t out,
                 std::int64_t stride) {
  auto* conv1 = add_conv(net, name + ".conv1", {in, out, 3, stride, 1});
  auto* norm1 = add_norm(net, name + ".bn1", out);
  auto* conv2 = add_conv(net, name + ".conv2", {out, out, 3, 1, 1});
  auto* norm2 = add_norm(net, name + ".bn2", out);
  const Step first = conv_norm(conv1, norm1, Activation::relu);
  norm2->after = conv2;
  return [=](Network& n, const Tensor& x) {
    return conv_norm(n, *conv2, *norm2, Activation::relu, first(n, x),
                     stride == 1 && in == out ? x : shortcut_a(x, out));
  };
}

// ResNet for CIFAR with 6n+2 layers (He et al. 2015); names as akamaster/pytorch_resnet_cifar10.
void build_resnet(Network& net, int depth) {
  if (net.options.height < 8 || net.options.width < 8)
    wrong_size(net, "images of at least 8 x 8 pixels");
  const int blocks = (depth - 2) / 6;
  std::vector<Step> steps = {conv_norm(add_conv(net, "conv1", {net.options.channels, 16, 3, 1, 1}),
                                       add_norm(net, "bn1", 16), Activation::relu)};
  std::int64_t in = 16;
  for (int stage = 0; stage < 3; ++stage)
    for (int i = 0; i < blocks; ++i) {
      const std::int64_t out = std::int64_t{16} << stage;
      steps.push_back(basic_block(net,
                                  "layer" + std::to_string(stage + 1) + "." + std::to_string(i), in,
                                  out, stage > 0 && i == 0 ? 2 : 1));
      in = out;
    }
  steps.push_back([](Network&, const Tensor& x) { return x.mean({2, 3}); });
  steps.push_back(multiply(add_linear(net, "linear", 64, net.options.classes)));
  net.body = in_sequence(std::move(steps));
}

// VGG with batch norm (Simonyan, Zisserman 2015), layers and names as torchvision's vggNN_bn.
void build_vgg(Network& net, int depth) {
  if (net.options.height < 32 || net.options.width < 32)
    wrong_size(net, "images of at least 32 x 32 pixels");
  const int repeats[5] = {depth == 11 ? 1 : 2, depth == 11 ? 1 : 2,
                          depth == 19   ? 4
                          : depth == 16 ? 3
                                        : 2,
                          depth == 19   ? 4
                          : depth == 16 ? 3
                                        : 2,
                          depth == 19   ? 4
                          : depth == 16 ? 3
                                        : 2};
  std::vector<Step> steps;
  std::int64_t in = net.options.channels;
  int index = 0;  // position in torchvision's Sequential: conv, norm, relu, …, pool
  for (int stage = 0; stage < 5; ++stage) {
    const std::int64_t out = std::min<std::int64_t>(64 << stage, 512);
    for (int i = 0; i < repeats[stage]; ++i, index += 3, in = out) {
      const std::string name = "features." + std::to_string(index);
      auto* conv = add_conv(net, name, {in, out, 3, 1, 1, 1, true});
      auto* norm = add_norm(net, "features." + std::to_string(index + 1), out);
      steps.push_back(conv_norm(conv, norm, Activation::relu));
    }
    ++index;
    steps.push_back([](Network&, const Tensor& x) { return at::max_pool2d(x, {2, 2}); });
  }
  auto* fc1 = add_linear(net, "classifier.0", 512 * 49, 4096);
  auto* fc2 = add_linear(net, "classifier.3", 4096, 4096);
  auto* fc3 = add_linear(net, "classifier.6", 4096, net.options.classes);
  steps.push_back([=](Network& n, const Tensor& x) {
    const Tensor pooled = at::adaptive_avg_pool2d(x, {7, 7}).contiguous().flatten(1);
    const Tensor y = dropout(n, at::relu(forward(*fc1, pooled)), 0.5, 0);
    return forward(*fc3, dropout(n, at::relu(forward(*fc2, y)), 0.5, 1));
  });
  net.body = in_sequence(std::move(steps));
}

Step inverted_residual(Network& net, const std::string& name, std::int64_t in, std::int64_t out,
                       std::int64_t stride, std::int64_t expand) {
  const std::int64_t hidden = in * expand;
  std::vector<Step> steps;
  int index = 0;
  const auto conv_name = [&] { return name + ".conv." + std::to_string(index); };
  if (expand != 1) {
    auto* conv = add_conv(net, conv_name() + ".0", {in, hidden});
    steps.push_back(conv_norm(conv, add_norm(net, conv_name() + ".1", hidden), Activation::relu6));
    ++index;
  }
  auto* depthwise = add_conv(net, conv_name() + ".0", {hidden, hidden, 3, stride, 1, hidden});
  steps.push_back(
      conv_norm(depthwise, add_norm(net, conv_name() + ".1", hidden), Activation::relu6));
  ++index;
  auto* project = add_conv(net, conv_name(), {hidden, out});
  auto* norm = add_norm(net, name + ".conv." + std::to_string(index + 1), out);
  norm->after = project;
  const Step inner = in_sequence(std::move(steps));
  const bool residual = stride == 1 && in == out;
  return [=](Network& n, const Tensor& x) {
    return conv_norm(n, *project, *norm, Activation::none, inner(n, x), residual ? x : Tensor());
  };
}

// MobileNetV2 (Sandler et al. 2018), names as torchvision's. Images below 96 pixels keep stride 1
// in the stem and in the second stage, as is usual for CIFAR.
void build_mobilenetv2(Network& net) {
  const NetworkOptions& o = net.options;
  if (o.height < 16 || o.width < 16) wrong_size(net, "images of at least 16 x 16 pixels");
  const bool small = o.height < 96;
  struct Stage {
    std::int64_t expand, out, repeats, stride;
  };
  const Stage stages[] = {{1, 16, 1, 1}, {6, 24, 2, small ? 1 : 2},
                          {6, 32, 3, 2}, {6, 64, 4, 2},
                          {6, 96, 3, 1}, {6, 160, 3, 2},
                          {6, 320, 1, 1}};
  auto* stem = add_conv(net, "features.0.0", {o.channels, 32, 3, small ? 1 : 2, 1});
  std::vector<Step> steps = {conv_norm(stem, add_norm(net, "features.0.1", 32), Activation::relu6)};
  std::int64_t in = 32;
  int index = 1;
  for (const Stage& stage : stages)
    for (std::int64_t i = 0; i < stage.repeats; ++i, ++index, in = stage.out)
      steps.push_back(inverted_residual(net, "features." + std::to_string(index), in, stage.out,
                                        i == 0 ? stage.stride : 1, stage.expand));
  const std::string last = "features." + std::to_string(index);
  auto* conv = add_conv(net, last + ".0", {in, 1280});
  steps.push_back(conv_norm(conv, add_norm(net, last + ".1", 1280), Activation::relu6));
  auto* classifier = add_linear(net, "classifier.1", 1280, o.classes);
  steps.push_back([=](Network& n, const Tensor& x) {
    return forward(*classifier, dropout(n, x.mean({2, 3}), 0.2, 0));
  });
  net.body = in_sequence(std::move(steps));
}

constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"lenet5", "LeNet-5, images of 28 or 32 pixels"},
    {"resnet8", "ResNet for CIFAR, option-A shortcuts"},
    {"resnet14", "ResNet for CIFAR, option-A shortcuts"},
    {"resnet20", "ResNet for CIFAR, option-A shortcuts"},
    {"resnet32", "ResNet for CIFAR, option-A shortcuts"},
    {"resnet44", "ResNet for CIFAR, option-A shortcuts"},
    {"resnet56", "ResNet for CIFAR, option-A shortcuts"},
    {"vgg11-bn", "VGG with batch norm, torchvision's layers"},
    {"vgg13-bn", "VGG with batch norm, torchvision's layers"},
    {"vgg16-bn", "VGG with batch norm, torchvision's layers"},
    {"vgg19-bn", "VGG with batch norm, torchvision's layers"},
    {"mobilenetv2", "MobileNetV2, torchvision's layers"}};

StateTensor to_state(const Tensor& tensor) {
  if (!tensor.is_floating_point()) {
    const Tensor integers = tensor.detach().to(at::kCPU).to(at::kLong).contiguous();
    const auto* from = integers.data_ptr<std::int64_t>();
    return StateTensor::from(integers.sizes().vec(),
                             std::vector<std::int64_t>(from, from + integers.numel()));
  }
  if (tensor.scalar_type() == at::kDouble) {
    const Tensor dense = tensor.detach().to(at::kCPU).contiguous();
    const auto* from = dense.data_ptr<double>();
    return StateTensor::from(dense.sizes().vec(), std::vector<double>(from, from + dense.numel()));
  }
  const Tensor dense = tensor.detach().to(at::kCPU).to(at::kFloat).contiguous();
  const float* from = dense.data_ptr<float>();
  return StateTensor::from(dense.sizes().vec(), std::vector<float>(from, from + dense.numel()));
}

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

// Names and tensors that PyTorch's state_dict would have, but num_batches_tracked.
std::vector<NamedTensor> pytorch_tensors(const Network& net) {
  std::vector<NamedTensor> tensors = parameters(net);
  tensors.insert(tensors.end(), net.own_buffers.begin(), net.own_buffers.end());
  for (const auto& norm : net.norms) {
    tensors.push_back({norm->name + ".running_mean", norm->running_mean});
    tensors.push_back({norm->name + ".running_var", norm->running_var});
  }
  return tensors;
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

// Takes over the tensors that PyTorch knows; returns a list of complaints.
std::vector<std::string> load_tensors(Network& net, const StateDict& state) {
  std::vector<std::string> complaints;
  for (NamedTensor& own : pytorch_tensors(net)) {
    const auto found = state.tensors.find(own.name);
    if (found == state.tensors.end()) {
      complaints.push_back(own.name + " is missing");
    } else if (found->second.shape != own.tensor.sizes().vec()) {
      complaints.push_back(own.name + " is " + shape_text(found->second.shape) + ", not " +
                           shape_text(own.tensor.sizes()));
    } else if (complaints.empty()) {
      const std::vector<double> values = found->second.doubles();
      if (!all_finite(values)) {
        complaints.push_back(own.name + " has values that are not finite");
        continue;
      }
      const Tensor fresh =
          at::tensor(values, at::kDouble).view(own.tensor.sizes()).to(own.tensor.scalar_type());
      const at::NoGradGuard guard;
      own.tensor.copy_(fresh);
    }
  }
  return complaints;
}

// What the state has beside PyTorch's tensors; returns what cannot be.
std::vector<std::string> check_extras(const Network& net, const StateDict& state) {
  std::vector<std::string> complaints;
  const auto check = [&](const std::string& name, std::size_t count, const auto& sensible,
                         const char* wanted) {
    const auto it = state.tensors.find(name);
    if (it == state.tensors.end()) return;
    if (it->second.elements() != count) {
      complaints.push_back(name + " has " + std::to_string(it->second.elements()) +
                           " values, not " + std::to_string(count));
    } else if (const auto values = it->second.doubles(); !all_finite(values) || !sensible(values)) {
      complaints.push_back(name + " is not " + wanted);
    }
  };
  using Values = std::vector<double>;
  const auto any = [](const Values&) { return true; };
  for (const auto& norm : net.norms)
    check(
        norm->name + ".num_batches_tracked", 1,
        [](const Values& v) { return v[0] >= 0 && v[0] < 9e15; }, "a number of batches");
  for (const auto& layer : net.layers) {
    check(
        layer->name + ".a_range", 2, [](const Values& v) { return v[0] <= v[1]; },
        "a range, least and largest activation");
    check(layer->name + ".mean_acc", static_cast<std::size_t>(layer->geometry.out_channels), any,
          "finite, one mean for each output channel");
    check(layer->name + ".sigma_l", 1, any, "a finite noise level");
  }
  return complaints;
}

bool is_known(const Network& net, const std::string& name) {
  for (const NamedTensor& own : pytorch_tensors(net))
    if (own.name == name) return true;
  for (const auto& norm : net.norms)
    if (name == norm->name + ".num_batches_tracked") return true;
  for (const auto& layer : net.layers)
    for (const char* extra : {".a_range", ".mean_acc", ".sigma_l"})
      if (name == layer->name + extra) return true;
  return false;
}

void load_extras(Network& net, const StateDict& state) {
  for (const auto& norm : net.norms)
    if (const auto it = state.tensors.find(norm->name + ".num_batches_tracked");
        it != state.tensors.end())
      norm->batches = static_cast<std::int64_t>(it->second.doubles()[0]);
  for (const auto& layer : net.layers) {
    if (const auto it = state.tensors.find(layer->name + ".a_range"); it != state.tensors.end()) {
      const auto range = it->second.doubles();
      layer->observer.min = range[0];
      layer->observer.max = range[1];
      layer->observer.seen = true;
    }
    if (const auto it = state.tensors.find(layer->name + ".mean_acc"); it != state.tensors.end()) {
      layer->mean_acc = it->second.doubles();
      if (const auto of = state.metadata.find(layer->name + ".mean_acc_of");
          of != state.metadata.end())
        layer->mean_acc_of = of->second;
    }
    if (const auto it = state.tensors.find(layer->name + ".sigma_l"); it != state.tensors.end())
      set_noise_level(*layer, it->second.doubles().at(0));
  }
}

}  // namespace

std::span<const std::pair<std::string_view, std::string_view>> network_names() { return kNames; }

Network make_network(const std::string& architecture, const NetworkOptions& options,
                     std::uint64_t seed) {
  Network net;
  net.architecture = architecture;
  net.options = options;
  net.seed = seed;
  const auto known = std::find_if(std::begin(kNames), std::end(kNames),
                                  [&](const auto& entry) { return entry.first == architecture; });
  if (known == std::end(kNames)) {
    std::string list;
    for (const auto& [name, purpose] : kNames)
      list += (list.empty() ? "" : ", ") + std::string(name);
    throw UsageError(930, "unknown network \"" + architecture + "\"; one of " + list);
  }
  if (architecture == "lenet5")
    build_lenet5(net);
  else if (architecture.starts_with("resnet"))
    build_resnet(net, std::stoi(architecture.substr(6)));
  else if (architecture.starts_with("vgg"))
    build_vgg(net, std::stoi(architecture.substr(3)));
  else if (architecture == "mobilenetv2")
    build_mobilenetv2(net);
  else
    throw InternalError("make_network: nothing builds " + architecture);
  return net;
}

at::Tensor forward(Network& network, const at::Tensor& images) {
  return network.body(network, images);
}

std::vector<NamedTensor> parameters(const Network& network) {
  if (network.script) return network.own_parameters;
  std::vector<NamedTensor> list;
  for (const auto& layer : network.layers) {
    list.push_back({layer->name + ".weight", layer->weight});
    if (layer->bias.defined()) list.push_back({layer->name + ".bias", layer->bias});
  }
  for (const auto& norm : network.norms) {
    list.push_back({norm->name + ".weight", norm->weight});
    list.push_back({norm->name + ".bias", norm->bias});
  }
  return list;
}

StateDict state_of(const Network& network) {
  StateDict state;
  for (const NamedTensor& own : pytorch_tensors(network))
    state.tensors[own.name] = to_state(own.tensor);
  for (const auto& norm : network.norms)
    state.tensors[norm->name + ".num_batches_tracked"] =
        StateTensor::from({}, std::vector<std::int64_t>{norm->batches});
  for (const auto& layer : network.layers) {
    if (layer->observer.seen)
      state.tensors[layer->name + ".a_range"] =
          StateTensor::from({2}, std::vector<double>{layer->observer.min, layer->observer.max});
    if (!layer->mean_acc.empty()) {
      state.tensors[layer->name + ".mean_acc"] =
          StateTensor::from({static_cast<std::int64_t>(layer->mean_acc.size())}, layer->mean_acc);
      if (!layer->mean_acc_of.empty())
        state.metadata[layer->name + ".mean_acc_of"] = layer->mean_acc_of;
    }
    if (layer->sigma_l.defined())
      state.tensors[layer->name + ".sigma_l"] =
          StateTensor::from({}, std::vector<double>{layer->sigma_l.item<double>()});
  }
  state.metadata["arch"] = network.architecture;
  return state;
}

void load_state(Network& network, const StateDict& state, const std::string& path) {
  std::vector<std::string> complaints = load_tensors(network, state);
  for (const auto& [name, tensor] : state.tensors)
    if (!is_known(network, name)) complaints.push_back(name + " has no place in the network");
  for (std::string& complaint : check_extras(network, state))
    complaints.push_back(std::move(complaint));
  if (!complaints.empty()) {
    constexpr std::size_t kShown = 4;
    std::string list;
    for (std::size_t i = 0; i < std::min(kShown, complaints.size()); ++i)
      list += (i == 0 ? "" : "; ") + complaints[i];
    if (complaints.size() > kShown)
      list += "; and " + std::to_string(complaints.size() - kShown) + " more";
    const auto arch = state.metadata.find("arch");
    throw InputError(
        932, {path},
        "does not hold weights of " + network.architecture + " with " +
            std::to_string(network.options.classes) + " classes" +
            (arch == state.metadata.end() ? "" : " (it says arch " + arch->second + ")") + ": " +
            list);
  }
  load_extras(network, state);
}

int classes_of(const StateDict& state) {
  for (const char* name :
       {"linear.weight", "fc3.weight", "classifier.6.weight", "classifier.1.weight", "fc.weight"})
    if (const auto it = state.tensors.find(name);
        it != state.tensors.end() && it->second.shape.size() == 2)
      return static_cast<int>(it->second.shape[0]);
  return 0;
}

MultiplyLayer* find_layer(Network& network, std::string_view name) {
  for (const auto& layer : network.layers)
    if (layer->name == name) return layer.get();
  return nullptr;
}

void set_mode(Network& network, LayerMode mode) {
  for (const auto& layer : network.layers) layer->mode = mode;
}

}  // namespace axmul
