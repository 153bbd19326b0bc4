// Reads state dicts from TorchScript archives and from what torch.save() wrote, without running
// anything that is in them.
#include "train/data/torch_file.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>

#include "axmul/core/errors.hpp"
#include "train/data/float_formats.hpp"
#include "train/data/torch_archive.hpp"

namespace axmul::detail {
namespace {

using train::ArchivedTensor;
using train::BadArchive;
using train::Element;
using train::Pickle;
using train::PickleKind;
using train::PickleRef;
using train::PickleValue;
using train::TorchArchive;

constexpr const char* kSaveDict =
    "; in Python, write its tensors alone: torch.save(model.state_dict(), FILE)";
constexpr std::size_t kMostTensors = 100'000;

// Not what --weights can read, though it may be a sound file.
struct Unsuitable : BadArchive {
  using BadArchive::BadArchive;
};

template <class To, class From, class Convert>
StateTensor converted(const ArchivedTensor& t, const std::vector<std::byte>& bytes,
                      const Convert& convert) {
  std::vector<To> values(bytes.size() / sizeof(From));
  for (std::size_t i = 0; i < values.size(); ++i) {
    From from;
    std::memcpy(&from, bytes.data() + i * sizeof(From), sizeof(From));
    values[i] = convert(from);
  }
  return StateTensor::from(t.sizes, values);
}

template <class From>
StateTensor whole(const ArchivedTensor& t, const std::vector<std::byte>& bytes) {
  return converted<std::int64_t, From>(t, bytes, [](From v) { return std::int64_t{v}; });
}

StateTensor to_state(const ArchivedTensor& t, const std::vector<std::byte>& bytes,
                     const std::string& name) {
  switch (t.element) {
    case Element::f16:
      return converted<float, std::uint16_t>(t, bytes, half_to_float);
    case Element::bf16:
      return converted<float, std::uint16_t>(t, bytes, bfloat16_to_float);
    case Element::f32:
      return converted<float, float>(t, bytes, [](float v) { return v; });
    case Element::f64:
      return converted<double, double>(t, bytes, [](double v) { return v; });
    case Element::i8:
      return whole<std::int8_t>(t, bytes);
    case Element::u8:
      return whole<std::uint8_t>(t, bytes);
    case Element::i16:
      return whole<std::int16_t>(t, bytes);
    case Element::i32:
      return whole<std::int32_t>(t, bytes);
    case Element::i64:
      return whole<std::int64_t>(t, bytes);
    case Element::boolean:
      return converted<std::int64_t, std::uint8_t>(
          t, bytes, [](std::uint8_t v) { return std::int64_t{v != 0}; });
    case Element::other:
      break;
  }
  throw Unsuitable("tensor " + name + " is complex or quantised; weights are real numbers");
}

// The tensors found so far, which together stay in proportion to the file: many names may share
// one storage.
class Collector {
 public:
  explicit Collector(TorchArchive& archive)
      : archive_(archive), left_(8 * archive.zip().file_size() + (1 << 20)) {}

  void add(const std::string& name, const ArchivedTensor& tensor) {
    const auto count = static_cast<std::uint64_t>(tensor.elements());
    if (count > left_ || state_.tensors.size() == kMostTensors)
      throw BadArchive("holds more than " + std::to_string(kMostTensors) +
                       " tensors, or tensors many times its size (as expanded ones have)");
    left_ -= count;
    state_.tensors[name] = to_state(tensor, archive_.elements(tensor), name);
  }
  StateDict& state() { return state_; }

 private:
  TorchArchive& archive_;
  std::uint64_t left_;
  StateDict state_;
};

// --- torch.save() --------------------------------------------------------------------------------

// The tensors of a dict, or of the dict that lies under one of the usual names in it.
bool take_dict(const TorchArchive& archive, const Pickle& pickle, PickleRef ref,
               Collector& collector) {
  const PickleValue& dict = pickle.at(ref);
  if (dict.kind != PickleKind::dict) return false;
  std::map<std::string, ArchivedTensor> found;
  bool tensors = true;
  for (std::size_t i = 0; tensors && i < dict.items.size(); i += 2) {
    const PickleValue& key = pickle.item(dict, i);
    const auto tensor = archive.tensor(pickle, dict.items[i + 1], "data");
    tensors = key.kind == PickleKind::text && tensor.has_value();
    if (tensors) found[key.text] = *tensor;
  }
  if (tensors && !found.empty()) {
    for (const auto& [name, tensor] : found) collector.add(name, tensor);
    return true;
  }
  for (const char* name : {"state_dict", "model", "net", "model_state_dict"})
    for (std::size_t i = 0; i < dict.items.size(); i += 2) {
      const PickleValue& key = pickle.item(dict, i);
      if (key.kind == PickleKind::text && key.text == name)
        return take_dict(archive, pickle, dict.items[i + 1], collector);
    }
  return false;
}

void take_saved(TorchArchive& archive, Collector& collector) {
  const Pickle pickle = archive.pickle("data");
  if (take_dict(archive, pickle, pickle.root, collector)) return;
  const PickleValue& root = pickle.at(pickle.root);
  const bool object = root.kind == PickleKind::object || root.kind == PickleKind::call;
  throw Unsuitable(object ? "holds an object of class " + pickle.name_of(root) +
                                ", which only that class's own code could read"
                          : "holds no dict of tensors");
}

// --- TorchScript ---------------------------------------------------------------------------------

// What the text of a class says about its attributes; it is searched, not compiled.
struct ClassText {
  bool found = false, is_module = false, sets_state = false;
  std::optional<std::set<std::string>> parameters, buffers;

  bool is_state(const std::string& attribute) const {
    if (!parameters && !buffers) return true;
    return (parameters && parameters->contains(attribute)) ||
           (buffers && buffers->contains(attribute));
  }
};

// The texts between quotes in `__parameters__ = ["weight", "bias", ]`.
std::set<std::string> quoted(const std::string& line) {
  std::set<std::string> words;
  for (std::size_t at = line.find('"'); at != line.npos; at = line.find('"', at + 1)) {
    const auto end = line.find('"', at + 1);
    if (end == line.npos) break;
    words.insert(line.substr(at + 1, end - at - 1));
    at = end;
  }
  return words;
}

ClassText read_class(const std::string& text, const std::string& name) {
  ClassText result;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (!result.found) {
      result.found =
          line.starts_with("class " + name + "(") || line.starts_with("class " + name + ":");
      result.is_module = line.starts_with("class " + name + "(Module)");
      continue;
    }
    if (!line.empty() && line[0] != ' ') break;
    if (line.starts_with("  __parameters__ =")) result.parameters = quoted(line);
    if (line.starts_with("  __buffers__ =")) result.buffers = quoted(line);
    if (line.starts_with("  def __setstate__(")) result.sets_state = true;
  }
  return result;
}

class ModuleReader {
 public:
  ModuleReader(TorchArchive& archive, Collector& collector)
      : archive_(archive), collector_(collector), pickle_(archive.pickle("data")) {}

  void run() {
    if (pickle_.at(pickle_.root).kind != PickleKind::object)
      throw BadArchive("holds no module where TorchScript has one");
    take_module(pickle_.root, "");
  }

 private:
  const ClassText& class_of(const PickleValue& object) {
    const std::string& qualified = pickle_.name_of(object);
    const auto known = classes_.find(qualified);
    if (known != classes_.end()) return known->second;
    const auto space = qualified.find(' ');
    std::string record = "code/" + qualified.substr(0, space);
    std::replace(record.begin(), record.end(), '.', '/');
    record += ".py";
    ClassText text;
    if (archive_.zip().has(record))
      text = read_class(archive_.code(record), qualified.substr(space + 1));
    return classes_[qualified] = text;
  }

  void take_module(PickleRef ref, const std::string& prefix) {
    const PickleValue& object = pickle_.at(ref);
    const ClassText& text = class_of(object);
    if (text.found && !text.is_module) return;  // an object of another kind
    if (pickle_.name_of(object).starts_with("__torch__.torch.classes")) return;
    const PickleValue* state = object.items.size() == 2 ? &pickle_.item(object, 1) : nullptr;
    if (state == nullptr || state->kind != PickleKind::dict || text.sets_state)
      throw Unsuitable("module " + (prefix.empty() ? "" : prefix + " ") + "of class " +
                       pickle_.name_of(object) +
                       " is restored by its __setstate__, and weights are read without running "
                       "code");
    for (std::size_t i = 0; i < state->items.size(); i += 2) {
      const std::string& name = pickle_.item(*state, i).text;
      const PickleRef value = state->items[i + 1];
      const std::string path = prefix.empty() ? name : prefix + "." + name;
      if (pickle_.at(value).kind == PickleKind::object) {
        if (++modules_ > kMostTensors) throw BadArchive("holds too many modules");
        take_module(value, path);
      } else if (const auto tensor = archive_.tensor(pickle_, value, "data");
                 tensor && text.is_state(name)) {
        collector_.add(path, *tensor);
      }
    }
  }

  TorchArchive& archive_;
  Collector& collector_;
  Pickle pickle_;
  std::map<std::string, ClassText> classes_;
  std::size_t modules_ = 0;
};

void check_is_zip(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char start[2] = {};
  if (!file) throw InputError(920, {path}, "cannot be opened");
  file.read(start, 2);
  if (start[0] != 'P' || start[1] != 'K')
    throw InputError(920, {path},
                     "is no zip file, as PyTorch has written them since 1.6; "
                     "tools/state_dict_to_h5.py IN.pt OUT.h5 reads older ones, and runs no code "
                     "of theirs");
}

}  // namespace

StateDict read_torch_file(const std::string& path) {
  check_is_zip(path);
  try {
    TorchArchive archive(path);
    Collector collector(archive);
    if (archive.is_script())
      ModuleReader(archive, collector).run();
    else
      take_saved(archive, collector);
    return std::move(collector.state());
  } catch (const Unsuitable& error) {
    throw InputError(920, {path}, error.what() + std::string(kSaveDict));
  } catch (const BadArchive& error) {
    throw InputError(921, {path}, error.what());
  }
}

}  // namespace axmul::detail
