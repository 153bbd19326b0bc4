// Pickles written anew, from values alone.
#include <bit>
#include <map>

#include "train/data/pickle_data.hpp"

namespace axmul::train {
namespace {

class Writer {
 public:
  explicit Writer(const Pickle& pickle) : pickle_(pickle) {}

  std::vector<std::byte> run() {
    op(0x80);
    op(2);
    put(pickle_.root);
    op('.');
    return std::move(bytes_);
  }

 private:
  void op(int value) { bytes_.push_back(static_cast<std::byte>(value)); }
  void little(std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) op(static_cast<int>(value >> (8 * i) & 255));
  }
  void raw(const std::string& text) {
    for (const char c : text) bytes_.push_back(static_cast<std::byte>(c));
  }
  void name(const PickleValue& value) {
    const auto space = value.text.find(' ');
    if (value.text.find('\n') != value.text.npos) throw BadArchive("holds an unusable name");
    op('c');
    raw(value.text.substr(0, space) + "\n" + value.text.substr(space + 1) + "\n");
  }
  void all(const std::vector<PickleRef>& items) {
    for (const PickleRef item : items) put(item);
  }
  // Lists and the like are filled behind a mark.
  void fill(const PickleValue& value, int opcode) {
    if (value.items.empty()) return;
    op('(');
    all(value.items);
    op(opcode);
  }
  static bool is_shared_kind(PickleKind kind) {
    return kind == PickleKind::list || kind == PickleKind::dict || kind == PickleKind::call ||
           kind == PickleKind::object || kind == PickleKind::persistent;
  }

  void put(PickleRef ref) {
    if (const auto found = memo_.find(ref); found != memo_.end()) {
      op('j');
      little(found->second, 4);
      return;
    }
    put_new(pickle_.at(ref));
    if (!is_shared_kind(pickle_.at(ref).kind)) return;
    const auto id = static_cast<std::uint32_t>(memo_.size());
    memo_.emplace(ref, id);
    op('r');
    little(id, 4);
  }
  void put_new(const PickleValue& value);
  void put_container(const PickleValue& value);

  const Pickle& pickle_;
  std::vector<std::byte> bytes_;
  std::map<PickleRef, std::uint32_t> memo_;
};

void Writer::put_new(const PickleValue& value) {
  switch (value.kind) {
    case PickleKind::none:
      return op('N');
    case PickleKind::boolean:
      return op(value.integer != 0 ? 0x88 : 0x89);
    case PickleKind::integer:
      if (value.integer == static_cast<std::int32_t>(value.integer)) {
        op('J');
        return little(static_cast<std::uint32_t>(value.integer), 4);
      }
      op(0x8a);
      op(8);
      return little(static_cast<std::uint64_t>(value.integer), 8);
    case PickleKind::real: {
      op('G');
      const auto bits = std::bit_cast<std::uint64_t>(value.real);
      for (int i = 56; i >= 0; i -= 8) op(static_cast<int>(bits >> i & 255));
      return;
    }
    case PickleKind::text:
      op('X');
      little(value.text.size(), 4);
      return raw(value.text);
    case PickleKind::name:
      return name(value);
    case PickleKind::bytes:
    case PickleKind::other:
      throw BadArchive("holds values that TorchScript does not have");
    default:
      return put_container(value);
  }
}

void Writer::put_container(const PickleValue& value) {
  switch (value.kind) {
    case PickleKind::tuple:
      if (value.items.empty()) return op(')');
      if (value.items.size() > 3) op('(');
      all(value.items);
      return op(value.items.size() > 3 ? 't' : 0x84 + static_cast<int>(value.items.size()));
    case PickleKind::list:
      op(']');
      return fill(value, 'e');
    case PickleKind::dict:
      if (value.integer == 1) {
        if (!value.items.empty()) throw BadArchive("holds an OrderedDict with items");
        raw("ccollections\nOrderedDict\n)R");
        return;
      }
      op('}');
      return fill(value, 'u');
    case PickleKind::call:
      all(value.items);
      return op('R');
    case PickleKind::object:
      if (value.items.size() != 2) throw BadArchive("holds an object without state");
      put(value.items[0]);
      op(')');
      op(0x81);
      put(value.items[1]);
      return op('b');
    case PickleKind::persistent:
      put(value.items[0]);
      return op('Q');
    default:
      throw BadArchive("holds values that TorchScript does not have");
  }
}

}  // namespace

std::vector<std::byte> write_pickle(const Pickle& pickle) { return Writer(pickle).run(); }

}  // namespace axmul::train
