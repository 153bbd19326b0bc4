// Instances of modules and the nets of their signals.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "axmul/netlist/readers.hpp"
#include "netlist/assembler.hpp"
#include "netlist/verilog/constants.hpp"
#include "netlist/verilog/syntax.hpp"

namespace axmul::detail {

inline constexpr int kMaxHierarchy = 64;

/// Ranges of a module's signals, computed once: an instance only adds net numbers.
struct ModuleInfo {
  struct Range {
    std::int64_t msb = 0, lsb = 0;
    std::uint32_t width = 1;
    std::uint32_t offset = 0;  // of its first net in the scope's block
  };
  std::vector<Range> ranges;
  std::uint32_t nets = 0;
};

/// One instance of a module; its nets are a block of consecutive numbers.
struct Scope {
  const VerilogFile* file;
  const Module* module;
  const ModuleInfo* info;
  NetId first;
  std::uint32_t parent;  // index of the enclosing scope
  std::string_view instance;
};

/// All instances of the design, by index.
class VerilogScopes {
 public:
  VerilogScopes(const NetlistOptions& options, Assembler& out) : options_(options), out_(out) {}

  /// A new instance with fresh nets; supply nets are driven. Returns its index. Throws AX202, AX211
  /// (what the module contains cannot be in a netlist), AX209 and AX210 (its ranges).
  std::uint32_t open(const VerilogFile& file, const Module& module, std::uint32_t parent,
                     std::string_view instance);

  const Scope& operator[](std::uint32_t scope) const { return scopes_[scope]; }
  const ModuleInfo::Range& range(std::uint32_t scope, std::uint32_t signal) const {
    return scopes_[scope].info->ranges[signal];
  }
  /// The first net of a signal: its rightmost bit.
  NetId base(std::uint32_t scope, std::uint32_t signal) const {
    return scopes_[scope].first + range(scope, signal).offset;
  }
  std::int64_t constant(std::uint32_t scope, std::uint32_t n) {
    return constants_.value(*scopes_[scope].file, *scopes_[scope].module, n);
  }
  /// The hierarchical name of a net, Assembler::kUnnamed for nets inside expressions.
  std::string net_name(NetId net) const;

 private:
  const ModuleInfo& module_info(const VerilogFile& file, const Module& module);

  const NetlistOptions& options_;
  Assembler& out_;
  VerilogConstants constants_;
  std::vector<Scope> scopes_;
  std::unordered_map<const Module*, ModuleInfo> infos_;
};

/// Throws AX201 for a port that is neither input nor output.
void check_direction(const VerilogFile& file, const Module& module, const Signal& port);

}  // namespace axmul::detail
