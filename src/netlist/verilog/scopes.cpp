// Instances, their ranges and the names of their nets.
#include "netlist/verilog/scopes.hpp"

#include <algorithm>

#include "netlist/source.hpp"

namespace axmul::detail {

std::uint32_t VerilogScopes::open(const VerilogFile& file, const Module& module,
                                  std::uint32_t parent, std::string_view instance) {
  if (!module.unsupported.empty())
    fail(module.unsupported_id, file.path, module.unsupported_line,
         "module " + in_quotes(module.name) + ": " + module.unsupported +
             (module.unsupported_id == 211
                  ? std::string(" has state; only combinational circuits have a table")
                  : std::string(" is not structural Verilog") + kSynthesizeHint));
  if (scopes_.size() >= options_.max_cells) fail(210, file.path, module.line, "too many instances");
  const ModuleInfo& info = module_info(file, module);
  const NetId first = out_.new_nets(info.nets, module.line);
  scopes_.push_back({&file, &module, &info, first, parent, instance});
  for (std::uint32_t i = 0; i < module.signals.size(); ++i) {
    const Signal& signal = module.signals[i];
    if (signal.is_supply0 || signal.is_supply1)
      for (std::uint32_t k = 0; k < info.ranges[i].width; ++k)
        out_.alias(first + info.ranges[i].offset + k, signal.is_supply1 ? kNetOne : kNetZero,
                   signal.line);
  }
  return static_cast<std::uint32_t>(scopes_.size() - 1);
}

const ModuleInfo& VerilogScopes::module_info(const VerilogFile& file, const Module& module) {
  const auto [found, is_new] = infos_.try_emplace(&module);
  ModuleInfo& info = found->second;
  if (!is_new) return info;
  info.ranges.resize(module.signals.size());
  for (std::size_t i = 0; i < module.signals.size(); ++i) {
    const Signal& signal = module.signals[i];
    ModuleInfo::Range& range = info.ranges[i];
    if (signal.is_parameter) continue;
    if (signal.msb != kNothing) {
      range.msb = constants_.value(file, module, signal.msb);
      range.lsb = constants_.value(file, module, signal.lsb);
      const std::int64_t width = std::abs(range.msb - range.lsb) + 1;
      if (width > kMaxVectorWidth)
        fail(210, file.path, signal.line,
             in_quotes(signal.name) + " has " + std::to_string(width) + " bits; at most " +
                 std::to_string(kMaxVectorWidth) + " are possible");
      range.width = static_cast<std::uint32_t>(width);
    }
    range.offset = info.nets;
    info.nets += range.width;
    if (info.nets > options_.max_cells) fail(210, file.path, signal.line, "too many nets");
  }
  return info;
}

std::string VerilogScopes::net_name(NetId net) const {
  if (net <= kNetOne) return net == kNetOne ? "1" : "0";
  auto found = std::upper_bound(scopes_.begin(), scopes_.end(), net,
                                [](NetId n, const Scope& s) { return n < s.first; });
  while (found != scopes_.begin()) {
    const Scope& scope = *--found;
    if (net >= scope.first + scope.info->nets) break;
    for (std::size_t i = 0; i < scope.module->signals.size(); ++i) {
      const ModuleInfo::Range& r = scope.info->ranges[i];
      if (scope.module->signals[i].is_parameter || net < scope.first + r.offset ||
          net >= scope.first + r.offset + r.width)
        continue;
      std::string name(scope.module->signals[i].name);
      const auto k = static_cast<std::int64_t>(net - scope.first - r.offset);
      if (scope.module->signals[i].msb != kNothing)
        name += "[" + std::to_string(r.msb >= r.lsb ? r.lsb + k : r.lsb - k) + "]";
      const Scope* at = &scope;
      for (int depth = 0; !at->instance.empty() && depth < kMaxHierarchy; ++depth) {
        name = std::string(at->instance) + "." + name;
        at = &scopes_[at->parent];
      }
      return name;
    }
  }
  return Assembler::kUnnamed;
}

void check_direction(const VerilogFile& file, const Module& module, const Signal& port) {
  if (port.is_input || port.is_output) return;
  if (port.is_inout)
    fail(202, file.path, port.line,
         "inout port " + in_quotes(port.name) + " of module " + in_quotes(module.name) +
             " is no supply (VDD, VSS, VPWR, VGND …); only inputs and outputs can be simulated");
  fail(201, file.path, port.line,
       "port " + in_quotes(port.name) + " of module " + in_quotes(module.name) +
           " is neither input nor output");
}

}  // namespace axmul::detail
