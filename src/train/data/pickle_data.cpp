// The pickle machine (Python's pickletools describes its opcodes) on a stack of plain values.
#include "train/data/pickle_data.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace axmul::train {
namespace {

[[noreturn]] void broken(const std::string& why) {
  throw BadArchive("its pickle is damaged: " + why);
}

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  Pickle run() {
    if (byte() != 0x80) throw BadArchive("holds no pickle of protocol 2 or later");
    if (const int protocol = byte(); protocol < 2 || protocol > 5)
      throw BadArchive("holds a pickle of protocol " + std::to_string(protocol) +
                       "; 2 to 5 are read");
    while (step(byte())) {
    }
    if (stack_.size() != 1 || !marks_.empty()) broken("it ends with values left over");
    pickle_.root = stack_.front();
    check_depth();
    return std::move(pickle_);
  }

 private:
  // --- bytes -------------------------------------------------------------------------------------
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > bytes_.size() - at_) broken("it is cut short");
    const auto part = bytes_.subspan(at_, count);
    at_ += count;
    return part;
  }
  std::uint8_t byte() { return std::to_integer<std::uint8_t>(take(1)[0]); }
  std::uint64_t little(std::size_t width) {
    std::uint64_t value = 0;
    const auto part = take(width);
    for (std::size_t i = width; i > 0; --i)
      value = value << 8 | std::to_integer<std::uint64_t>(part[i - 1]);
    return value;
  }
  std::string text(std::uint64_t size) {
    const auto part = take(size);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  std::string line() {
    const auto rest = bytes_.subspan(at_);
    const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
    if (end == rest.end()) broken("it is cut short");
    std::string word = text(static_cast<std::uint64_t>(end - rest.begin()));
    ++at_;
    return word;
  }

  // --- values ------------------------------------------------------------------------------------
  PickleRef make(PickleValue value) {
    if (pickle_.values.size() == Pickle::kMostValues)
      throw BadArchive("its pickle holds more than " + std::to_string(Pickle::kMostValues) +
                       " values");
    pickle_.values.push_back(std::move(value));
    return static_cast<PickleRef>(pickle_.values.size() - 1);
  }
  void push(PickleValue value) { stack_.push_back(make(std::move(value))); }
  void push_integer(std::int64_t value, PickleKind kind = PickleKind::integer) {
    push({kind, value, 0, {}, {}});
  }
  void push_text(std::uint64_t size, PickleKind kind = PickleKind::text) {
    push({kind, 0, 0, text(size), {}});
  }
  // Nothing below the last mark may be taken.
  PickleRef pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) broken("it takes what is not there");
    const PickleRef ref = stack_.back();
    stack_.pop_back();
    return ref;
  }
  std::vector<PickleRef> pop_to_mark() {
    if (marks_.empty()) broken("a mark is missing");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleRef> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  PickleValue& top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) broken("it takes what is not there");
    return pickle_.values[stack_.back()];
  }
  void push_tuple(std::size_t size) {
    std::vector<PickleRef> items(size);
    for (std::size_t i = size; i > 0; --i) items[i - 1] = pop();
    push({PickleKind::tuple, 0, 0, {}, std::move(items)});
  }
  void append(const std::vector<PickleRef>& items, PickleKind wanted) {
    PickleValue& value = top();
    if (value.kind == wanted) {
      if (wanted == PickleKind::dict && items.size() % 2 != 0) broken("a key has no value");
      value.items.insert(value.items.end(), items.begin(), items.end());
    } else if (value.kind != PickleKind::call && value.kind != PickleKind::object &&
               value.kind != PickleKind::other) {  // those may be containers of Python's
      broken("items are added to what is no container");
    }
  }

  void push_call(PickleKind kind) {
    const PickleRef arguments = pop(), callee = pop();
    const PickleValue& name = pickle_.values[callee];
    if (pickle_.values[arguments].kind != PickleKind::tuple) broken("arguments are no tuple");
    if (name.kind != PickleKind::name) {  // the outcome of a call is called
      push({PickleKind::other, 0, 0, {}, {}});
      return;
    }
    if (kind == PickleKind::call && name.text == "collections OrderedDict" &&
        pickle_.values[arguments].items.empty()) {
      push({PickleKind::dict, 1, 0, {}, {}});
      return;
    }
    push({kind,
          0,
          0,
          {},
          kind == PickleKind::object ? std::vector{callee} : std::vector{callee, arguments}});
  }
  void set_state() {
    const PickleRef state = pop();
    PickleValue& value = top();
    if (value.kind == PickleKind::object) {
      if (value.items.size() != 1) broken("an object is built twice");
      value.items.push_back(state);
    } else if (value.kind != PickleKind::call && value.kind != PickleKind::dict &&
               value.kind != PickleKind::other) {  // a dict's attributes say nothing of its items
      broken("a state is given to what has none");
    }
  }

  void remember(std::uint64_t id) {
    if (id > Pickle::kMostValues) broken("a memo index is too large");
    top();
    if (id >= memo_.size()) memo_.resize(id + 1, kNothing);
    memo_[id] = stack_.back();
  }
  void recall(std::uint64_t id) {
    if (id >= memo_.size() || memo_[id] == kNothing) broken("it recalls what it never stored");
    if (stack_.size() >= Pickle::kMostValues) broken("it recalls too much");
    stack_.push_back(memo_[id]);
  }

  bool step(std::uint8_t opcode);
  bool step_numbers(std::uint8_t opcode);
  bool step_texts(std::uint8_t opcode);
  bool step_containers(std::uint8_t opcode);
  void push_long(std::uint64_t size);
  void check_depth() const;

  static constexpr PickleRef kNothing = std::numeric_limits<PickleRef>::max();
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  Pickle pickle_;
  std::vector<PickleRef> stack_, memo_;
  std::vector<std::size_t> marks_;
};

void Reader::push_long(std::uint64_t size) {
  if (size > 8) {  // larger than any number that is asked for
    take(size);
    push({PickleKind::other, 0, 0, {}, {}});
    return;
  }
  std::uint64_t value = size == 0 ? 0 : little(size);
  if (size > 0 && size < 8 && (value >> (8 * size - 1) & 1) != 0)
    value |= ~std::uint64_t{0} << (8 * size);
  push_integer(static_cast<std::int64_t>(value));
}

bool Reader::step_numbers(std::uint8_t opcode) {
  switch (opcode) {
    case 'N':
      push({});
      return true;
    case 0x88:
      push_integer(1, PickleKind::boolean);
      return true;
    case 0x89:
      push_integer(0, PickleKind::boolean);
      return true;
    case 'K':
      push_integer(byte());
      return true;
    case 'M':
      push_integer(static_cast<std::int64_t>(little(2)));
      return true;
    case 'J':
      push_integer(static_cast<std::int32_t>(static_cast<std::uint32_t>(little(4))));
      return true;
    case 0x8a:
      push_long(byte());
      return true;
    case 0x8b:
      push_long(little(4));
      return true;
    case 'G': {
      std::uint64_t bits = 0;
      for (int i = 0; i < 8; ++i) bits = bits << 8 | byte();
      push({PickleKind::real, 0, std::bit_cast<double>(bits), {}, {}});
      return true;
    }
    default:
      return false;
  }
}

bool Reader::step_texts(std::uint8_t opcode) {
  switch (opcode) {
    case 'X':
      push_text(little(4));
      return true;
    case 0x8c:
      push_text(byte());
      return true;
    case 0x8d:
      push_text(little(8));
      return true;
    case 'U':
      push_text(byte());
      return true;
    case 'T':
      push_text(little(4));
      return true;
    case 'B':
      push_text(little(4), PickleKind::bytes);
      return true;
    case 'C':
      push_text(byte(), PickleKind::bytes);
      return true;
    case 0x8e:
      push_text(little(8), PickleKind::bytes);
      return true;
    case 0x96:
      push_text(little(8), PickleKind::bytes);
      return true;
    case 'c': {
      const std::string module = line();
      push({PickleKind::name, 0, 0, module + " " + line(), {}});
      return true;
    }
    case 0x93: {
      const PickleRef name = pop(), module = pop();
      if (pickle_.at(name).kind != PickleKind::text || pickle_.at(module).kind != PickleKind::text)
        broken("a name is no text");
      push({PickleKind::name, 0, 0, pickle_.at(module).text + " " + pickle_.at(name).text, {}});
      return true;
    }
    default:
      return false;
  }
}

bool Reader::step_containers(std::uint8_t opcode) {
  switch (opcode) {
    case '(':
      marks_.push_back(stack_.size());
      return true;
    case ')':
      push_tuple(0);
      return true;
    case 0x85:
      push_tuple(1);
      return true;
    case 0x86:
      push_tuple(2);
      return true;
    case 0x87:
      push_tuple(3);
      return true;
    case 't':
      push({PickleKind::tuple, 0, 0, {}, pop_to_mark()});
      return true;
    case ']':
      push({PickleKind::list, 0, 0, {}, {}});
      return true;
    case 'l':
      push({PickleKind::list, 0, 0, {}, pop_to_mark()});
      return true;
    case '}':
      push({PickleKind::dict, 0, 0, {}, {}});
      return true;
    case 'd': {
      auto items = pop_to_mark();
      push({PickleKind::dict, 0, 0, {}, {}});
      append(items, PickleKind::dict);
      return true;
    }
    case 'a':
      append({pop()}, PickleKind::list);
      return true;
    case 'e':
      append(pop_to_mark(), PickleKind::list);
      return true;
    case 's': {
      const PickleRef value = pop(), key = pop();
      append({key, value}, PickleKind::dict);
      return true;
    }
    case 'u':
      append(pop_to_mark(), PickleKind::dict);
      return true;
    case 0x8f:
      push({PickleKind::other, 0, 0, {}, {}});
      return true;
    case 0x90:
      append(pop_to_mark(), PickleKind::other);
      return true;
    case 0x91:
      pop_to_mark();
      push({PickleKind::other, 0, 0, {}, {}});
      return true;
    default:
      return false;
  }
}

// One opcode; false: the pickle ends.
bool Reader::step(std::uint8_t opcode) {
  if (opcode == '.') return false;
  if (step_numbers(opcode) || step_texts(opcode) || step_containers(opcode)) return true;
  switch (opcode) {
    case 0x95:
      little(8);
      break;  // FRAME
    case '0':
      pop();
      break;
    case '1':
      pop_to_mark();
      break;
    case '2':
      top();
      stack_.push_back(stack_.back());
      break;
    case 'q':
      remember(byte());
      break;
    case 'r':
      remember(little(4));
      break;
    case 0x94:
      remember(memo_.size());
      break;
    case 'h':
      recall(byte());
      break;
    case 'j':
      recall(little(4));
      break;
    case 'Q':
      push({PickleKind::persistent, 0, 0, {}, {pop()}});
      break;
    case 'R':
      push_call(PickleKind::call);
      break;
    case 0x81:
      push_call(PickleKind::object);
      break;
    case 0x92:
      pop();
      push_call(PickleKind::object);
      break;  // keyword arguments
    case 'b':
      set_state();
      break;
    default:
      broken("opcode " + std::to_string(opcode) + " is none that PyTorch writes");
  }
  return true;
}

// Walks from the root without recursion; what contains itself is deeper than any limit.
void Reader::check_depth() const {
  enum : std::uint8_t { kNew, kOpen, kDone };
  struct Open {
    PickleRef ref;
    std::size_t next;
  };
  std::vector<std::uint8_t> state(pickle_.values.size(), kNew);
  std::vector<std::uint32_t> height(pickle_.values.size(), 1);
  std::vector<Open> path = {{pickle_.root, 0}};
  state[pickle_.root] = kOpen;
  while (!path.empty()) {
    auto& [ref, next] = path.back();
    const auto& items = pickle_.values[ref].items;
    if (next == items.size()) {
      state[ref] = kDone;
      const std::uint32_t below = height[ref];
      if (below > Pickle::kDeepest)
        throw BadArchive("its pickle nests deeper than " + std::to_string(Pickle::kDeepest));
      path.pop_back();
      if (!path.empty()) height[path.back().ref] = std::max(height[path.back().ref], below + 1);
      continue;
    }
    const PickleRef item = items[next++];
    if (state[item] == kOpen) throw BadArchive("its pickle holds a value that contains itself");
    if (state[item] == kDone) {
      height[ref] = std::max(height[ref], height[item] + 1);
      continue;
    }
    state[item] = kOpen;
    path.push_back({item, 0});
  }
}

}  // namespace

const std::string& Pickle::name_of(const PickleValue& value) const {
  static const std::string none;
  if (value.kind == PickleKind::name) return value.text;
  if (value.kind == PickleKind::call || value.kind == PickleKind::object)
    return at(value.items[0]).text;
  return none;
}

Pickle read_pickle(std::span<const std::byte> bytes) { return Reader(bytes).run(); }

}  // namespace axmul::train
