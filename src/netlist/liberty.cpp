// Liberty (.lib): areas, leakage, pin capacitances and functions of cells; everything else is
// skipped by its braces.
#include <charconv>
#include <cmath>
#include <cstring>

#include "netlist/cells.hpp"
#include "netlist/source.hpp"

namespace axmul {

namespace detail {

namespace {

constexpr int kMaxDepth = 100;

struct LibertyToken {
  enum Kind { end, word, text, punctuation } kind = end;
  std::string value;
  std::size_t line = 1;
};

class LibertyLexer {
 public:
  LibertyLexer(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  LibertyToken next() {
    skip();
    LibertyToken token;
    token.line = line_;
    if (pos_ >= text_.size()) return token;
    const char c = text_[pos_];
    if (c == '"') {
      token.kind = LibertyToken::text;
      ++pos_;
      while (pos_ < text_.size() && text_[pos_] != '"') {
        if (text_[pos_] == '\n') ++line_;
        if (text_[pos_] == '\\' && pos_ + 1 < text_.size() && text_[pos_ + 1] == '\n') {
          ++line_;
          pos_ += 2;
          continue;
        }
        token.value += text_[pos_++];
      }
      if (pos_ >= text_.size()) fail(220, path_, token.line, "text without a closing quote");
      ++pos_;
      return token;
    }
    if (std::strchr("(){}:;,", c) != nullptr) {
      token.kind = LibertyToken::punctuation;
      token.value = c;
      ++pos_;
      return token;
    }
    token.kind = LibertyToken::word;
    while (pos_ < text_.size() && std::strchr("(){}:;,\" \t\r\n", text_[pos_]) == nullptr)
      token.value += text_[pos_++];
    if (token.value.empty()) fail(220, path_, line_, "unexpected byte 0; not Liberty text");
    return token;
  }

 private:
  void skip() {
    while (pos_ < text_.size()) {
      const char c = text_[pos_];
      if (c == '\n') {
        ++line_;
        ++pos_;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++pos_;
      } else if (c == '\\' && pos_ + 1 < text_.size() &&
                 (text_[pos_ + 1] == '\n' || text_[pos_ + 1] == '\r')) {
        ++pos_;
      } else if (text_.substr(pos_).starts_with("/*")) {
        const std::size_t end = text_.find("*/", pos_ + 2);
        if (end == std::string_view::npos) fail(220, path_, line_, "comment /* without */");
        for (; pos_ < end + 2; ++pos_)
          if (text_[pos_] == '\n') ++line_;
      } else if (text_.substr(pos_).starts_with("//")) {
        while (pos_ < text_.size() && text_[pos_] != '\n') ++pos_;
      } else {
        return;
      }
    }
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t pos_ = 0, line_ = 1;
};

struct LibertyPin {
  std::string name, direction, function;
  double capacitance = CellType::kUnknown;
  std::size_t line = 0;
};

// Boolean functions of Liberty: ! and ' highest, then ^, then & * and juxtaposition, then + |.
class FunctionParser {
 public:
  FunctionParser(const std::string& text, const std::vector<std::string>& inputs,
                 const std::string& path, std::size_t line)
      : text_(text), inputs_(inputs), path_(path), line_(line) {}

  std::uint64_t parse() {
    const std::uint64_t table = disjunction();
    blanks();
    if (pos_ < text_.size()) error();
    const std::size_t patterns = std::size_t{1} << inputs_.size();
    return patterns == 64 ? table : table & ((std::uint64_t{1} << patterns) - 1);
  }

 private:
  [[noreturn]] void error() const {
    fail(222, path_, line_,
         "function " + in_quotes(text_) + " not understood at character " +
             std::to_string(pos_ + 1));
  }
  void blanks() {
    while (pos_ < text_.size() && std::strchr(" \t\r\n", text_[pos_]) != nullptr) ++pos_;
  }
  char peek() {
    blanks();
    return pos_ < text_.size() ? text_[pos_] : '\0';
  }

  std::uint64_t disjunction() {
    if (++depth_ > kMaxDepth) fail(210, path_, line_, "function nests too deeply");
    std::uint64_t value = conjunction();
    while (peek() == '+' || peek() == '|') {
      ++pos_;
      value |= conjunction();
    }
    --depth_;
    return value;
  }

  std::uint64_t conjunction() {
    std::uint64_t value = exclusive();
    for (;;) {
      const char c = peek();
      if (c == '&' || c == '*') {
        ++pos_;
      } else if (c == '\0' || c == ')' || c == '+' || c == '|' || c == '^' || c == '\'') {
        return value;
      }
      value &= exclusive();
    }
  }

  std::uint64_t exclusive() {
    std::uint64_t value = factor();
    while (peek() == '^') {
      ++pos_;
      value ^= factor();
    }
    return value;
  }

  std::uint64_t factor() {
    bool invert = false;
    while (peek() == '!') {
      ++pos_;
      invert = !invert;
    }
    std::uint64_t value = 0;
    const char c = peek();
    if (c == '(') {
      ++pos_;
      value = disjunction();
      if (peek() != ')') error();
      ++pos_;
    } else {
      value = variable();
    }
    while (peek() == '\'') {
      ++pos_;
      invert = !invert;
    }
    return invert ? ~value : value;
  }

  std::uint64_t variable() {
    std::size_t end = pos_;
    while (end < text_.size() && std::strchr(" \t\r\n()!'^&*+|", text_[end]) == nullptr) ++end;
    const std::string name = text_.substr(pos_, end - pos_);
    if (name == "0" || name == "1") {
      pos_ = end;
      return name == "1" ? ~std::uint64_t{0} : 0;
    }
    for (std::size_t j = 0; j < inputs_.size(); ++j) {
      if (inputs_[j] != name) continue;
      pos_ = end;
      std::uint64_t table = 0;
      for (unsigned i = 0; i < 64; ++i)
        if ((i >> j & 1) != 0) table |= std::uint64_t{1} << i;
      return table;
    }
    if (name.empty()) error();
    fail(222, path_, line_,
         "function " + in_quotes(text_) + " uses " + in_quotes(name) + ", which is no input pin");
  }

  const std::string& text_;
  const std::vector<std::string>& inputs_;
  const std::string& path_;
  std::size_t line_, pos_ = 0;
  int depth_ = 0;
};

class LibertyReader {
 public:
  LibertyReader(std::string_view text, const std::string& path, CellLibrary::Impl& library)
      : lexer_(text, path), path_(path), library_(library) {
    advance();
  }

  void read() {
    if (token_.value != "library") unexpected("library (…)");
    advance();
    const std::string name = arguments();
    std::string& technology = library_.technology;
    technology += (technology.empty() ? "" : "+") + name;
    group([this](const std::string& key) {
      if (key == "cell") return cell();
      if (key == "capacitive_load_unit") return load_unit();
      skip_statement();
    });
    if (token_.kind != LibertyToken::end) unexpected("the end of the file");
  }

 private:
  void advance() { token_ = lexer_.next(); }
  bool is(char c) const { return token_.kind == LibertyToken::punctuation && token_.value[0] == c; }
  [[noreturn]] void unexpected(const std::string& wanted) const {
    fail(220, path_, token_.line,
         wanted + " expected, not " +
             (token_.kind == LibertyToken::end ? "the end of the file" : in_quotes(token_.value)));
  }
  void expect(char c) {
    if (!is(c)) unexpected(std::string("\"") + c + "\"");
    advance();
  }

  // "(a, b)" as its first argument; the rest in arguments_.
  std::string arguments() {
    expect('(');
    arguments_.clear();
    while (!is(')')) {
      if (token_.kind == LibertyToken::end || is('{') || is('}')) unexpected("\")\"");
      if (!is(',')) arguments_.push_back(token_.value);
      advance();
    }
    advance();
    return arguments_.empty() ? "" : arguments_[0];
  }

  // { statements }: handle(key) reads what follows a key.
  template <class Handle>
  void group(Handle&& handle) {
    if (++depth_ > kMaxDepth) fail(210, path_, token_.line, "groups nest too deeply");
    expect('{');
    while (!is('}')) {
      if (is(';')) {
        advance();
        continue;
      }
      if (token_.kind != LibertyToken::word) unexpected("a statement or \"}\"");
      const std::string key = token_.value;
      advance();
      handle(key);
    }
    advance();
    --depth_;
  }

  // key : value ;
  std::string attribute() {
    expect(':');
    if (token_.kind == LibertyToken::end || token_.kind == LibertyToken::punctuation)
      unexpected("a value");
    std::string value = token_.value;
    advance();
    while (token_.kind == LibertyToken::word || token_.kind == LibertyToken::text) {
      value += " " + token_.value;  // expressions such as VDD + 0.5
      advance();
    }
    if (is(';')) advance();
    return value;
  }

  double number(const std::string& what) {
    const std::size_t line = token_.line;
    const std::string value = attribute();
    double result = 0;
    const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (error != std::errc() || stop != value.data() + value.size() || !std::isfinite(result))
      fail(221, path_, line, what + " " + in_quotes(value) + " is not a number");
    return result;
  }

  void skip_statement() {
    if (is(':')) {
      attribute();
      return;
    }
    if (!is('(')) unexpected("\":\" or \"(\"");
    arguments();
    if (is('{')) return skip_braces();
    if (is(';')) advance();
  }

  void skip_braces() {
    for (int depth = 0;;) {
      if (token_.kind == LibertyToken::end) unexpected("\"}\"");
      if (is('{')) ++depth;
      if (is('}') && --depth == 0) break;
      advance();
    }
    advance();
  }

  void load_unit() {
    if (is(':')) {
      attribute();
      return;
    }
    arguments();
    if (is(';')) advance();
    if (arguments_.size() < 2) return;
    double value = 0;
    std::from_chars(arguments_[0].data(), arguments_[0].data() + arguments_[0].size(), value);
    if (!(value > 0)) return;
    to_femto_ = value * (arguments_[1] == "pf" || arguments_[1] == "PF" ? 1000.0 : 1.0);
  }

  void cell() {
    LibraryCell cell;
    std::vector<LibertyPin> pins;
    const std::size_t line = token_.line;
    cell.type.name = arguments();
    if (cell.type.name.empty()) fail(220, path_, line, "cell without a name");
    std::string state;
    group([&](const std::string& key) {
      if (key == "area") {
        cell.type.area = number("area");
      } else if (key == "cell_leakage_power") {
        cell.type.leakage = number("cell_leakage_power");
      } else if (key == "pin") {
        pin(pins);
      } else if (key == "pg_pin" && is('(')) {
        arguments();
        cell.supplies.insert(cell.supplies.end(), arguments_.begin(), arguments_.end());
        if (is('{')) skip_braces();
      } else {
        if (key == "ff" || key == "latch" || key == "ff_bank" || key == "latch_bank" ||
            key == "statetable" || key == "state")
          state = key;
        if (key == "bus" || key == "bundle")
          cell.unusable = "has a " + key + ", which is not supported";
        skip_statement();
      }
    });
    if (!state.empty())
      cell.unusable = "is sequential (" + state + "); only combinational circuits have a table";
    add(std::move(cell), pins, line);
  }

  void pin(std::vector<LibertyPin>& pins) {
    const std::size_t line = token_.line;
    arguments();
    const std::vector<std::string> names = arguments_;
    LibertyPin pin;
    pin.line = line;
    group([&](const std::string& key) {
      if (key == "direction") {
        pin.direction = attribute();
      } else if (key == "function") {
        pin.line = token_.line;
        pin.function = attribute();
      } else if (key == "capacitance") {
        pin.capacitance = number("capacitance") * to_femto_;
      } else if (key == "three_state") {
        attribute();
        pin.direction = "three-state";
      } else {
        skip_statement();
      }
    });
    for (const std::string& name : names) {
      pin.name = name;
      pins.push_back(pin);
    }
  }

  void add(LibraryCell cell, const std::vector<LibertyPin>& pins, std::size_t line) {
    for (const LibertyPin& pin : pins) {
      if (pin.direction == "input") {
        cell.inputs.push_back(pin.name);
        cell.type.input_capacitance.push_back(pin.capacitance);
      } else if (pin.direction == "output") {
        cell.outputs.push_back(pin.name);
      } else if (pin.direction == "three-state" || pin.direction == "inout") {
        if (cell.unusable.empty())
          cell.unusable = "has a " + pin.direction + " pin " + in_quotes(pin.name);
      } else {
        continue;  // internal pins, power pins
      }
      cell.positional.push_back(pin.name);
    }
    cell.type.inputs = static_cast<int>(cell.inputs.size());
    for (const double c : cell.type.input_capacitance)
      if (std::isnan(c)) {
        cell.type.input_capacitance.clear();
        break;
      }
    if (cell.unusable.empty() && cell.type.inputs > kMaxCellInputs)
      cell.unusable =
          "has " + std::to_string(cell.type.inputs) + " inputs; at most 6 are supported";
    for (const LibertyPin& pin : pins) {
      if (pin.direction != "output" || !cell.unusable.empty()) continue;
      if (pin.function.empty()) {
        cell.unusable = "has no function for output " + in_quotes(pin.name);
        break;
      }
      cell.type.functions.push_back(
          FunctionParser(pin.function, cell.inputs, path_, pin.line).parse());
    }
    if (cell.unusable.empty() && cell.outputs.empty()) cell.unusable = "has no output";
    if (library_.by_name.contains(cell.type.name))
      fail(213, path_, line, "cell " + in_quotes(cell.type.name) + " is defined twice");
    library_.cells.push_back(std::move(cell));
    library_.by_name.emplace(library_.cells.back().type.name, &library_.cells.back());
  }

  LibertyLexer lexer_;
  const std::string& path_;
  CellLibrary::Impl& library_;
  LibertyToken token_;
  std::vector<std::string> arguments_;
  double to_femto_ = 1;
  int depth_ = 0;
};

}  // namespace

}  // namespace detail

void CellLibrary::add_liberty(const std::string& path) {
  add_liberty_text(detail::read_source(path, std::size_t{256} << 20), path);
  impl_->liberty_paths.push_back(path);
}

void CellLibrary::add_liberty_text(std::string_view text, const std::string& path) {
  detail::LibertyReader(text, path, *impl_).read();
}

const CellType* CellLibrary::find(std::string_view name) const {
  const detail::LibraryCell* cell = impl_->find(name);
  return cell != nullptr && cell->unusable.empty() ? &cell->type : nullptr;
}

std::vector<std::string> CellLibrary::names() const {
  std::vector<std::string> result;
  for (const detail::LibraryCell& cell : impl_->cells) result.push_back(cell.type.name);
  return result;
}

}  // namespace axmul
