// Recursive-descent parser of structural Verilog-2001.
#include <algorithm>
#include <array>

#include "netlist/source.hpp"
#include "netlist/verilog/lexer.hpp"
#include "netlist/verilog/syntax.hpp"

namespace axmul::detail {

namespace {

constexpr int kMaxNesting = 500;  // parentheses, braces, unary operators inside each other

class Parser {
 public:
  explicit Parser(VerilogFile& file) : file_(file), lexer_(file.text, file.path) {
    file_.nodes.reserve(1024);
    file_.lists.reserve(512);
    file_.connections.reserve(512);
    advance();
  }

  void parse() {
    while (token_.kind != TokenKind::end) {
      if (is(Keyword::k_module) || is(Keyword::k_macromodule)) {
        module();
      } else if (is(Keyword::k_primitive)) {
        primitive();
      } else {
        unexpected("\"module\"");
      }
    }
  }

 private:
  // --- tokens
  void advance() { token_ = lexer_.next(); }
  bool is(Keyword keyword) const {
    return token_.kind == TokenKind::keyword && token_.keyword == keyword;
  }
  bool is(char a, char b = 0, char c = 0) const {
    return token_.kind == TokenKind::symbol && token_.symbol == symbol(a, b, c);
  }
  bool accept(char c) {
    if (!is(c)) return false;
    advance();
    return true;
  }
  bool accept(Keyword keyword) {
    if (!is(keyword)) return false;
    advance();
    return true;
  }
  [[noreturn]] void error(int id, const std::string& message) const {
    fail(id, file_.path, token_.line, message);
  }
  [[noreturn]] void unexpected(const std::string& wanted) const {
    error(201,
          wanted + " expected, not " +
              (token_.kind == TokenKind::end ? "the end of the file" : in_quotes(token_.text)));
  }
  void expect(char c) {
    if (!accept(c)) unexpected(std::string("\"") + c + "\"");
  }
  Token expect_name(const char* what) {
    if (token_.kind != TokenKind::identifier) unexpected(what);
    const Token name = token_;
    advance();
    return name;
  }

  // --- modules
  void module() {
    advance();
    const Token name = expect_name("module name");
    for (const Module& other : file_.modules)
      if (other.name == name.text)
        fail(213, file_.path, name.line,
             "module " + in_quotes(name.text) + " is defined twice (first in line " +
                 std::to_string(other.line) + ")");
    if (file_.modules.size() >= 20000) error(210, "more than 20000 modules");
    file_.modules.emplace_back();
    module_ = &file_.modules.back();
    module_->name = name.text;
    module_->line = name.line;
    ++stamp_;
    if (accept('#')) header_parameters();
    if (accept('(')) port_list();
    expect(';');
    while (!is(Keyword::k_endmodule)) {
      if (token_.kind == TokenKind::end) error(201, "endmodule is missing");
      item();
    }
    advance();
    if (accept(':')) expect_name("module name");
  }

  void header_parameters() {
    expect('(');
    while (!is(')')) {
      accept(Keyword::k_parameter);
      parameter_rest();
      if (!accept(',')) break;
    }
    expect(')');
  }

  // [signed] [range] name = value
  void parameter_rest() {
    accept(Keyword::k_signed);
    accept(Keyword::k_integer);
    if (is('[')) range();
    const Token name = expect_name("parameter name");
    expect('=');
    Signal& signal = module_->signals[signal_index(name)];
    if (signal.is_declared) redeclared(signal, name);
    const std::uint32_t value = expression();
    Signal& parameter = module_->signals[signal_index(name)];
    parameter.is_parameter = parameter.is_declared = true;
    parameter.value = value;
  }

  [[noreturn]] void redeclared(const Signal& signal, const Token& name) const {
    fail(213, file_.path, name.line,
         in_quotes(name.text) + " is declared twice (first in line " + std::to_string(signal.line) +
             ")");
  }

  void port_list() {
    if (accept(')')) return;
    if (is(Keyword::k_input) || is(Keyword::k_output) || is(Keyword::k_inout)) {
      ansi_ports();
    } else {
      do {
        if (is('.')) error(202, "ports of the form .name(expression) are not supported");
        const Token name = expect_name("port name");
        add_port(name);
      } while (accept(','));
    }
    expect(')');
  }

  void add_port(const Token& name) {
    const std::uint32_t index = signal_index(name);
    Signal& signal = module_->signals[index];
    if (signal.in_port_list)
      fail(213, file_.path, name.line, "port " + in_quotes(name.text) + " is listed twice");
    signal.in_port_list = true;
    module_->ports.push_back(index);
  }

  void ansi_ports() {
    Declaration declaration;
    do {
      if (is(Keyword::k_input) || is(Keyword::k_output) || is(Keyword::k_inout))
        declaration = port_declaration();
      const Token name = expect_name("port name");
      add_port(name);
      declare(name, declaration);
    } while (accept(','));
  }

  // --- declarations
  struct Declaration {
    bool is_input = false, is_output = false, is_net = false, is_variable = false;
    bool is_signed = false, is_supply0 = false, is_supply1 = false;
    std::uint32_t msb = kNothing, lsb = kNothing;
  };

  Declaration port_declaration() {
    Declaration declaration;
    declaration.is_input = is(Keyword::k_input);
    declaration.is_output = is(Keyword::k_output);
    if (is(Keyword::k_inout)) unsupported(202, "an inout port");
    advance();
    if (accept(Keyword::k_wire) || accept(Keyword::k_tri) || accept(Keyword::k_logic)) {
    } else if (accept(Keyword::k_reg)) {
      declaration.is_variable = true;
    }
    declaration.is_signed = accept(Keyword::k_signed);
    if (is('[')) std::tie(declaration.msb, declaration.lsb) = range();
    return declaration;
  }

  std::pair<std::uint32_t, std::uint32_t> range() {
    expect('[');
    const std::uint32_t msb = expression();
    expect(':');
    const std::uint32_t lsb = expression();
    expect(']');
    return {msb, lsb};
  }

  void declare(const Token& name, const Declaration& declaration) {
    Signal& signal = module_->signals[signal_index(name)];
    const bool again = (declaration.is_input || declaration.is_output)
                           ? signal.is_input || signal.is_output || signal.is_parameter
                           : signal.is_declared;
    if (again) redeclared(signal, name);
    if (!signal.is_declared && !signal.is_input && !signal.is_output) signal.line = name.line;
    signal.is_input |= declaration.is_input;
    signal.is_output |= declaration.is_output;
    signal.is_declared |= declaration.is_net || declaration.is_variable;
    signal.is_variable |= declaration.is_variable;
    signal.is_signed |= declaration.is_signed;
    signal.is_supply0 |= declaration.is_supply0;
    signal.is_supply1 |= declaration.is_supply1;
    if (declaration.msb != kNothing) {
      signal.msb = declaration.msb;
      signal.lsb = declaration.lsb;
    }
  }

  void declarations(const Declaration& declaration) {
    do {
      const Token name = expect_name("name");
      declare(name, declaration);
      if (is('[')) {
        range();
        unsupported(202, "an array of nets");
      }
      if (is('=')) {
        const std::uint32_t line = token_.line;
        advance();
        const std::uint32_t target = name_node(signal_index(name), name.line);
        module_->assigns.push_back({target, expression(), line});
      }
    } while (accept(','));
    expect(';');
  }

  std::uint32_t signal_index(const Token& name) {
    if (name.id >= signal_of_.size()) {
      signal_of_.resize(lexer_.identifier_count() + 64, 0);
      stamp_of_.resize(lexer_.identifier_count() + 64, 0);
    }
    if (stamp_of_[name.id] != stamp_) {
      stamp_of_[name.id] = stamp_;
      signal_of_[name.id] = static_cast<std::uint32_t>(module_->signals.size());
      Signal signal;
      signal.name = name.text;
      signal.line = name.line;
      module_->signals.push_back(signal);
    }
    return signal_of_[name.id];
  }

  // What a structural netlist cannot contain makes the module unusable, not the file.
  void unsupported(int id, const std::string& what) {
    if (!module_->unsupported.empty()) return;
    module_->unsupported = what;
    module_->unsupported_line = token_.line;
    module_->unsupported_id = id;
  }

  void skip_to(Keyword keyword) {
    while (!is(keyword)) {
      if (token_.kind == TokenKind::end)
        error(201,
              keyword == Keyword::k_endmodule ? "endmodule is missing" : "endspecify is missing");
      advance();
    }
  }

  // --- items
  void item() {
    if (token_.kind == TokenKind::identifier) return instances();
    if (token_.kind != TokenKind::keyword) {
      if (accept(';')) return;
      unexpected("a module item");
    }
    switch (token_.keyword) {
      case Keyword::k_input:
      case Keyword::k_output:
      case Keyword::k_inout:
        return declarations(port_declaration());
      case Keyword::k_wire:
      case Keyword::k_tri:
      case Keyword::k_logic:
      case Keyword::k_reg:
      case Keyword::k_integer:
      case Keyword::k_supply0:
      case Keyword::k_supply1:
        return net_declaration();
      case Keyword::k_assign:
        return assigns();
      case Keyword::k_and:
      case Keyword::k_or:
      case Keyword::k_xor:
      case Keyword::k_nand:
      case Keyword::k_nor:
      case Keyword::k_xnor:
      case Keyword::k_buf:
      case Keyword::k_not:
        return gates();
      case Keyword::k_parameter:
      case Keyword::k_localparam:
        return parameters();
      case Keyword::k_specify: {
        skip_to(Keyword::k_endspecify);
        return advance();
      }
      default: {
        unsupported(202, "behavioural or switch-level construct " + in_quotes(token_.text));
        return skip_to(Keyword::k_endmodule);
      }
    }
  }

  void net_declaration() {
    Declaration declaration;
    declaration.is_net = true;
    declaration.is_variable = is(Keyword::k_reg) || is(Keyword::k_integer);
    declaration.is_supply0 = is(Keyword::k_supply0);
    declaration.is_supply1 = is(Keyword::k_supply1);
    advance();
    declaration.is_signed = accept(Keyword::k_signed);
    if (is('[')) std::tie(declaration.msb, declaration.lsb) = range();
    if (is('#')) delay();
    declarations(declaration);
  }

  // #5, #(1), #(1:2:3, 4): delays mean nothing here.
  void delay() {
    expect('#');
    if (!accept('(')) {
      if (token_.kind == TokenKind::end) unexpected("a delay");
      advance();
      if (accept('.')) advance();
      return;
    }
    for (int depth = 1; depth > 0;) {
      if (token_.kind == TokenKind::end) unexpected("\")\"");
      if (is('(')) ++depth;
      if (is(')')) --depth;
      advance();
    }
  }

  void strength() {
    // (strong0, weak1) before a gate's name or terminals: two words in parentheses.
    advance();
    while (!is(')')) {
      if (token_.kind == TokenKind::end) unexpected("\")\"");
      advance();
    }
    advance();
  }

  void assigns() {
    advance();
    if (is('#')) delay();
    do {
      const std::uint32_t target = primary();
      const std::uint32_t line = token_.line;
      expect('=');
      module_->assigns.push_back({target, expression(), line});
    } while (accept(','));
    expect(';');
  }

  void parameters() {
    advance();
    do parameter_rest();
    while (accept(','));
    expect(';');
  }

  void gates() {
    const Keyword kind = token_.keyword;
    const Gate gate = kind == Keyword::k_and    ? Gate::and2
                      : kind == Keyword::k_or   ? Gate::or2
                      : kind == Keyword::k_xor  ? Gate::xor2
                      : kind == Keyword::k_nand ? Gate::nand2
                      : kind == Keyword::k_nor  ? Gate::nor2
                      : kind == Keyword::k_xnor ? Gate::xnor2
                      : kind == Keyword::k_buf  ? Gate::buf
                                                : Gate::inv;
    advance();
    if (is('#')) delay();
    do {
      const std::uint32_t line = token_.line;
      if (token_.kind == TokenKind::identifier) advance();
      if (is('[')) {
        range();
        unsupported(202, "an array of gates");
      }
      expect('(');
      if (token_.kind == TokenKind::identifier &&
          (token_.text.starts_with("strong") || token_.text.starts_with("pull") ||
           token_.text.starts_with("weak") || token_.text.starts_with("highz")))
        error(202, "drive strengths are not supported");
      std::vector<std::uint32_t> terminals;
      do terminals.push_back(expression());
      while (accept(','));
      expect(')');
      const std::size_t least = 2;
      if (terminals.size() < least)
        fail(205, file_.path, line, "a gate needs an output and an input");
      const auto first = static_cast<std::uint32_t>(file_.lists.size());
      file_.lists.insert(file_.lists.end(), terminals.begin(), terminals.end());
      module_->primitives.push_back(
          {gate, first, static_cast<std::uint32_t>(terminals.size()), line});
    } while (accept(','));
    expect(';');
  }

  void instances() {
    const Token cell = expect_name("cell name");
    bool has_parameters = false;
    if (is('#')) {
      delay();
      has_parameters = true;
    }
    do {
      Instance instance{cell.text, {}, 0, 0, token_.line, false, has_parameters};
      if (token_.kind == TokenKind::identifier) {
        instance.name = token_.text;
        advance();
      }
      if (is('[')) {
        range();
        unsupported(202, "an array of instances");
      }
      if (!is('(')) unexpected(instance.name.empty() ? "a module item" : "\"(\"");
      advance();
      connections(instance);
      module_->instances.push_back(instance);
    } while (accept(','));
    expect(';');
  }

  void connections(Instance& instance) {
    std::vector<Connection>& list = scratch_;
    list.clear();
    instance.by_name = is('.');
    while (!is(')')) {
      Connection connection{{}, kNothing};
      if (instance.by_name) {
        expect('.');
        connection.port = expect_name("port name").text;
        expect('(');
        if (!is(')')) connection.value = expression();
        expect(')');
      } else if (!is(',')) {
        connection.value = expression();
      }
      list.push_back(connection);
      if (!accept(',')) break;
      if (!instance.by_name && is(')')) list.push_back({{}, kNothing});
    }
    expect(')');
    instance.first = static_cast<std::uint32_t>(file_.connections.size());
    instance.count = static_cast<std::uint32_t>(list.size());
    file_.connections.insert(file_.connections.end(), list.begin(), list.end());
  }

  // --- expressions
  std::uint32_t node(NodeKind kind, std::uint32_t line, std::uint32_t a, std::uint32_t b = 0,
                     std::uint32_t c = 0, std::uint32_t depth = 0) {
    if (depth + 1 > kMaxExpressionDepth)
      fail(210, file_.path, line,
           "expression nests deeper than " + std::to_string(kMaxExpressionDepth));
    file_.nodes.push_back({kind, static_cast<std::uint16_t>(depth + 1), line, a, b, c});
    return static_cast<std::uint32_t>(file_.nodes.size() - 1);
  }
  std::uint32_t name_node(std::uint32_t signal, std::uint32_t line) {
    return node(NodeKind::name, line, signal);
  }
  std::uint32_t depth_of(std::uint32_t n) const { return file_.nodes[n].depth; }

  struct Nesting {
    explicit Nesting(Parser& owner) : parser(owner) {
      if (++parser.nesting_ > kMaxNesting)
        parser.error(210, "expression nests deeper than " + std::to_string(kMaxNesting));
    }
    ~Nesting() { --parser.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    Parser& parser;
  };

  std::uint32_t expression() {
    const Nesting nesting(*this);
    const std::uint32_t condition = binary(1);
    if (!is('?')) return condition;
    const std::uint32_t line = token_.line;
    advance();
    const std::uint32_t yes = expression();
    expect(':');
    const std::uint32_t no = expression();
    return node(NodeKind::ternary, line, condition, yes, no,
                std::max({depth_of(condition), depth_of(yes), depth_of(no)}));
  }

  struct Operator {
    NodeKind kind;
    int precedence;  // 0: no binary operator
  };
  Operator binary_operator() const {
    if (token_.kind != TokenKind::symbol) return {NodeKind::name, 0};
    switch (token_.symbol) {
      case symbol('|', '|'):
        return {NodeKind::logic_or, 1};
      case symbol('&', '&'):
        return {NodeKind::logic_and, 2};
      case symbol('|'):
        return {NodeKind::bit_or, 3};
      case symbol('^'):
        return {NodeKind::bit_xor, 4};
      case symbol('~', '^'):
      case symbol('^', '~'):
        return {NodeKind::bit_xnor, 4};
      case symbol('&'):
        return {NodeKind::bit_and, 5};
      case symbol('=', '='):
      case symbol('=', '=', '='):
        return {NodeKind::equal, 6};
      case symbol('!', '='):
      case symbol('!', '=', '='):
        return {NodeKind::not_equal, 6};
      case symbol('<', '<'):
      case symbol('<', '<', '<'):
        return {NodeKind::shift_left, 8};
      case symbol('>', '>'):
        return {NodeKind::shift_right, 8};
      case symbol('+'):
        return {NodeKind::add, 9};
      case symbol('-'):
        return {NodeKind::subtract, 9};
      case symbol('*'):
        return {NodeKind::multiply, 10};
      case symbol('/'):
        return {NodeKind::divide, 10};
      case symbol('%'):
        return {NodeKind::modulo, 10};
      default:
        return {NodeKind::name, 0};
    }
  }

  std::uint32_t binary(int precedence) {
    std::uint32_t left = unary();
    for (;;) {
      const Operator op = binary_operator();
      if (op.precedence == 0 || op.precedence < precedence) return left;
      const std::uint32_t line = token_.line;
      advance();
      const std::uint32_t right = binary(op.precedence + 1);
      left = node(op.kind, line, left, right, 0, std::max(depth_of(left), depth_of(right)));
    }
  }

  std::uint32_t unary() {
    if (token_.kind != TokenKind::symbol) return primary();
    NodeKind kind;
    switch (token_.symbol) {
      case symbol('~'):
        kind = NodeKind::bit_not;
        break;
      case symbol('!'):
        kind = NodeKind::logic_not;
        break;
      case symbol('&'):
        kind = NodeKind::reduce_and;
        break;
      case symbol('|'):
        kind = NodeKind::reduce_or;
        break;
      case symbol('^'):
        kind = NodeKind::reduce_xor;
        break;
      case symbol('~', '&'):
        kind = NodeKind::reduce_nand;
        break;
      case symbol('~', '|'):
        kind = NodeKind::reduce_nor;
        break;
      case symbol('~', '^'):
      case symbol('^', '~'):
        kind = NodeKind::reduce_xnor;
        break;
      case symbol('-'):
        kind = NodeKind::negate;
        break;
      case symbol('+'):
        kind = NodeKind::plus_sign;
        break;
      default:
        return primary();
    }
    const Nesting nesting(*this);
    const std::uint32_t line = token_.line;
    advance();
    const std::uint32_t operand = unary();
    return node(kind, line, operand, 0, 0, depth_of(operand));
  }

  std::uint32_t primary() {
    if (token_.kind == TokenKind::identifier) return selected_name();
    if (token_.kind == TokenKind::number) return number();
    if (accept('(')) {
      const std::uint32_t inner = expression();
      expect(')');
      return inner;
    }
    if (is('{')) return braces();
    unexpected("an expression");
  }

  std::uint32_t selected_name() {
    const Token name = token_;
    if (name.text[0] == '$') unexpected("an expression");
    advance();
    if (is('(')) error(202, "function call " + in_quotes(name.text) + " is not supported");
    if (is('.')) error(202, "hierarchical name " + in_quotes(name.text) + "… is not supported");
    const std::uint32_t signal = signal_index(name);
    if (!accept('[')) return name_node(signal, name.line);
    const std::uint32_t first = expression();
    NodeKind kind = NodeKind::bit;
    std::uint32_t second = 0;
    if (is(':') || is('+', ':') || is('-', ':')) {
      kind = is(':') ? NodeKind::part : is('+', ':') ? NodeKind::part_up : NodeKind::part_down;
      advance();
      second = expression();
    }
    expect(']');
    if (is('[')) error(202, "select of a select (arrays) is not supported");
    return node(kind, name.line, signal, first, second);
  }

  std::uint32_t braces() {
    const Nesting nesting(*this);
    const std::uint32_t line = token_.line;
    expect('{');
    const std::uint32_t first = expression();
    if (is('{')) {
      const std::uint32_t inner = braces();
      expect('}');
      return node(NodeKind::replicate, line, first, inner, 0, depth_of(inner));
    }
    std::vector<std::uint32_t> parts = {first};
    std::uint32_t depth = depth_of(first);
    while (accept(',')) {
      parts.push_back(expression());
      depth = std::max(depth, depth_of(parts.back()));
    }
    expect('}');
    const auto at = static_cast<std::uint32_t>(file_.lists.size());
    file_.lists.insert(file_.lists.end(), parts.begin(), parts.end());
    return node(NodeKind::concat, line, at, static_cast<std::uint32_t>(parts.size()), 0, depth);
  }

  // --- numbers
  std::uint32_t number() {
    const std::string_view text = token_.text;
    const std::uint32_t line = token_.line;
    const std::size_t quote = text.find('\'');
    Constant constant{32, false, true, static_cast<std::uint32_t>(file_.words.size())};
    if (quote == std::string_view::npos) {
      file_.words.push_back(decimal(text));
      if (file_.words.back() >> 32 != 0)
        error(209, "number " + in_quotes(text) + " exceeds 32 bits; give its width");
    } else {
      based(text, quote, constant);
    }
    advance();
    if (is('.')) unexpected("an integer (no reals)");
    file_.constants.push_back(constant);
    return node(NodeKind::constant, line, static_cast<std::uint32_t>(file_.constants.size() - 1));
  }

  std::uint64_t decimal(std::string_view digits) const {
    std::uint64_t value = 0;
    bool any = false;
    for (const char c : digits) {
      if (c == '_' || c == ' ' || c == '\t') continue;
      if (c == 'x' || c == 'X' || c == 'z' || c == 'Z' || c == '?')
        error(212, "x and z have no value in a circuit: " + in_quotes(token_.text));
      if (c < '0' || c > '9') error(201, "number " + in_quotes(token_.text) + " not understood");
      if (value > (~std::uint64_t{0} - 9) / 10)
        error(209, "number " + in_quotes(token_.text) + " is too large");
      value = value * 10 + static_cast<std::uint64_t>(c - '0');
      any = true;
    }
    if (!any) error(201, "number " + in_quotes(token_.text) + " has no digits");
    return value;
  }

  void based(std::string_view text, std::size_t quote, Constant& constant) {
    const std::string_view size = text.substr(0, quote);
    if (size.find_first_not_of(" \t") != std::string_view::npos) {
      const std::uint64_t width = decimal(size);
      if (width == 0 || width > 65536)
        error(209, "width of " + in_quotes(text) + " must be 1 to 65536");
      constant.width = static_cast<std::uint32_t>(width);
      constant.is_sized = true;
    }
    std::size_t base = quote + 1;
    constant.is_signed = text[base] == 's' || text[base] == 'S';
    if (constant.is_signed) ++base;
    const char letter = static_cast<char>(text[base] | 0x20);
    const std::string_view digits = text.substr(base + 1);
    std::vector<std::uint64_t> words((constant.width + 63) / 64, 0);
    if (letter == 'd') {
      words[0] = decimal(digits);
      for (std::size_t i = 1; i < words.size(); ++i) words[i] = 0;
    } else {
      digits_to_words(digits, letter == 'b' ? 1 : letter == 'o' ? 3 : 4, constant.width, words);
    }
    if (constant.width % 64 != 0) words.back() &= (std::uint64_t{1} << constant.width % 64) - 1;
    file_.words.insert(file_.words.end(), words.begin(), words.end());
  }

  void digits_to_words(std::string_view digits, unsigned bits, std::uint32_t width,
                       std::vector<std::uint64_t>& words) const {
    std::size_t position = 0;
    bool any = false;
    for (std::size_t i = digits.size(); i-- > 0;) {
      const char c = digits[i];
      if (c == '_' || c == ' ' || c == '\t') continue;
      const char low = static_cast<char>(c | 0x20);
      unsigned value = 0;
      if (c >= '0' && c <= '9') {
        value = static_cast<unsigned>(c - '0');
      } else if (low == 'x' || low == 'z' || c == '?') {
        error(212, "x and z have no value in a circuit: " + in_quotes(token_.text));
      } else if (low >= 'a' && low <= 'f') {
        value = static_cast<unsigned>(low - 'a' + 10);
      } else {
        value = 99;
      }
      if (value >> bits != 0)
        error(201, "digit " + in_quotes(digits.substr(i, 1)) + " in " + in_quotes(token_.text));
      any = true;
      for (unsigned b = 0; b < bits; ++b, ++position)
        if ((value >> b & 1) != 0 && position < width)
          words[position / 64] |= std::uint64_t{1} << position % 64;
    }
    if (!any) error(201, "number " + in_quotes(token_.text) + " has no digits");
  }

  // --- user-defined primitives
  void primitive();
  void udp_row(const std::string& row, std::uint32_t line, std::uint64_t& ones,
               std::uint64_t& zeros);

  VerilogFile& file_;
  VerilogLexer lexer_;
  Token token_;
  Module* module_ = nullptr;
  int nesting_ = 0;
  std::uint32_t stamp_ = 0;
  std::vector<std::uint32_t> signal_of_, stamp_of_;
  std::vector<Connection> scratch_;
};

void Parser::primitive() {
  advance();
  const Token name = expect_name("primitive name");
  for (const Module& other : file_.modules)
    if (other.name == name.text)
      fail(213, file_.path, name.line, "primitive " + in_quotes(name.text) + " is defined twice");
  if (file_.modules.size() >= 20000) error(210, "more than 20000 modules");
  file_.modules.emplace_back();
  module_ = &file_.modules.back();
  module_->name = name.text;
  module_->line = name.line;
  ++stamp_;
  expect('(');
  port_list();
  expect(';');
  while (!is(Keyword::k_table)) {
    if (is(Keyword::k_reg)) unsupported(211, "a sequential primitive (reg)");
    if (token_.kind == TokenKind::end || is(Keyword::k_endprimitive)) unexpected("\"table\"");
    if (is(Keyword::k_input) || is(Keyword::k_output) || is(Keyword::k_reg)) {
      item();
    } else {
      skip_to(Keyword::k_table);  // an initial statement, of sequential primitives only
    }
  }
  const std::uint32_t line = token_.line;
  const std::string body = lexer_.raw_until("endtable");
  advance();
  advance();
  if (!accept(Keyword::k_endprimitive)) unexpected("\"endprimitive\"");
  module_->udp = Udp{0, static_cast<int>(module_->ports.size()) - 1};
  if (!module_->unsupported.empty()) return;
  if (module_->udp->inputs < 1 || module_->udp->inputs > kMaxCellInputs)
    return unsupported(202, "a primitive of " + std::to_string(module_->udp->inputs) + " inputs");
  std::uint64_t ones = 0, zeros = 0;
  for (std::size_t start = 0; start < body.size();) {
    const std::size_t end = std::min(body.find(';', start), body.size());
    udp_row(body.substr(start, end - start), line, ones, zeros);
    start = end + 1;
  }
  const int patterns = 1 << module_->udp->inputs;
  const std::uint64_t all = patterns == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << patterns) - 1;
  if ((ones & zeros) != 0 || (ones | zeros) != all)
    unsupported(202, "a primitive whose table leaves an output x");
  module_->udp->table = ones;
}

void Parser::udp_row(const std::string& row, std::uint32_t line, std::uint64_t& ones,
                     std::uint64_t& zeros) {
  std::string symbols;
  std::size_t colon = std::string::npos;
  for (const char c : row) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    if (c == ':') {
      if (colon != std::string::npos) return unsupported(211, "a sequential primitive");
      colon = symbols.size();
    } else {
      symbols += c;
    }
  }
  if (symbols.empty() && colon == std::string::npos) return;
  const auto inputs = static_cast<std::size_t>(module_->udp->inputs);
  if (colon != inputs || symbols.size() != inputs + 1)
    fail(201, file_.path, line,
         "table row " + in_quotes(row) + " does not fit the primitive's ports");
  for (std::uint64_t pattern = 0; pattern < std::uint64_t{1} << inputs; ++pattern) {
    bool match = true;
    for (std::size_t i = 0; i < inputs; ++i) {
      const char c = symbols[i];
      if (c != '0' && c != '1' && c != '?' && c != 'b' && c != 'B' && c != 'x' && c != 'X')
        return unsupported(211, "a primitive with edges");
      const bool bit = (pattern >> i & 1) != 0;
      match &= c == '?' || c == 'b' || c == 'B' || (bit ? c == '1' : c == '0');
    }
    if (!match) continue;
    if (symbols.back() == '1') ones |= std::uint64_t{1} << pattern;
    if (symbols.back() == '0') zeros |= std::uint64_t{1} << pattern;
  }
}

}  // namespace

std::shared_ptr<VerilogFile> parse_verilog(std::string text, const std::string& path) {
  const auto file = std::make_shared<VerilogFile>();
  file->path = path;
  file->text = std::move(text);
  Parser(*file).parse();
  return file;
}

}  // namespace axmul::detail
