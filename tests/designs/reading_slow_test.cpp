// Every member of every family as a table, as Verilog without signed ports and as C on int64_t.
#include "axmul/designs/circuit.hpp"
#include "axmul/netlist/circuits.hpp"
#include "designs/members.hpp"
#include "designs/reading_support.hpp"
#include "netlist/process.hpp"

using namespace axmul;

namespace {

/// The netlist as C: bits in an array, truth tables looked up, the product's top bit its sign.
std::string to_c(const Netlist& netlist) {
  std::string text = "#include <stdint.h>\nint64_t top(int64_t a, int64_t b) {\n  unsigned n[" +
                     std::to_string(netlist.net_count) + "] = {0, 1};\n  uint64_t r = 0;\n";
  const auto net = [](NetId id) { return "n[" + std::to_string(id) + "]"; };
  for (const Port& port : netlist.ports)
    if (!port.is_output)
      for (std::size_t i = 0; i < port.nets.size(); ++i)
        text += "  " + net(port.nets[i]) + " = (" + (port.name == "A" ? "a" : "b") + " >> " +
                std::to_string(i) + ") & 1;\n";
  for (const Cell& cell : netlist.cells) {
    std::string pattern = "0";
    std::size_t i = 0;
    for (const NetId input : netlist.inputs(cell))
      pattern += " | " + net(input) + " << " + std::to_string(i++);
    std::size_t k = 0;
    for (const NetId output : netlist.outputs(cell))
      text += "  " + net(output) + " = (" +
              std::to_string(netlist.types[cell.type].functions[k++]) + "ull >> (" + pattern +
              ")) & 1;\n";
  }
  for (const Port& port : netlist.ports)
    if (port.is_output)
      for (std::size_t i = 0; i < 64; ++i)
        text += "  r |= (uint64_t)" + net(port.nets[std::min(i, port.nets.size() - 1)]) + " << " +
                std::to_string(i) + ";\n";
  return text + "  return (int64_t)r;\n}\n";
}

void check_file(const DesignInstance& design, const std::string& path) {
  NetlistOptions options;
  options.estimate_cost = false;
  options.allow_native_code = true;
  const Lut lut = Lut::from_function(OperandType::s8s8, design);
  const test::Untold cannot = test::untold(design, lut);
  if (cannot.zeros || cannot.foreign || cannot.gate) return;
  CAPTURE(path);
  CAPTURE(design.text());
  const Multiplier read = read_design_circuit(path, options);
  CHECK(read.lut == lut);
  CHECK(read.provenance.warning.empty());
}

}  // namespace

TEST_CASE("every member as a table, in order of value and of bit pattern") {
  test::for_each_member(test::check_tables);
}

TEST_CASE("every signed member as Verilog without signed ports, and as C on int64_t") {
  const bool cc = detail::program_exists("cc");
  const test::ScratchDir folder;
  std::size_t count = 0;
  test::for_each_member([&](const DesignInstance& design) {
    if (design.type() != OperandType::s8s8) return;
    Netlist netlist = design_netlist(design);
    netlist.name = "top";
    test::write_text(folder / "top.v", to_verilog(netlist));
    check_file(design, (folder / "top.v").string());
    if (!cc) return;
    test::write_text(folder / "top.c", to_c(netlist));
    check_file(design, (folder / "top.c").string());
    ++count;
  });
  if (!cc) AXMUL_SKIP("needs cc");
  CHECK(count == 374);
}
