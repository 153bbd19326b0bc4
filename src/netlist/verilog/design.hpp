// A design of one or several Verilog files: parsed, its top module chosen.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "axmul/netlist/readers.hpp"
#include "netlist/verilog/syntax.hpp"

namespace axmul::detail {

using VerilogFiles = std::vector<std::shared_ptr<const VerilogFile>>;

/// The text, preprocessed, and the options' further files. Throws as read_verilog(), AX215.
VerilogFiles parse_design(std::string text, const std::string& path, const NetlistOptions& options);

struct TopModule {
  const VerilogFile* file;
  const Module* module;
};

/// The module that the design is about: options.top; of a single file the one named as it; else the
/// only one that no other instantiates, has ports and is no cell; else of these the only one with
/// two operand inputs and a product output. Throws AX204, NotMultiplierError for a test bench.
TopModule find_top(const VerilogFiles& files, const NetlistOptions& options);

struct ModulePort {
  std::string name;
  std::int64_t width = 1;
  bool is_output = false, is_signed = false;
};

/// The ports of a module; a width that cannot be told is 0.
std::vector<ModulePort> ports_of(const TopModule& top);

/// The top module with options.parameters; its file is kept among the files. Throws UsageError
/// AX218 for what is no number, InputError AX218 for what is no parameter.
TopModule with_given_parameters(VerilogFiles& files, const TopModule& top,
                                const NetlistOptions& options);

/// A copy of a module's file that holds this module alone, with other values of parameters: by
/// name, else (empty) in order. The values are numbers of Verilog. Throws AX218 for what is no
/// parameter.
struct ParameterValue {
  std::string name;
  Constant value;
  std::vector<std::uint64_t> words;
};
std::shared_ptr<const VerilogFile> with_parameters(const VerilogFile& file, const Module& module,
                                                   const std::vector<ParameterValue>& values,
                                                   const std::string& path, std::size_t line);

}  // namespace axmul::detail
