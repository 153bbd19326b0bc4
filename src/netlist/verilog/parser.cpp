// Modules, declarations and items of Verilog.
#include "netlist/verilog/parser.hpp"

#include <algorithm>
#include <tuple>

namespace axmul::detail {

VerilogParser::VerilogParser(VerilogFile& file) : file_(file), lexer_(file.text, file.path) {
  file_.nodes.reserve(1024);
  file_.lists.reserve(512);
  file_.connections.reserve(512);
  advance();
}

void VerilogParser::parse() {
  while (token_.kind != TokenKind::end) {
    if (is(Keyword::k_module) || is(Keyword::k_macromodule)) {
      module();
    } else if (is(Keyword::k_primitive)) {
      try {
        primitive();
      } catch (const Behaviour& found) {
        error(202, found.what + " is not supported in a primitive");
      }
    } else if (accept(';')) {
    } else if (token_.kind == TokenKind::identifier || token_.kind == TokenKind::keyword) {
      skip_rest_of_file();
    } else {
      unexpected("\"module\"");
    }
  }
}

// package, typedef, import, interface, function: SystemVerilog outside modules is yosys's.
void VerilogParser::skip_rest_of_file() {
  static constexpr std::string_view kKnown[] = {
      "package", "import", "typedef", "interface", "localparam", "parameter",     "function",
      "task",    "bind",   "program", "class",     "timeunit",   "timeprecision", "config"};
  if (std::ranges::find(kKnown, token_.text) == std::end(kKnown)) unexpected("\"module\"");
  const bool ends_here = token_.text != "package" && token_.text != "interface" &&
                         token_.text != "function" && token_.text != "task" &&
                         token_.text != "program" && token_.text != "class";
  const std::string end = "end" + std::string(token_.text);
  while (token_.kind != TokenKind::end && !(ends_here ? is(';') : token_.text == end)) advance();
  if (token_.kind == TokenKind::end) error(201, (ends_here ? "\";\"" : end) + " is missing");
  advance();
  if (accept(':')) expect_name("name");
}

// --- modules
void VerilogParser::module() {
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
  try {
    module_contents();
  } catch (const Behaviour& found) {
    nesting_ = 0;
    in_parameters_ = false;
    unsupported(202, found.what);
    skip_module();
  }
  advance();
  if (accept(':')) expect_name("module name");
}

void VerilogParser::module_contents() {
  if (token_.kind == TokenKind::identifier && token_.text == "import") behaviour("an import");
  if (accept('#')) header_parameters();
  if (accept('(')) port_list();
  expect(';');
  module_->has_header = true;
  while (!is(Keyword::k_endmodule)) {
    if (token_.kind == TokenKind::end) error(201, "endmodule is missing");
    item();
  }
}

void VerilogParser::header_parameters() {
  expect('(');
  while (!is(')')) {
    accept(Keyword::k_parameter);
    parameter_rest();
    if (!accept(',')) break;
  }
  expect(')');
}

// [signed] [range] name = value
void VerilogParser::parameter_rest() {
  static constexpr std::string_view kTypes[] = {"signed", "unsigned", "integer", "int",     "byte",
                                                "bit",    "logic",    "longint", "time",    "real",
                                                "string", "shortint", "reg",     "realtime"};
  while (std::ranges::find(kTypes, token_.text) != std::end(kTypes)) advance();
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

[[noreturn]] void VerilogParser::redeclared(const Signal& signal, const Token& name) const {
  fail(213, file_.path, name.line,
       in_quotes(name.text) + " is declared twice (first in line " + std::to_string(signal.line) +
           ")");
}

void VerilogParser::port_list() {
  if (accept(')')) return;
  if (is(Keyword::k_input) || is(Keyword::k_output) || is(Keyword::k_inout)) {
    ansi_ports();
  } else {
    do {
      if (is('.')) behaviour("a port of the form .name(expression)");
      const Token name = expect_name("port name");
      add_port(name);
    } while (accept(','));
  }
  expect(')');
}

void VerilogParser::add_port(const Token& name) {
  const std::uint32_t index = signal_index(name);
  Signal& signal = module_->signals[index];
  if (signal.in_port_list)
    fail(213, file_.path, name.line, "port " + in_quotes(name.text) + " is listed twice");
  signal.in_port_list = true;
  module_->ports.push_back(index);
}

void VerilogParser::ansi_ports() {
  Declaration declaration;
  do {
    if (is(Keyword::k_input) || is(Keyword::k_output) || is(Keyword::k_inout))
      declaration = port_declaration();
    const Token name = expect_name("port name");
    if (token_.kind == TokenKind::identifier || is('.') || is('[') || is(':', ':'))
      behaviour("a port of a type of its own (" + in_quotes(name.text) + ")");
    add_port(name);
    declare(name, declaration);
  } while (accept(','));
}

// --- declarations
VerilogParser::Declaration VerilogParser::port_declaration() {
  Declaration declaration;
  declaration.is_input = is(Keyword::k_input);
  declaration.is_output = is(Keyword::k_output);
  declaration.is_inout = is(Keyword::k_inout);
  advance();
  if (token_.kind == TokenKind::identifier &&
      (token_.text == "var" || token_.text == "bit" || token_.text == "byte"))
    behaviour("a port of type " + in_quotes(token_.text));
  if (accept(Keyword::k_wire) || accept(Keyword::k_tri) || accept(Keyword::k_logic)) {
  } else if (accept(Keyword::k_reg)) {
    declaration.is_variable = true;
  }
  declaration.is_signed = accept(Keyword::k_signed);
  if (is('[')) std::tie(declaration.msb, declaration.lsb) = range();
  return declaration;
}

std::pair<std::uint32_t, std::uint32_t> VerilogParser::range() {
  expect('[');
  const std::uint32_t msb = expression();
  expect(':');
  const std::uint32_t lsb = expression();
  expect(']');
  return {msb, lsb};
}

void VerilogParser::declare(const Token& name, const Declaration& declaration) {
  Signal& signal = module_->signals[signal_index(name)];
  const bool is_port = declaration.is_input || declaration.is_output || declaration.is_inout;
  const bool again =
      is_port ? signal.is_input || signal.is_output || signal.is_inout || signal.is_parameter
              : signal.is_declared;
  if (again) redeclared(signal, name);
  if (!signal.is_declared && !signal.is_input && !signal.is_output) signal.line = name.line;
  signal.is_input |= declaration.is_input;
  signal.is_output |= declaration.is_output;
  signal.is_inout |= declaration.is_inout;
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

void VerilogParser::declarations(const Declaration& declaration) {
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

// What a structural netlist cannot contain makes the module unusable, not the file.
void VerilogParser::unsupported(int id, const std::string& what) {
  if (!module_->unsupported.empty()) return;
  module_->unsupported = what;
  module_->unsupported_line = token_.line;
  module_->unsupported_id = id;
}

void VerilogParser::skip_to(Keyword keyword) {
  while (!is(keyword)) {
    if (token_.kind == TokenKind::end)
      error(201,
            keyword == Keyword::k_endmodule ? "endmodule is missing" : "endspecify is missing");
    advance();
  }
}

// To the module's end; names on the way may be modules that it instantiates.
void VerilogParser::skip_module() {
  while (!is(Keyword::k_endmodule)) {
    if (token_.kind == TokenKind::end) error(201, "endmodule is missing");
    if (token_.kind == TokenKind::identifier) module_->mentioned.push_back(token_.text);
    advance();
  }
}

// --- items
void VerilogParser::item() {
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
      return skip_module();
    }
  }
}

void VerilogParser::net_declaration() {
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
void VerilogParser::delay() {
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

void VerilogParser::assigns() {
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

void VerilogParser::parameters() {
  advance();
  do parameter_rest();
  while (accept(','));
  expect(';');
}

void VerilogParser::gates() {
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
      behaviour("a drive strength");
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

void VerilogParser::instances() {
  const Token cell = expect_name("cell name");
  Instance common{cell.text, {}, 0, 0, token_.line, false, is('#')};
  if (is('#')) instance_parameters(common);
  do {
    Instance instance = common;
    instance.line = token_.line;
    if (token_.kind == TokenKind::identifier) {
      instance.name = token_.text;
      advance();
    }
    if (is('[')) {
      range();
      unsupported(202, "an array of instances");
    }
    if (!is('(')) {
      static constexpr std::string_view kTypes[] = {
          "typedef", "import",   "bit",     "byte",   "int",    "var",    "enum",  "always_latch",
          "struct",  "shortint", "longint", "unique", "assert", "assume", "cover", "property"};
      if (std::ranges::find(kTypes, cell.text) != std::end(kTypes) || is(':', ':') || is('.') ||
          is('='))
        behaviour("SystemVerilog's " + in_quotes(cell.text));
      unexpected(instance.name.empty() ? "a module item" : "\"(\"");
    }
    advance();
    connections(instance);
    module_->instances.push_back(instance);
  } while (accept(','));
  expect(';');
}

void VerilogParser::connections(Instance& instance) {
  std::vector<Connection>& list = scratch_;
  list.clear();
  instance.by_name = is('.');
  while (!is(')')) {
    Connection connection{{}, kNothing};
    if (instance.by_name) {
      expect('.');
      if (is('*')) behaviour("a connection .*");
      connection.port = expect_name("port name").text;
      if (is(',') || is(')')) behaviour("a connection by name alone (.name)");
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

// #(.N(8), .INIT(16'h8888)), #(8, 4); #5 and #(1:2:3, 0.5) are delays, which leave no values.
void VerilogParser::instance_parameters(Instance& instance) {
  expect('#');
  if (!accept('(')) {
    advance();
    if (accept('.')) advance();
    return;
  }
  in_parameters_ = true;
  std::vector<Connection> list;
  while (!is(')')) {
    Connection parameter{{}, kNothing};
    if (accept('.')) {
      parameter.port = expect_name("parameter name").text;
      expect('(');
      if (!is(')')) parameter.value = parameter_value();
      expect(')');
    } else {
      parameter.value = parameter_value();
    }
    list.push_back(parameter);
    if (!accept(',')) break;
  }
  in_parameters_ = false;
  expect(')');
  instance.first_parameter = static_cast<std::uint32_t>(file_.connections.size());
  instance.parameter_count = static_cast<std::uint32_t>(list.size());
  file_.connections.insert(file_.connections.end(), list.begin(), list.end());
}

// kNothing for what is no number: "TRUE", delays of three values.
std::uint32_t VerilogParser::parameter_value() {
  if (token_.kind == TokenKind::text) {
    advance();
    return kNothing;
  }
  const std::uint32_t value = expression();
  if (!is(':')) return value;
  while (accept(':')) expression();
  return kNothing;
}

std::shared_ptr<VerilogFile> parse_verilog(std::string text, const std::string& path) {
  const auto file = std::make_shared<VerilogFile>();
  file->path = path;
  file->text = std::move(text);
  VerilogParser(*file).parse();
  return file;
}

}  // namespace axmul::detail
