// Options of commands that read circuits.
#include "cli/circuit_options.hpp"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "axmul/core/errors.hpp"
#include "axmul/core/text.hpp"

namespace axmul::cli {

namespace {

namespace fs = std::filesystem;

/// Files below a folder whose names end so, sorted naturally; hidden ones aside.
std::vector<std::string> files_below(const std::string& folder,
                                     const std::vector<std::string>& endings) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().string();
    const bool fits = std::ranges::any_of(
        endings, [&](const std::string& ending) { return name.ends_with(ending); });
    if (fits && it->is_regular_file(error) && !it->path().filename().string().starts_with("."))
      found.push_back(name);
  }
  std::ranges::sort(found, natural_less);
  return found;
}

/// What "FILE", "FOLDER" and "cells/*.v" stand for.
std::vector<std::string> expanded(const std::string& text,
                                  const std::vector<std::string>& endings) {
  std::error_code ignored;
  if (fs::is_directory(text, ignored)) {
    std::vector<std::string> found = files_below(text, endings);
    if (found.empty())
      throw InputError(203, Place{text},
                       "no files " + endings.front() + " with cells in this folder");
    return found;
  }
  if (fs::exists(text, ignored) || text.find_first_of("*?[") == std::string::npos) return {text};
  glob_t matches{};
  std::vector<std::string> found;
  if (::glob(text.c_str(), 0, nullptr, &matches) == 0)
    for (std::size_t i = 0; i < matches.gl_pathc; ++i) found.emplace_back(matches.gl_pathv[i]);
  ::globfree(&matches);
  if (found.empty()) return {text};
  return found;
}

void read_cells(const Session& session, NetlistOptions& options) {
  auto library = std::make_shared<CellLibrary>();
  for (const std::string& text : session.args.values("liberty"))
    for (const std::string& path : expanded(text, {".lib"})) library->add_liberty(path);
  for (const std::string& text : session.args.values("cells"))
    for (const std::string& path : expanded(text, {".v", ".sv", ".vl"})) try {
        library->add_verilog(path, options.defines);
      } catch (const InputError& error) {
        // Tools read the file themselves, and more of it than axmul does.
        if (error.id() == 200 || !(options.synthesize || options.simulate)) throw;
      }
  options.library = library;
}

}  // namespace

std::vector<OptionSpec> circuit_option_specs() {
  return {
      {"top", "NAME", "Top module of circuits.",
       "named as the file, else the uninstantiated one that has two operands and a product"},
      {"ports", "MAP",
       "Ports of circuits, e.g. a=X,b=Y,p=O, and further inputs with a number: mode=1,mask=0x7f.",
       "by name: A, B and O, Z, P or Y; else by width"},
      {"param", "NAME=NUMBER", "Parameter (VHDL: generic) of the top module.", "", true},
      {"define", "NAME[=TEXT]", "Macro of Verilog for `ifdef and `NAME.", "", true},
      {"include", "FOLDER", "Where `include looks besides the file's own folder.", "", true},
      {"as-one", "",
       "All files named, those of folders and of file lists together are one design (Verilog, "
       "VHDL)."},
      {"filelist",
       "FILE",
       "File list of one design: paths, +incdir+, +define+, -f; also as a DESIGN FILE.f.",
       "",
       true,
       {},
       'f'},
      {"cells", "FILE",
       "Verilog file, folder or pattern ('cells/*.v') with the cells that circuits instantiate.",
       "", true},
      {"liberty", "FILE", "Liberty library with those cells.", "", true},
      {"allow-native-code", "",
       "Compile and run C and C++ models, kept from files, processes and network; without it "
       "their files are skipped."},
      {"function", "NAME", "The function of a C model that has several."},
      {"call", "TEXT", "How it is called where it takes more than a and b, e.g. 'f(a, b, 2)'.",
       "f(a, b) by position"},
      {"native-timeout", "SECONDS",
       "Wall clock for one C model's 65536 calls together, and for its compiler.", "10"},
      {"synthesize", "", "Run yosys on Verilog first (behavioural RTL)."},
      {"simulate", "",
       "Take the table of Verilog from Icarus Verilog, for what yosys does not read (no cost; "
       "needs "
       "--allow-native-code)."}};
}

std::optional<SizedType> type_option(const Session& session) {
  const auto text = session.args.text("type");
  if (!text) return std::nullopt;
  const auto type = parse_sized_type(*text);
  if (!type)
    throw UsageError(353, "--type \"" + *text +
                              "\" is no operand type; write u8u8, s8s8, u8s8, or with other widths "
                              "u8u3, s7s7, u8s4");
  return type;
}

std::optional<OperandWidths> width_option(const Session& session) {
  const auto type = type_option(session);
  const auto text = session.args.text("width");
  std::optional<OperandWidths> widths;
  if (text && !(widths = parse_widths(*text)))
    throw UsageError(353, "--width \"" + *text + "\" is no pair of operand widths; write 8x3");
  if (type && !type->is_8x8()) {
    if (widths && *widths != type->bits)
      throw UsageError(353, "--type " + to_string(*type) + " and --width " + *text + " differ");
    return type->bits;
  }
  return widths;
}

NetlistOptions circuit_options(Session& session) {
  NetlistOptions options;
  options.top = session.args.text_or("top", "");
  // In commands with tables a number is how many rows they show.
  if (options.top.find_first_not_of("0123456789") == std::string::npos) options.top.clear();
  if (const auto map = session.args.text("ports")) options.ports = parse_port_map(*map);
  if (const auto type = type_option(session)) options.type = type->kind;
  options.width = width_option(session);
  if (const auto order = session.args.text("order"))
    options.order = *order == "ab" ? OperandOrder::ab : OperandOrder::ba;
  options.allow_native_code = session.args.has("allow-native-code");
  options.synthesize = session.args.has("synthesize");
  options.simulate = session.args.has("simulate");
  options.function = session.args.text_or("function", "");
  options.call = session.args.text_or("call", "");
  options.defines = session.args.values("define");
  options.include_folders = session.args.values("include");
  for (const std::string& text : session.args.values("param")) {
    const std::size_t equal = text.find('=');
    if (equal == std::string::npos || equal == 0 || equal + 1 == text.size())
      throw UsageError(218, "--param " + text + ": write NAME=NUMBER, such as N=8");
    options.parameters.emplace_back(text.substr(0, equal), text.substr(equal + 1));
  }
  if (const auto seconds = session.args.integer("native-timeout", 1, 86400))
    options.native_timeout_s = static_cast<double>(*seconds);
  if (session.args.has("cells") || session.args.has("liberty")) read_cells(session, options);
  return options;
}

std::vector<std::string> one_design(const Session& session, const std::vector<std::string>& texts) {
  if (!session.args.has("as-one") && !session.args.has("filelist")) return {};
  std::vector<std::string> all;
  std::error_code ignored;
  const std::string folder =
      texts.size() == 1 && fs::is_directory(texts.front(), ignored) ? texts.front() : "";
  for (const std::string& list : session.args.values("filelist")) {
    const std::string inside = folder + "/" + list;
    all.push_back(!folder.empty() && !fs::exists(list, ignored) && fs::exists(inside, ignored)
                      ? inside
                      : list);
    if (!is_file_list(all.back()))
      throw InputError(217, Place{all.back()},
                       "is no file list (a file FILE.f or FILE.fl with a path a line)");
  }
  if (all.empty() || folder.empty()) all.insert(all.end(), texts.begin(), texts.end());
  return all;
}

}  // namespace axmul::cli
