// Designs of several Verilog files, their top modules and parameters.
#include "netlist/verilog/design.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <unordered_set>

#include "axmul/netlist/circuits.hpp"
#include "netlist/cells.hpp"
#include "netlist/source.hpp"
#include "netlist/verilog/constants.hpp"
#include "netlist/verilog/lexer.hpp"
#include "netlist/verilog/numbers.hpp"
#include "netlist/verilog/preprocess.hpp"

namespace axmul::detail {

namespace {

const Module* module_named(const VerilogFile& file, std::string_view name) {
  for (const Module& module : file.modules)
    if (module.name == name && !module.udp) return &module;
  return nullptr;
}

std::string list_names(const std::vector<TopModule>& modules) {
  std::string text;
  for (std::size_t i = 0; i < modules.size() && i < 10; ++i)
    text += (i == 0 ? "" : ", ") + std::string(modules[i].module->name);
  return modules.size() > 10 ? text + ", …" : text;
}

/// Of a single file the module named as it.
const Module* named_as_file(const VerilogFile& file) {
  std::string stem = std::filesystem::path(file.path).stem().string();
  if (const Module* module = module_named(file, stem)) return module;
  for (const std::string_view suffix : {"_pdk45", "_gen"})
    if (stem.ends_with(suffix))
      if (const Module* module = module_named(file, stem.substr(0, stem.size() - suffix.size())))
        return module;
  return nullptr;
}

/// Modules that no other instantiates, not even where it was not parsed.
std::vector<TopModule> roots_of(const std::vector<TopModule>& all, const VerilogFiles& files) {
  std::unordered_set<std::string_view> used;
  for (const auto& file : files)
    for (const Module& module : file->modules) {
      for (const Instance& instance : module.instances) used.insert(instance.cell);
      used.insert(module.mentioned.begin(), module.mentioned.end());
    }
  std::vector<TopModule> roots;
  for (const TopModule& top : all)
    if (!used.contains(top.module->name)) roots.push_back(top);
  return roots;
}

enum class Shape { two_inputs, product, product_of_8x8 };

bool is_multiplier_shaped(const TopModule& top, Shape shape) {
  std::vector<std::int64_t> inputs;
  std::int64_t output = 0;
  for (const ModulePort& port : ports_of(top)) {
    if (port.width == 0) return false;
    if (port.is_output)
      output = std::max(output, port.width);
    else if (port.width > 1)
      inputs.push_back(port.width);
  }
  if (inputs.size() != 2) return false;
  if (shape == Shape::two_inputs) return output >= std::max(inputs[0], inputs[1]);
  return output == inputs[0] + inputs[1] &&
         (shape == Shape::product || (inputs[0] == 8 && inputs[1] == 8));
}

/// As test benches have none.
bool has_no_ports(const Module& module) { return module.has_header && module.ports.empty(); }

/// Those that a predicate keeps, if it keeps any.
template <class Keep>
void narrow(std::vector<TopModule>& candidates, Keep&& keep) {
  std::vector<TopModule> kept;
  std::ranges::copy_if(candidates, std::back_inserter(kept), keep);
  if (candidates.size() > 1 && !kept.empty()) candidates = kept;
}

[[noreturn]] void no_top(const std::string& top, const std::string& path,
                         const std::vector<TopModule>& all) {
  fail(204, path, 0,
       "there is no module " + in_quotes(top) + " (--top); there are: " + list_names(all));
}

/// options.parameters as values; each is a number of Verilog: 8, 0x7f, 8'hff.
std::vector<ParameterValue> given_parameters(const NetlistOptions& options) {
  std::vector<ParameterValue> values;
  for (const auto& [name, text] : options.parameters) {
    const std::string number = text.starts_with("0x") ? "'h" + text.substr(2) : text;
    static const std::string kWhere = "--param";
    VerilogLexer lexer(number, kWhere);
    const Token token = lexer.next();
    if (token.kind != TokenKind::number || lexer.next().kind != TokenKind::end)
      throw UsageError(218,
                       "--param " + name + "=" + text + ": a number is needed, such as 8 or 8'hff");
    ParameterValue value{name, {}, {}};
    value.value = parse_number(token, kWhere, value.words);
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

VerilogFiles parse_design(std::string text, const std::string& path,
                          const NetlistOptions& options) {
  const VerilogMacros macros{options.defines, options.include_folders, options.max_file_bytes};
  const auto parse = [&](std::string source, const std::string& file) {
    if (needs_preprocessing(source)) source = preprocess_verilog(source, file, macros);
    return parse_verilog(std::move(source), file);
  };
  VerilogFiles files{parse(std::move(text), path)};
  for (const std::string& file : options.files)
    if (file != path) files.push_back(parse(read_source(file, options.max_file_bytes), file));
  return files;
}

TopModule find_top(const VerilogFiles& files, const NetlistOptions& options) {
  std::vector<TopModule> all;
  for (const auto& file : files)
    for (const Module& module : file->modules)
      if (!module.udp) all.push_back({file.get(), &module});
  const std::string& path = files[0]->path;
  if (!options.top.empty()) {
    for (const TopModule& top : all)
      if (top.module->name == options.top) return top;
    no_top(options.top, path, all);
  }
  if (all.empty()) fail(204, path, 0, "there is no module in this file");
  if (files.size() == 1)
    if (const Module* module = named_as_file(*files[0]);
        module != nullptr && !has_no_ports(*module))
      return {files[0].get(), module};
  std::vector<TopModule> roots = roots_of(all, files);
  if (roots.empty())
    fail(204, path, all[0].module->line,
         "every module is instantiated by another; choose one with --top");
  // Definitions of known cells that happen to be unused are no candidates, nor are test benches.
  narrow(roots, [](const TopModule& top) { return builtin_cell(top.module->name) == nullptr; });
  narrow(roots, [](const TopModule& top) { return !has_no_ports(*top.module); });
  for (const Shape shape : {Shape::two_inputs, Shape::product, Shape::product_of_8x8})
    narrow(roots, [&](const TopModule& top) { return is_multiplier_shaped(top, shape); });
  if (roots.size() > 1)
    fail(204, roots[1].file->path, roots[1].module->line,
         "which module is the circuit? candidates: " + list_names(roots) +
             "; choose one with --top");
  const Module& module = *roots[0].module;
  if (has_no_ports(module) && !module.unsupported.empty())
    throw NotMultiplierError("test benches (modules without ports)",
                             Place{roots[0].file->path, module.line},
                             "module " + in_quotes(module.name) +
                                 " has no ports, as test benches have none; name the circuit's "
                                 "module with --top, or give its own file");
  return roots[0];
}

std::vector<ModulePort> ports_of(const TopModule& top) {
  VerilogConstants constants;
  std::vector<ModulePort> ports;
  for (const std::uint32_t index : top.module->ports) {
    const Signal& signal = top.module->signals[index];
    if (signal.is_inout) continue;
    ModulePort port{std::string(signal.name), 1, signal.is_output, signal.is_signed};
    if (!signal.is_input && !signal.is_output) port.width = 0;
    if (signal.msb != kNothing) try {
        port.width = std::abs(constants.value(*top.file, *top.module, signal.msb) -
                              constants.value(*top.file, *top.module, signal.lsb)) +
                     1;
      } catch (const InputError&) {
        port.width = 0;
      }
    ports.push_back(std::move(port));
  }
  return ports;
}

std::shared_ptr<const VerilogFile> with_parameters(const VerilogFile& file, const Module& module,
                                                   const std::vector<ParameterValue>& values,
                                                   const std::string& path, std::size_t line) {
  const auto copy = std::make_shared<VerilogFile>();
  copy->path = file.path;
  copy->modules = {module};
  copy->nodes = file.nodes;
  copy->constants = file.constants;
  copy->words = file.words;
  copy->lists = file.lists;
  copy->connections = file.connections;
  std::vector<Signal*> parameters;
  std::string known;
  for (Signal& signal : copy->modules[0].signals)
    if (signal.is_parameter) {
      parameters.push_back(&signal);
      known += (known.empty() ? "" : ", ") + std::string(signal.name);
    }
  for (std::size_t k = 0; k < values.size(); ++k) {
    const ParameterValue& value = values[k];
    const auto found =
        value.name.empty()
            ? parameters.begin() + static_cast<std::ptrdiff_t>(std::min(k, parameters.size()))
            : std::ranges::find_if(parameters,
                                   [&](const Signal* p) { return p->name == value.name; });
    if (found == parameters.end())
      fail(218, path, line,
           "module " + in_quotes(module.name) + " has no parameter " +
               (value.name.empty() ? std::to_string(k + 1) : in_quotes(value.name)) +
               (known.empty() ? "; it has none" : "; it has " + known));
    Constant constant = value.value;
    constant.first_word = static_cast<std::uint32_t>(copy->words.size());
    copy->words.insert(copy->words.end(), value.words.begin(), value.words.end());
    copy->constants.push_back(constant);
    copy->nodes.push_back({NodeKind::constant, 1, static_cast<std::uint32_t>(line),
                           static_cast<std::uint32_t>(copy->constants.size() - 1), 0, 0});
    (*found)->value = static_cast<std::uint32_t>(copy->nodes.size() - 1);
  }
  return copy;
}

TopModule with_given_parameters(VerilogFiles& files, const TopModule& top,
                                const NetlistOptions& options) {
  if (options.parameters.empty()) return top;
  files.push_back(with_parameters(*top.file, *top.module, given_parameters(options), top.file->path,
                                  top.module->line));
  return {files.back().get(), &files.back()->modules[0]};
}

}  // namespace axmul::detail
