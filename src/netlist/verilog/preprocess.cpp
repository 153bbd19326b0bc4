// The preprocessor of Verilog, one pass over the text.
#include "netlist/verilog/preprocess.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "netlist/source.hpp"

namespace axmul::detail {

namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 64;  // of macros in macros, files in files
constexpr std::size_t kMaxExpansions = 1'000'000;

/// Directives that mean nothing here; the lexer passes over them with the rest of their line.
constexpr std::array<std::string_view, 22> kPassedOver = {"timescale",
                                                          "celldefine",
                                                          "endcelldefine",
                                                          "default_nettype",
                                                          "resetall",
                                                          "delay_mode_path",
                                                          "delay_mode_unit",
                                                          "delay_mode_zero",
                                                          "delay_mode_distributed",
                                                          "suppress_faults",
                                                          "nosuppress_faults",
                                                          "enable_portfaults",
                                                          "disable_portfaults",
                                                          "nounconnected_drive",
                                                          "unconnected_drive",
                                                          "line",
                                                          "pragma",
                                                          "begin_keywords",
                                                          "end_keywords",
                                                          "default_decay_time",
                                                          "default_trireg_strength",
                                                          "accelerate"};

bool is_passed_over(std::string_view name) {
  return std::ranges::find(kPassedOver, name) != kPassedOver.end();
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$';
}

std::string_view word_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_word(text[end])) ++end;
  return text.substr(at, end - at);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

struct Macro {
  bool has_parameters = false;
  std::vector<std::string> parameters{}, defaults{};
  std::string body{};
};

/// Splits "a, (b, c), d" at commas outside brackets and strings.
std::vector<std::string> split_arguments(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool in_string = false;
  for (const char c : text) {
    if (c == '"') in_string = !in_string;
    if (!in_string && (c == '(' || c == '[' || c == '{')) ++depth;
    if (!in_string && (c == ')' || c == ']' || c == '}')) --depth;
    if (c == ',' && depth == 0 && !in_string)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  for (std::string& part : parts) part = trimmed(part);
  return parts;
}

class Preprocessor {
 public:
  explicit Preprocessor(const VerilogMacros& options) : options_(options) {
    for (const std::string& define : options.defines) {
      const std::size_t equal = define.find('=');
      macros_[define.substr(0, equal)].body =
          equal == std::string::npos ? "" : define.substr(equal + 1);
    }
  }

  std::string run(std::string_view text, const std::string& path) {
    file(text, path, 0);
    return std::move(out_);
  }

 private:
  struct Condition {
    bool outer, taken, active;
    std::size_t line;
  };

  /// The text that is being read, and where.
  struct Reader {
    std::string_view text;
    const std::string& path;
    std::size_t at = 0, line = 1;
    int depth = 0;
    bool flat = false;  // newlines become blanks: included files, macro bodies
  };

  [[noreturn]] static void error(const Reader& in, const std::string& what) {
    fail(215, in.path, in.line, what);
  }

  bool active() const { return conditions_.empty() || conditions_.back().active; }

  void put(const Reader& in, std::string_view text) {
    if (!active()) return;
    if (out_.size() + text.size() > options_.max_bytes)
      fail(210, in.path, in.line,
           "the preprocessed text has more than " + std::to_string(options_.max_bytes) + " bytes");
    out_ += text;
  }

  void newline(Reader& in) {
    ++in.line;
    out_ += in.flat ? ' ' : '\n';
  }

  void file(std::string_view text, const std::string& path, int depth) {
    Reader in{text, path, 0, 1, depth, depth > 0};
    const std::size_t open = conditions_.size();
    scan(in);
    if (conditions_.size() > open)
      fail(215, path, conditions_.back().line,
           "`endif is missing for the condition that starts here");
  }

  void scan(Reader& in) {
    while (in.at < in.text.size()) {
      const char c = in.text[in.at];
      const std::string_view two = in.text.substr(in.at, 2);
      if (c == '\n') {
        newline(in);
        ++in.at;
      } else if (two == "//" || two == "/*") {
        comment(in, two == "//");
      } else if (c == '"') {
        string(in);
      } else if (c == '`') {
        directive(in);
      } else {
        const std::size_t end =
            std::min(in.text.find_first_of("\n/\"`", in.at + 1), in.text.size());
        put(in, in.text.substr(in.at, end - in.at));
        in.at = end;
      }
    }
  }

  void comment(Reader& in, bool is_line) {
    const std::size_t stop = is_line ? in.text.find('\n', in.at) : in.text.find("*/", in.at + 2);
    if (stop == std::string_view::npos && !is_line)
      fail(201, in.path, in.line, "comment /* without */");
    const std::size_t end = is_line ? std::min(stop, in.text.size()) : stop + 2;
    if (!in.flat) put(in, is_line ? in.text.substr(in.at, end - in.at) : std::string_view("/*"));
    for (std::size_t i = in.at; !is_line && i < end; ++i) {
      if (in.text[i] == '\n')
        newline(in);
      else if (!in.flat && i >= in.at + 2)
        put(in, in.text.substr(i, 1));
    }
    put(in, in.flat ? " " : "");
    in.at = end;
  }

  void string(Reader& in) {
    std::size_t end = in.at + 1;
    while (end < in.text.size() && in.text[end] != '"' && in.text[end] != '\n')
      end += in.text[end] == '\\' ? 2 : 1;
    end = std::min(end + 1, in.text.size());
    if (in.text[end - 1] == '\n') --end;  // not closed: the lexer says so
    put(in, in.text.substr(in.at, end - in.at));
    for (std::size_t i = in.at; i < end; ++i)
      if (in.text[i] == '\n') ++in.line;
    in.at = end;
  }

  /// The rest of a line whose end a backslash may carry to the next; comments are cut.
  std::string rest_of_line(Reader& in) {
    std::string rest;
    for (; in.at < in.text.size() && in.text[in.at] != '\n'; ++in.at) {
      const std::string_view two = in.text.substr(in.at, 2);
      if (two == "//") {
        in.at = std::min(in.text.find('\n', in.at), in.text.size());
        break;
      }
      if (two == "/*") {
        const std::size_t end = in.text.find("*/", in.at + 2);
        if (end == std::string_view::npos) fail(201, in.path, in.line, "comment /* without */");
        for (std::size_t i = in.at; i < end; ++i)
          if (in.text[i] == '\n') newline(in);
        in.at = end + 1;
        rest += ' ';
      } else if (two == "\\\n" || in.text.substr(in.at, 3) == "\\\r\n") {
        in.at += in.text[in.at + 1] == '\n' ? 1 : 2;
        newline(in);
        rest += ' ';
      } else {
        rest += in.text[in.at];
      }
    }
    return rest;
  }

  static std::string name_of(std::string_view rest) {
    rest = trimmed(rest);
    return std::string(word_at(rest, 0));
  }

  void directive(Reader& in) {
    const std::string name(word_at(in.text, in.at + 1));
    const std::size_t start = in.at;
    in.at += 1 + name.size();
    if (name == "ifdef" || name == "ifndef" || name == "elsif") {
      const bool defined = macros_.contains(condition_name(in));
      return name == "elsif" ? otherwise(in, defined) : open(in, defined == (name == "ifdef"));
    }
    if (name == "else") return otherwise(in, true);
    if (name == "endif") {
      if (conditions_.empty()) error(in, "`endif without `ifdef");
      return conditions_.pop_back();
    }
    if (!active()) {
      if (name == "define") rest_of_line(in);
      return;
    }
    if (name == "define") return define(in);
    if (name == "undef") {
      macros_.erase(name_of(rest_of_line(in)));
    } else if (name == "undefineall") {
      macros_.clear();
    } else if (name == "include") {
      include(in);
    } else if (is_passed_over(name)) {
      std::size_t end = std::min(in.text.find('\n', in.at), in.text.size());
      if (!in.flat) put(in, in.text.substr(start, end - start));
      in.at = end;
    } else {
      expand(in, name);
    }
  }

  /// A condition's name ends at its word: `ifdef A b `endif may stand in one line.
  std::string condition_name(Reader& in) {
    while (in.at < in.text.size() && (in.text[in.at] == ' ' || in.text[in.at] == '\t')) ++in.at;
    const std::string name(word_at(in.text, in.at));
    if (name.empty()) error(in, "a macro's name is missing after the condition");
    in.at += name.size();
    return name;
  }

  void open(const Reader& in, bool is_true) {
    if (conditions_.size() > 1000) error(in, "conditions nest deeper than 1000");
    const bool outer = active();
    conditions_.push_back({outer, is_true, outer && is_true, in.line});
  }

  void otherwise(const Reader& in, bool is_true) {
    if (conditions_.empty()) error(in, "`else or `elsif without `ifdef");
    Condition& condition = conditions_.back();
    condition.active = condition.outer && !condition.taken && is_true;
    condition.taken |= is_true;
  }

  void define(Reader& in) {
    const std::string text = rest_of_line(in);
    const std::string_view rest = trimmed(text);
    const std::string name(word_at(rest, 0));
    if (name.empty()) error(in, "`define without a name");
    std::string_view body = rest.substr(name.size());
    Macro macro;
    if (body.starts_with('(')) {
      std::size_t close = 1;
      for (int depth = 1; close < body.size(); ++close) {
        if (body[close] == '(') ++depth;
        if (body[close] == ')' && --depth == 0) break;
      }
      if (close >= body.size()) error(in, "the parameters of macro `" + name + " do not end");
      macro.has_parameters = true;
      for (const std::string& part : split_arguments(body.substr(1, close - 1))) {
        const std::size_t equal = part.find('=');
        macro.parameters.emplace_back(trimmed(std::string_view(part).substr(0, equal)));
        macro.defaults.emplace_back(
            equal == std::string::npos ? "" : trimmed(std::string_view(part).substr(equal + 1)));
      }
      body.remove_prefix(close + 1);
    }
    macro.body = trimmed(body);
    macros_[name] = std::move(macro);
  }

  /// The text between the parentheses of a macro's use.
  std::string arguments(Reader& in, const std::string& name) {
    while (in.at < in.text.size() && (is_blank(in.text[in.at]) || in.text[in.at] == '\n')) {
      if (in.text[in.at] == '\n') newline(in);
      ++in.at;
    }
    if (in.at >= in.text.size() || in.text[in.at] != '(')
      error(in, "macro `" + name + " is used without its arguments");
    std::string text;
    for (int depth = 0; in.at < in.text.size(); ++in.at) {
      const char c = in.text[in.at];
      if (c == '\n') newline(in);
      if (c == ')' && --depth == 0) {
        ++in.at;
        return text;
      }
      if (depth > 0) text += c == '\n' ? ' ' : c;
      if (c == '(') ++depth;
    }
    error(in, "the arguments of macro `" + name + " do not end");
  }

  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

  void expand(Reader& in, const std::string& name) {
    const auto found = macros_.find(name);
    if (found == macros_.end())
      error(in, "macro " + in_quotes("`" + name) + " is not defined; give --define " + name +
                    "=TEXT, or include the file that defines it (--include FOLDER)");
    if (in.depth >= kMaxDepth || ++expansions_ > kMaxExpansions)
      error(in, "macro `" + name + " expands itself without end");
    const Macro macro = found->second;
    std::string body = macro.body;
    if (macro.has_parameters)
      body = substituted(in, name, macro, split_arguments(arguments(in, name)));
    Reader inner{body, in.path, 0, in.line, in.depth + 1, true};
    scan(inner);
  }

  std::string substituted(const Reader& in, const std::string& name, const Macro& macro,
                          std::vector<std::string> given) const {
    if (given.size() > macro.parameters.size())
      error(in, "macro `" + name + " takes " + std::to_string(macro.parameters.size()) +
                    " arguments, not " + std::to_string(given.size()));
    given.resize(macro.parameters.size());
    std::string result;
    for (std::size_t i = 0; i < macro.body.size();) {
      const std::string_view word = word_at(macro.body, i);
      const auto which = std::ranges::find(macro.parameters, word);
      if (!word.empty() && which != macro.parameters.end()) {
        const auto k = static_cast<std::size_t>(which - macro.parameters.begin());
        result += given[k].empty() ? macro.defaults[k] : given[k];
      } else if (!word.empty()) {
        result += word;
      } else if (macro.body.compare(i, 2, "``") == 0) {
        ++i;  // joins its neighbours
      } else {
        result += macro.body[i];
      }
      if (result.size() > options_.max_bytes)
        fail(210, in.path, in.line, "a macro grows too large");
      i += std::max<std::size_t>(1, word.size());
    }
    return result;
  }

  /// A file of one of the folders, or below: never one that the name leads out to.
  std::string included_path(const Reader& in, const std::string& name) const {
    std::vector<std::string> folders{fs::absolute(in.path).parent_path().string()};
    folders.insert(folders.end(), options_.folders.begin(), options_.folders.end());
    for (const std::string& folder : folders) {
      std::error_code ignored;
      const fs::path real = fs::weakly_canonical(fs::path(folder) / name, ignored);
      if (!fs::is_regular_file(real, ignored)) continue;
      for (const std::string& wall : folders) {
        const std::string base = fs::weakly_canonical(wall, ignored).string();
        if (real.string().starts_with(base == "/" ? base : base + "/")) return real.string();
      }
      error(in, "includes " + in_quotes(name) +
                    ", which is in none of the design's folders; name its folder with --include");
    }
    error(in, "includes " + in_quotes(name) +
                  ", which is not beside it; name its folder with --include FOLDER");
  }

  void include(Reader& in) {
    const std::string rest = rest_of_line(in);
    const std::size_t open = rest.find_first_of("\"<");
    const std::size_t close =
        open == std::string::npos ? open : rest.find(rest[open] == '"' ? '"' : '>', open + 1);
    if (close == std::string::npos) error(in, "`include needs a file name in quotes");
    if (in.depth >= kMaxDepth) error(in, "files include each other without end");
    const std::string path = included_path(in, rest.substr(open + 1, close - open - 1));
    file(read_source(path, options_.max_bytes), path, in.depth + 1);
    put(in, " ");
  }

  const VerilogMacros& options_;
  std::map<std::string, Macro> macros_;
  std::vector<Condition> conditions_;
  std::string out_;
  std::size_t expansions_ = 0;
};

}  // namespace

bool needs_preprocessing(std::string_view text) {
  for (std::size_t at = text.find('`'); at != std::string_view::npos; at = text.find('`', at + 1))
    if (!is_passed_over(word_at(text, at + 1))) return true;
  return false;
}

std::string preprocess_verilog(std::string_view text, const std::string& path,
                               const VerilogMacros& macros) {
  return Preprocessor(macros).run(text, path);
}

}  // namespace axmul::detail
