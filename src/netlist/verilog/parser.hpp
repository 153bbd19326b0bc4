// Recursive-descent parser of structural Verilog-2001.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "netlist/source.hpp"
#include "netlist/verilog/lexer.hpp"
#include "netlist/verilog/syntax.hpp"

namespace axmul::detail {

/// Fills a file's modules from its text. Modules, declarations and items are in parser.cpp,
/// expressions in expression_parser.cpp, user-defined primitives in primitive_parser.cpp.
class VerilogParser {
 public:
  explicit VerilogParser(VerilogFile& file);

  /// Throws AX201, AX202, AX205, AX209, AX210, AX212, AX213.
  void parse();

 private:
  struct Declaration {
    bool is_input = false, is_output = false, is_net = false, is_variable = false;
    bool is_inout = false;
    bool is_signed = false, is_supply0 = false, is_supply1 = false;
    std::uint32_t msb = kNothing, lsb = kNothing;
  };
  struct Operator {
    NodeKind kind;
    int precedence;  // 0: no binary operator
  };
  struct Nesting;  // counts an expression's depth while it lives
  /// Thrown where a module holds what no structural netlist does; the module alone is unusable.
  struct Behaviour {
    std::string what;
  };

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
  void module();
  void module_contents();
  void header_parameters();
  void parameter_rest();
  [[noreturn]] void redeclared(const Signal& signal, const Token& name) const;
  void port_list();
  void add_port(const Token& name);
  void ansi_ports();

  // --- declarations
  Declaration port_declaration();
  std::pair<std::uint32_t, std::uint32_t> range();
  void declare(const Token& name, const Declaration& declaration);
  void declarations(const Declaration& declaration);
  void unsupported(int id, const std::string& what);
  void skip_to(Keyword keyword);
  void skip_module();
  void skip_rest_of_file();
  [[noreturn]] void behaviour(const std::string& what) const { throw Behaviour{what}; }
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

  // --- items
  void item();
  void net_declaration();
  void delay();
  void assigns();
  void parameters();
  void gates();
  void instances();
  void connections(Instance& instance);
  void instance_parameters(Instance& instance);
  std::uint32_t parameter_value();

  // --- expressions: each returns a node
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
  std::uint32_t expression();
  Operator binary_operator() const;
  void refuse_operator() const;
  std::uint32_t binary(int precedence);
  std::uint32_t unary();
  std::uint32_t primary();
  std::uint32_t selected_name();
  std::uint32_t braces();
  std::uint32_t number();

  // --- user-defined primitives
  void primitive();
  void udp_rows(const std::string& body, std::uint32_t line);
  void udp_row(const std::string& row, std::uint32_t line, std::uint64_t& ones,
               std::uint64_t& zeros);

  VerilogFile& file_;
  VerilogLexer lexer_;
  Token token_;
  Module* module_ = nullptr;
  int nesting_ = 0;
  bool in_parameters_ = false;  // of an instance, where reals may stand
  std::uint32_t stamp_ = 0;
  std::vector<std::uint32_t> signal_of_, stamp_of_;
  std::vector<Connection> scratch_;
};

}  // namespace axmul::detail
