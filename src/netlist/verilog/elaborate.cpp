// Reading Verilog: chooses the top module of a parsed file and flattens it.
#include <filesystem>
#include <unordered_set>

#include "netlist/cells.hpp"
#include "netlist/source.hpp"
#include "netlist/verilog/instances.hpp"

namespace axmul::detail {

namespace {

const Module* module_named(const VerilogFile& file, std::string_view name) {
  for (const Module& module : file.modules)
    if (module.name == name && !module.udp) return &module;
  return nullptr;
}

std::string list_names(const std::vector<const Module*>& modules) {
  std::string text;
  for (std::size_t i = 0; i < modules.size() && i < 10; ++i)
    text += (i == 0 ? "" : ", ") + std::string(modules[i]->name);
  return modules.size() > 10 ? text + ", …" : text;
}

const Module& find_top(const VerilogFile& file, const NetlistOptions& options) {
  std::vector<const Module*> all;
  for (const Module& module : file.modules)
    if (!module.udp) all.push_back(&module);
  if (!options.top.empty()) {
    if (const Module* module = module_named(file, options.top)) return *module;
    fail(
        204, file.path, 0,
        "there is no module " + in_quotes(options.top) + " (--top); there are: " + list_names(all));
  }
  if (all.empty()) fail(204, file.path, 0, "there is no module in this file");
  std::string stem = std::filesystem::path(file.path).stem().string();
  if (const Module* module = module_named(file, stem)) return *module;
  for (const std::string_view suffix : {"_pdk45", "_gen"})
    if (stem.ends_with(suffix))
      if (const Module* module = module_named(file, stem.substr(0, stem.size() - suffix.size())))
        return *module;
  std::unordered_set<std::string_view> used;
  for (const Module& module : file.modules)
    for (const Instance& instance : module.instances) used.insert(instance.cell);
  std::vector<const Module*> roots;
  for (const Module* module : all)
    if (!used.contains(module->name)) roots.push_back(module);
  if (roots.size() > 1) {
    // Definitions of known cells that happen to be unused are no candidates.
    std::vector<const Module*> circuits;
    for (const Module* module : roots)
      if (builtin_cell(module->name) == nullptr) circuits.push_back(module);
    if (circuits.size() == 1) return *circuits[0];
  }
  if (roots.size() == 1) return *roots[0];
  if (roots.empty())
    fail(204, file.path, all[0]->line,
         "every module is instantiated by another; choose one with --top");
  fail(204, file.path, roots[1]->line,
       "which module is the circuit? candidates: " + list_names(roots) + "; choose one with --top");
}

Netlist elaborate(const VerilogFile& file, const NetlistOptions& options) {
  return flatten(file, find_top(file, options), options);
}

}  // namespace

}  // namespace axmul::detail

namespace axmul {

Netlist read_verilog_text(std::string_view text, const std::string& path,
                          const NetlistOptions& options) {
  return detail::elaborate(*detail::parse_verilog(std::string(text), path), options);
}

Netlist read_verilog(const std::string& path, const NetlistOptions& options) {
  return detail::elaborate(
      *detail::parse_verilog(detail::read_source(path, options.max_file_bytes), path), options);
}

void CellLibrary::add_verilog(const std::string& path) {
  impl_->verilog.push_back(
      detail::parse_verilog(detail::read_source(path, std::size_t{64} << 20), path));
}

}  // namespace axmul
