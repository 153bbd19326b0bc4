// Expressions of Verilog, by precedence.
#include <algorithm>

#include "netlist/verilog/numbers.hpp"
#include "netlist/verilog/parser.hpp"

namespace axmul::detail {

namespace {

constexpr int kMaxNesting = 500;  // parentheses, braces, unary operators inside each other

}  // namespace

struct VerilogParser::Nesting {
  explicit Nesting(VerilogParser& owner) : parser(owner) {
    if (++parser.nesting_ > kMaxNesting)
      parser.error(210, "expression nests deeper than " + std::to_string(kMaxNesting));
  }
  ~Nesting() { --parser.nesting_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  VerilogParser& parser;
};

std::uint32_t VerilogParser::expression() {
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

VerilogParser::Operator VerilogParser::binary_operator() const {
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

// Operators that only yosys maps to gates, and casts.
void VerilogParser::refuse_operator() const {
  if (token_.kind == TokenKind::number && token_.text.starts_with('\'')) behaviour("a cast");
  if (token_.kind != TokenKind::symbol) return;
  switch (token_.symbol) {
    case symbol('<'):
    case symbol('>'):
    case symbol('<', '='):
    case symbol('>', '='):
    case symbol('>', '>', '>'):
    case symbol('*', '*'):
    case symbol('=', '=', '?'):
      behaviour("operator " + in_quotes(token_.text));
    default:
      return;
  }
}

std::uint32_t VerilogParser::binary(int precedence) {
  std::uint32_t left = unary();
  for (;;) {
    const Operator op = binary_operator();
    if (op.precedence == 0) refuse_operator();
    if (op.precedence == 0 || op.precedence < precedence) return left;
    const std::uint32_t line = token_.line;
    advance();
    const std::uint32_t right = binary(op.precedence + 1);
    left = node(op.kind, line, left, right, 0, std::max(depth_of(left), depth_of(right)));
  }
}

std::uint32_t VerilogParser::unary() {
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

std::uint32_t VerilogParser::primary() {
  if (token_.kind == TokenKind::identifier) return selected_name();
  if (token_.kind == TokenKind::number) return number();
  if (accept('(')) {
    const std::uint32_t inner = expression();
    expect(')');
    return inner;
  }
  if (is('{')) return braces();
  if (token_.kind == TokenKind::text) behaviour("a text");
  unexpected("an expression");
}

std::uint32_t VerilogParser::selected_name() {
  const Token name = token_;
  if (name.text[0] == '$') behaviour("system function " + in_quotes(name.text));
  advance();
  if (is('(')) behaviour("function call " + in_quotes(name.text));
  if (is('.')) behaviour("hierarchical name " + in_quotes(name.text) + "…");
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
  if (is('[')) behaviour("a select of a select (arrays)");
  return node(kind, name.line, signal, first, second);
}

std::uint32_t VerilogParser::braces() {
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

std::uint32_t VerilogParser::number() {
  const Token token = token_;
  file_.constants.push_back(parse_number(token, file_.path, file_.words));
  advance();
  if (in_parameters_ && accept('.')) {
    advance();  // a delay, which means nothing here
  } else if (is('.')) {
    unexpected("an integer (no reals)");
  }
  return node(NodeKind::constant, token.line,
              static_cast<std::uint32_t>(file_.constants.size() - 1));
}

}  // namespace axmul::detail
