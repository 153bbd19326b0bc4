// Verilog tokens: one pass over the text, identifiers interned, comments and directives skipped.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace axmul::detail {

enum class TokenKind : std::uint8_t { end, identifier, keyword, number, text, symbol };

enum class Keyword : std::uint8_t {
  k_module,
  k_endmodule,
  k_primitive,
  k_endprimitive,
  k_table,
  k_endtable,
  k_specify,
  k_endspecify,
  k_input,
  k_output,
  k_inout,
  k_wire,
  k_tri,
  k_reg,
  k_integer,
  k_supply0,
  k_supply1,
  k_signed,
  k_assign,
  k_parameter,
  k_localparam,
  k_and,
  k_or,
  k_xor,
  k_nand,
  k_nor,
  k_xnor,
  k_buf,
  k_not,
  // known, but not part of a structural netlist
  k_always,
  k_initial,
  k_function,
  k_task,
  k_generate,
  k_genvar,
  k_for,
  k_if,
  k_case,
  k_begin,
  k_defparam,
  k_bufif0,
  k_bufif1,
  k_notif0,
  k_notif1,
  k_wand,
  k_wor,
  k_tri0,
  k_tri1,
  k_triand,
  k_trior,
  k_real,
  k_time,
  k_event,
  k_nmos,
  k_pmos,
  k_cmos,
  k_tran,
  k_pullup,
  k_pulldown,
  k_macromodule,
  k_logic,
  k_always_comb,
  k_always_ff,
  k_count
};

struct Token {
  TokenKind kind = TokenKind::end;
  Keyword keyword = Keyword::k_count;
  std::uint32_t line = 1;
  std::uint32_t id = 0;      // identifiers: a number per distinct name
  std::uint32_t symbol = 0;  // symbols: their characters, the first in the low byte
  std::string_view text;
};

constexpr std::uint32_t symbol(char a, char b = 0, char c = 0) {
  return static_cast<std::uint32_t>(static_cast<unsigned char>(a)) |
         static_cast<std::uint32_t>(static_cast<unsigned char>(b)) << 8 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 16;
}

class VerilogLexer {
 public:
  VerilogLexer(std::string_view text, const std::string& path);

  /// The next token. Throws AX201 on characters that no token starts with, unfinished comments.
  Token next();
  std::size_t identifier_count() const { return names_.size(); }

  /// The raw text up to (not including) the word `stop`, comments blanked: bodies of UDP tables.
  std::string raw_until(std::string_view stop);

 private:
  void skip_blanks();
  void skip_directive();
  Token identifier();
  Token escaped_identifier();
  Token number();
  Token string();
  Token punctuation();
  std::uint32_t intern(std::string_view name);
  void grow();
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  std::string_view text_;
  const std::string& path_;
  std::size_t pos_ = 0;
  std::uint32_t line_ = 1;
  std::vector<std::string_view> names_;
  std::vector<std::uint32_t> hashes_;
  std::vector<std::uint32_t> slots_;  // open addressing, entry + 1
};

}  // namespace axmul::detail
