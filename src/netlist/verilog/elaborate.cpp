// Reading Verilog: parses a design, chooses its top module and flattens it.
#include "netlist/cells.hpp"
#include "netlist/port_bits.hpp"
#include "netlist/source.hpp"
#include "netlist/verilog/design.hpp"
#include "netlist/verilog/instances.hpp"
#include "netlist/verilog/preprocess.hpp"

namespace axmul::detail {

namespace {

Netlist elaborate(std::string text, const std::string& path, const NetlistOptions& options) {
  VerilogFiles files = parse_design(std::move(text), path, options);
  const TopModule top = with_given_parameters(files, find_top(files, options), options);
  Netlist netlist = flatten(*top.file, *top.module, options, files);
  group_scalar_ports(netlist);
  settle_registers(netlist, path);
  return netlist;
}

}  // namespace

}  // namespace axmul::detail

namespace axmul {

Netlist read_verilog_text(std::string_view text, const std::string& path,
                          const NetlistOptions& options) {
  return detail::elaborate(std::string(text), path, options);
}

Netlist read_verilog(const std::string& path, const NetlistOptions& options) {
  return detail::elaborate(detail::read_source(path, options.max_file_bytes), path, options);
}

void CellLibrary::add_verilog(const std::string& path, const std::vector<std::string>& defines) {
  std::string text = detail::read_source(path, std::size_t{64} << 20);
  impl_->verilog_paths.push_back(path);  // for tools, which may read what axmul does not
  if (detail::needs_preprocessing(text))
    text = detail::preprocess_verilog(text, path, {defines, {}});
  impl_->verilog.push_back(detail::parse_verilog(std::move(text), path));
}

}  // namespace axmul
