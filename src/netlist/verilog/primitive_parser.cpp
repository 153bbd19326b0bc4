// User-defined primitives of Verilog.
#include <algorithm>

#include "netlist/verilog/parser.hpp"

namespace axmul::detail {

void VerilogParser::primitive() {
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
  udp_rows(body, line);
}

void VerilogParser::udp_rows(const std::string& body, std::uint32_t line) {
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

void VerilogParser::udp_row(const std::string& row, std::uint32_t line, std::uint64_t& ones,
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

}  // namespace axmul::detail
