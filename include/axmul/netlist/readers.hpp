// Circuit files in: structural Verilog, BLIF and Yosys JSON become netlists, netlists and C models
// become multipliers with what their header comments publish.
//
// Operand order: port A of a circuit is operand a, port B is operand b. A C model follows its
// parameter names A and B (any case), else position; NetlistOptions::order overrides by position
// (circuits: ba swaps the operands). Provenance records what was assumed.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/multiplier.hpp"
#include "axmul/netlist/netlist.hpp"

namespace axmul {

/// Cells that netlists may instantiate besides the built-in ones: Liberty libraries and Verilog
/// files of cells. Immutable, shared between threads.
class AXMUL_API CellLibrary {
 public:
  CellLibrary();
  ~CellLibrary();
  CellLibrary(const CellLibrary&) = delete;
  CellLibrary& operator=(const CellLibrary&) = delete;

  /// Adds the cells of a Liberty file (cell, area, cell_leakage_power, pin direction, capacitance
  /// and function; other groups are skipped). Sequential cells are kept by name and refused where
  /// they are used. Throws InputError AX220…AX222.
  void add_liberty(const std::string& path);
  void add_liberty_text(std::string_view text, const std::string& path);
  /// Adds the modules of a Verilog file, preprocessed with these macros ("NAME" or "NAME=TEXT").
  /// Throws InputError as read_verilog() does.
  void add_verilog(const std::string& path, const std::vector<std::string>& defines = {});

  /// A combinational Liberty cell, or nullptr. Names of all Liberty cells, in file order.
  const CellType* find(std::string_view name) const;
  std::vector<std::string> names() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

struct AXMUL_API NetlistOptions {
  std::string top;  ///< top module; empty: the one named as the file, else the only uninstantiated
  PortMap ports;    ///< empty fields are found by name
  std::optional<OperandType> type;             ///< else as read_design_circuit() says
  std::optional<OperandOrder> order;           ///< else A is a, B is b (C models: see above)
  std::optional<OperandWidths> width{};        ///< of a C model; else its name or comments tell
  std::shared_ptr<const CellLibrary> library;  ///< may be null
  bool allow_native_code = false;  ///< compile and run C models (in a separate, limited process)
  bool synthesize = false;         ///< run yosys on Verilog first (behavioural RTL)
  bool simulate = false;  ///< take the table of Verilog from Icarus (needs allow_native_code)
  std::vector<std::string> files{};            ///< further Verilog files of the same design
  std::vector<std::string> include_folders{};  ///< where `include looks besides the file's own
  std::vector<std::string> defines{};          ///< macros of Verilog, "NAME" or "NAME=TEXT"
  /// Parameters of the top module: name, and a number as Verilog writes it.
  std::vector<std::pair<std::string, std::string>> parameters{};
  std::string function{};     ///< the function of a C model, where it has several
  std::string call{};         ///< how it is called: "f(a, b, 2)"; empty: f(first, second)
  bool estimate_cost = true;  ///< read_design_circuit(): estimate where no power is published
  /// Wall clock for one C model's 65536 calls together; its compiler has at least a minute. Models
  /// of the field take milliseconds; what takes longer most likely hangs, and a folder may hold
  /// many.
  double native_timeout_s = 10;
  std::size_t max_file_bytes = std::size_t{64} << 20;
  std::size_t max_cells = std::size_t{1} << 22;  ///< cells after flattening, and nets
};

/// Files that are one design: in the order of the texts Verilog and VHDL files, all those below a
/// folder (hidden ones and test benches "*_tb.*", "tb_*" aside), and those that a file list
/// ("*.f", "*.fl") names. A list holds a path a line, relative to itself or the caller, and
/// +incdir+, +define+, -f, -v; comments start with // or #.
struct AXMUL_API DesignSources {
  std::vector<std::string> files, include_folders, defines;
};
/// Throws InputError AX217 for what is no such file, cannot be found, or nests too deeply.
AXMUL_API DesignSources design_sources(const std::vector<std::string>& texts);
/// True for a path that ends as file lists do.
AXMUL_API bool is_file_list(const std::string& path);
/// options for these sources as one design; the first file is the one to read.
AXMUL_API NetlistOptions as_one_design(NetlistOptions options, const DesignSources& sources);

/// A top module or model with its hierarchy flattened. Malformed input throws InputError naming
/// file, line and what would mend it: AX200 unreadable, AX201 syntax, AX202 unsupported construct,
/// AX203 unknown cell, AX204 top module, AX205 port connections, AX206 undriven net, AX207 doubly
/// driven net, AX208 combinational loop, AX209 ranges, AX210 limits, AX211 sequential cell, AX212
/// x or z, AX213 duplicate names.
AXMUL_API Netlist read_verilog(const std::string& path, const NetlistOptions& options = {});
AXMUL_API Netlist read_blif(const std::string& path, const NetlistOptions& options = {});
AXMUL_API Netlist read_yosys_json(const std::string& path, const NetlistOptions& options = {});

/// The same from text; `path` appears in messages and its stem may name the top module.
AXMUL_API Netlist read_verilog_text(std::string_view text, const std::string& path,
                                    const NetlistOptions& options = {});
AXMUL_API Netlist read_blif_text(std::string_view text, const std::string& path,
                                 const NetlistOptions& options = {});
AXMUL_API Netlist read_yosys_json_text(std::string_view text, const std::string& path,
                                       const NetlistOptions& options = {});

/// AIGER, text and binary (.aag .aig): inputs and outputs by their symbols, else the first half of
/// the inputs is a; latches are refused (AX211). Throws InputError AX232.
AXMUL_API Netlist read_aiger_text(std::string_view text, const std::string& path,
                                  const NetlistOptions& options = {});
/// A chromosome of Cartesian genetic programming as EvoApproxLib and ArithsGen publish them,
/// "{inputs,outputs,…}([id]in1,in2,function)…(outputs)": the first half of the inputs is a, least
/// significant bit first. Functions 0 … 9: in1, not in1, and, or, xor, nand, nor, xnor, 1, 0.
/// Throws InputError AX233.
AXMUL_API Netlist read_cgp_text(std::string_view text, const std::string& path,
                                const NetlistOptions& options = {});

/// By extension: .v .vl .sv .blif .json .aag .aig .cgp .chr (after yosys for Verilog when
/// options.synthesize), .vhd .vhdl through ghdl and yosys. Throws UsageError AX290 for any other.
AXMUL_API Netlist read_netlist(const std::string& path, const NetlistOptions& options = {});

/// Behavioural RTL through yosys (synth, flatten, techmap to gates). Throws UnavailableError AX280
/// when yosys is not installed, InputError AX281 with yosys's own message when it fails.
AXMUL_API Netlist synthesize_verilog(const std::string& path, const NetlistOptions& options = {});
AXMUL_API bool yosys_available();

/// VHDL through ghdl (--synth) and yosys. Throws UnavailableError AX219 when ghdl is not installed,
/// InputError AX226 with ghdl's own message, and as synthesize_verilog().
AXMUL_API Netlist synthesize_vhdl(const std::string& path, const NetlistOptions& options = {});

/// What a circuit read from such a file went through: "yosys 0.23", "ghdl 2.0.0, yosys 0.23",
/// "iverilog 11.0"; empty for what axmul reads itself.
AXMUL_API std::string tools_of(const std::string& path, const NetlistOptions& options);

}  // namespace axmul
