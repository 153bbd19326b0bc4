// Verilog tokens.
#include "netlist/verilog/lexer.hpp"

#include <algorithm>
#include <cstring>

#include "netlist/source.hpp"

namespace axmul::detail {

namespace {

constexpr std::string_view kKeywords[] = {
    "module",     "endmodule", "primitive", "endprimitive", "table",    "endtable",    "specify",
    "endspecify", "input",     "output",    "inout",        "wire",     "tri",         "reg",
    "integer",    "supply0",   "supply1",   "signed",       "assign",   "parameter",   "localparam",
    "and",        "or",        "xor",       "nand",         "nor",      "xnor",        "buf",
    "not",        "always",    "initial",   "function",     "task",     "generate",    "genvar",
    "for",        "if",        "case",      "begin",        "defparam", "bufif0",      "bufif1",
    "notif0",     "notif1",    "wand",      "wor",          "tri0",     "tri1",        "triand",
    "trior",      "real",      "time",      "event",        "nmos",     "pmos",        "cmos",
    "tran",       "pullup",    "pulldown",  "macromodule",  "logic",    "always_comb", "always_ff"};
static_assert(std::size(kKeywords) == static_cast<std::size_t>(Keyword::k_count));

enum : std::uint8_t { kOther = 0, kBlank = 1, kStart = 2, kDigit = 4 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (const char c : {' ', '\t', '\r', '\n', '\f', '\v'})
    classes[static_cast<unsigned char>(c)] = kBlank;
  for (int c = 'a'; c <= 'z'; ++c) classes[static_cast<std::size_t>(c)] = kStart;
  for (int c = 'A'; c <= 'Z'; ++c) classes[static_cast<std::size_t>(c)] = kStart;
  classes['_'] = kStart;
  classes['$'] = kStart;  // system tasks, in skipped parts only
  for (int c = '0'; c <= '9'; ++c) classes[static_cast<std::size_t>(c)] = kDigit;
  return classes;
}
constexpr std::array<std::uint8_t, 256> kClass = make_classes();

std::uint8_t class_of(char c) { return kClass[static_cast<unsigned char>(c)]; }
bool is_word(char c) { return (class_of(c) & (kStart | kDigit)) != 0; }

std::uint32_t hash_of(std::string_view name) {
  std::uint64_t h = 0x9E3779B97F4A7C15u ^ name.size();
  const char* p = name.data();
  std::size_t n = name.size();
  for (; n >= 8; p += 8, n -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    h = (h ^ word) * 0xFF51AFD7ED558CCDu;
    h ^= h >> 32;
  }
  std::uint64_t tail = 0;
  for (std::size_t i = 0; i < n; ++i)
    tail |= static_cast<std::uint64_t>(static_cast<unsigned char>(p[i])) << (8 * i);
  h = (h ^ tail) * 0xFF51AFD7ED558CCDu;
  return static_cast<std::uint32_t>(h >> 32);
}

}  // namespace

VerilogLexer::VerilogLexer(std::string_view text, const std::string& path)
    : text_(text), path_(path) {
  slots_.assign(2048, 0);
  names_.reserve(1024);
  hashes_.reserve(1024);
  for (const std::string_view keyword : kKeywords) intern(keyword);
}

void VerilogLexer::grow() {
  slots_.assign(slots_.size() * 2, 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t id = 0; id < names_.size(); ++id) {
    std::size_t slot = hashes_[id] & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = id + 1;
  }
}

std::uint32_t VerilogLexer::intern(std::string_view name) {
  const std::uint32_t hash = hash_of(name);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    if (slots_[slot] == 0) {
      const auto id = static_cast<std::uint32_t>(names_.size());
      slots_[slot] = id + 1;
      names_.push_back(name);
      hashes_.push_back(hash);
      if (names_.size() * 2 > slots_.size()) grow();
      return id;
    }
    const std::uint32_t id = slots_[slot] - 1;
    if (hashes_[id] == hash && names_[id] == name) return id;
  }
}

void VerilogLexer::skip_directive() {
  std::size_t end = pos_ + 1;
  while (is_word(at(end))) ++end;
  const std::string_view name = text_.substr(pos_ + 1, end - pos_ - 1);
  for (const std::string_view known :
       {"timescale", "celldefine", "endcelldefine", "default_nettype", "resetall",
        "delay_mode_path", "delay_mode_unit", "delay_mode_distributed", "delay_mode_zero",
        "suppress_faults", "nosuppress_faults", "enable_portfaults", "disable_portfaults",
        "nounconnected_drive", "unconnected_drive", "line", "pragma", "begin_keywords",
        "end_keywords"}) {
    if (name != known) continue;
    while (pos_ < text_.size() && text_[pos_] != '\n') {
      if (text_[pos_] == '/' && (at(pos_ + 1) == '/' || at(pos_ + 1) == '*')) return;
      ++pos_;
    }
    return;
  }
  fail(202, path_, line_,
       "compiler directive " + in_quotes(text_.substr(pos_, end - pos_)) +
           " is not supported; preprocess the file first (iverilog -E)");
}

void VerilogLexer::skip_blanks() {
  const std::size_t size = text_.size();
  while (pos_ < size) {
    const char c = text_[pos_];
    if (c == '\n') {
      ++line_;
      ++pos_;
    } else if (class_of(c) == kBlank) {
      ++pos_;
    } else if (c == '/' && at(pos_ + 1) == '/') {
      const void* end = std::memchr(text_.data() + pos_, '\n', size - pos_);
      pos_ = end == nullptr
                 ? size
                 : static_cast<std::size_t>(static_cast<const char*>(end) - text_.data());
    } else if (c == '/' && at(pos_ + 1) == '*') {
      const std::size_t end = text_.find("*/", pos_ + 2);
      if (end == std::string_view::npos) fail(201, path_, line_, "comment /* without */");
      line_ += static_cast<std::uint32_t>(
          std::count(text_.begin() + static_cast<std::ptrdiff_t>(pos_),
                     text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
      pos_ = end + 2;
    } else if (c == '`') {
      skip_directive();
    } else if (c == '(' && at(pos_ + 1) == '*' && at(pos_ + 2) != ')') {
      const std::size_t end = text_.find("*)", pos_ + 2);
      if (end == std::string_view::npos) fail(201, path_, line_, "attribute (* without *)");
      line_ += static_cast<std::uint32_t>(
          std::count(text_.begin() + static_cast<std::ptrdiff_t>(pos_),
                     text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
      pos_ = end + 2;
    } else {
      return;
    }
  }
}

Token VerilogLexer::next() {
  skip_blanks();
  Token token;
  token.line = line_;
  if (pos_ >= text_.size()) return token;
  const char c = text_[pos_];
  switch (class_of(c)) {
    case kStart:
      return identifier();
    case kDigit:
      return number();
    default:
      break;
  }
  if (c == '\'') return number();
  if (c == '\\') return escaped_identifier();
  if (c == '"') return string();
  return punctuation();
}

Token VerilogLexer::identifier() {
  const std::size_t start = pos_;
  while (pos_ < text_.size() && is_word(text_[pos_])) ++pos_;
  Token token;
  token.kind = TokenKind::identifier;
  token.line = line_;
  token.text = text_.substr(start, pos_ - start);
  token.id = intern(token.text);
  if (token.id < static_cast<std::uint32_t>(Keyword::k_count)) {
    token.kind = TokenKind::keyword;
    token.keyword = static_cast<Keyword>(token.id);
  }
  return token;
}

Token VerilogLexer::escaped_identifier() {
  const std::size_t start = ++pos_;
  while (pos_ < text_.size() && class_of(text_[pos_]) != kBlank) ++pos_;
  Token token;
  token.kind = TokenKind::identifier;
  token.line = line_;
  token.text = text_.substr(start, pos_ - start);
  if (token.text.empty()) fail(201, path_, line_, "escaped identifier \\ without a name");
  token.id = intern(token.text);
  // \and is a name, not the keyword: it gets an identifier of its own by keeping the backslash.
  if (token.id < static_cast<std::uint32_t>(Keyword::k_count)) {
    token.text = text_.substr(start - 1, pos_ - start + 1);
    token.id = intern(token.text);
  }
  return token;
}

Token VerilogLexer::number() {
  const std::size_t start = pos_;
  while (class_of(at(pos_)) == kDigit || at(pos_) == '_') ++pos_;
  std::size_t quote = pos_;
  while (at(quote) == ' ' || at(quote) == '\t') ++quote;
  if (at(quote) == '\'') {
    std::size_t base = quote + 1;
    if (at(base) == 's' || at(base) == 'S') ++base;
    if (std::strchr("bBoOdDhH", at(base)) == nullptr || at(base) == '\0')
      fail(202, path_, line_,
           "number base expected after '; casts and '0, '1 of SystemVerilog are read with "
           "--synthesize");
    pos_ = base + 1;
    while (at(pos_) == ' ' || at(pos_) == '\t') ++pos_;
    while (is_word(at(pos_)) || at(pos_) == '?') ++pos_;
  }
  Token token;
  token.kind = TokenKind::number;
  token.line = line_;
  token.text = text_.substr(start, pos_ - start);
  return token;
}

Token VerilogLexer::string() {
  const std::size_t start = pos_++;
  while (pos_ < text_.size() && text_[pos_] != '"' && text_[pos_] != '\n')
    pos_ += text_[pos_] == '\\' ? 2 : 1;
  if (pos_ >= text_.size() || text_[pos_] != '"')
    fail(201, path_, line_, "string without a closing quote");
  ++pos_;
  Token token;
  token.kind = TokenKind::text;
  token.line = line_;
  token.text = text_.substr(start, pos_ - start);
  return token;
}

Token VerilogLexer::punctuation() {
  static constexpr std::string_view kLong[] = {"===", "!==", "<<<", ">>>", "&&&"};
  static constexpr std::string_view kPairs[] = {
      "&&", "||", "==", "!=", "<<", ">>", "~&", "~|", "~^",
      "^~", "+:", "-:", "<=", ">=", "**", "=>", "*>"};
  const char c = text_[pos_];
  if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F)
    fail(201, path_, line_,
         "unexpected byte " + std::to_string(static_cast<unsigned char>(c)) + "; not Verilog text");
  std::size_t length = 1;
  const char d = at(pos_ + 1);
  if (d != '\0' && std::strchr("&|=<>^~:*", d) != nullptr) {
    const std::string_view rest = text_.substr(pos_);
    for (const std::string_view pair : kPairs)
      if (rest.starts_with(pair)) length = 2;
    for (const std::string_view longer : kLong)
      if (rest.starts_with(longer)) length = 3;
  }
  Token token;
  token.kind = TokenKind::symbol;
  token.line = line_;
  token.text = text_.substr(pos_, length);
  token.symbol = symbol(c, length > 1 ? d : '\0', length > 2 ? at(pos_ + 2) : '\0');
  pos_ += length;
  return token;
}

std::string VerilogLexer::raw_until(std::string_view stop) {
  std::string raw;
  const std::uint32_t first_line = line_;
  while (pos_ < text_.size()) {
    const char c = text_[pos_];
    if (c == '/' && (at(pos_ + 1) == '/' || at(pos_ + 1) == '*')) {
      skip_blanks();
      raw += ' ';
      continue;
    }
    if (text_.substr(pos_).starts_with(stop)) return raw;
    if (c == '\n') ++line_;
    raw += c;
    ++pos_;
  }
  fail(201, path_, first_line, std::string(stop) + " is missing");
}

}  // namespace axmul::detail
