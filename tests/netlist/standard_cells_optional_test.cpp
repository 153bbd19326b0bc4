// Against standard cells that others wrote, where the distribution has them (Debian's osu018).
#include <filesystem>
#include <memory>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/circuits.hpp"
#include "netlist/cells.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("the standard cells of qflow-tech-osu018 read as Liberty and as Verilog agree") {
  const std::string folder = "/usr/share/qflow/tech/osu018/";
  if (!std::filesystem::exists(folder + "osu018_stdcells.lib"))
    AXMUL_SKIP("needs qflow-tech-osu018");
  const auto liberty = std::make_shared<CellLibrary>();
  liberty->add_liberty(folder + "osu018_stdcells.lib");
  CHECK(liberty->impl().technology == "osu018_stdcells");
  std::size_t compared = 0, sequential = 0;
  for (const std::string& name : liberty->names()) {
    const CellType* type = liberty->find(name);
    if (type == nullptr) {
      ++sequential;
      continue;
    }
    CAPTURE(name);
    CHECK(type->area > 0);
    // One circuit, the cell's function from the Verilog file and from the Liberty file.
    NetlistOptions options;
    options.top = name;
    const Netlist verilog = read_verilog(folder + "osu018_stdcells.v", options);
    std::vector<NetId> inputs, outputs;
    std::string ports, pins;
    for (const Port& port : verilog.ports) {
      (port.is_output ? outputs : inputs).push_back(port.nets.at(0));
      ports += std::string(ports.empty() ? "" : ", ") + (port.is_output ? "output " : "input ") +
               port.name;
      pins += (pins.empty() ? "." : ", .") + port.name + "(" + port.name + ")";
    }
    NetlistOptions with_liberty;
    with_liberty.library = liberty;
    const Netlist lib = read_verilog_text(
        "module m(" + ports + "); " + name + " u(" + pins + "); endmodule", "m.v", with_liberty);
    std::vector<NetId> lib_inputs, lib_outputs;
    for (const Port& port : lib.ports)
      (port.is_output ? lib_outputs : lib_inputs).push_back(port.nets.at(0));
    const TruthPlanes x = simulate_planes(verilog, inputs, outputs);
    const TruthPlanes y = simulate_planes(lib, lib_inputs, lib_outputs);
    for (std::size_t k = 0; k < outputs.size(); ++k)
      for (std::size_t i = 0; i < std::size_t{1} << inputs.size(); ++i) CHECK(x(k, i) == y(k, i));
    ++compared;
  }
  CHECK(compared == 26);  // 33 modules: FILL, 4 with state and 2 three-state are left out
  CHECK(sequential >= 6);
  // The Verilog file as --cells.
  const auto cells = std::make_shared<CellLibrary>();
  cells->add_verilog(folder + "osu018_stdcells.v");
  NetlistOptions options;
  options.library = cells;
  const std::string use = "module m(input a, input b, input s, output o);\n";
  const Netlist mux =
      read_verilog_text(use + "MUX2X1 u(.A(a), .B(b), .S(s), .Y(o)); endmodule", "m.v", options);
  const TruthPlanes planes =
      simulate_planes(mux, std::vector<NetId>{2, 3, 4}, mux.find_port("o")->nets);
  CHECK((planes.planes[0] & 0xFF) == 0x53);  // !(s ? a : b), unlike the built-in name
  CHECK_THROWS_WITH_AS(
      read_verilog_text(use + "DFFPOSX1 u(.CLK(a), .D(b), .Q(o)); endmodule", "m.v", options),
      doctest::Contains("udp_dff"), InputError);
}

TEST_CASE("generic gates are priced with the library's cells of the same function") {
  const std::string liberty = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";
  if (!std::filesystem::exists(liberty)) AXMUL_SKIP("needs qflow-tech-osu018");
  NetlistOptions options;
  auto library = std::make_shared<CellLibrary>();
  library->add_liberty(liberty);
  options.library = library;
  const auto area = [&](const std::string& expression) {
    const Netlist netlist = read_verilog_text(
        "module t(a,b,s,y); input a,b,s; output y; assign y = " + expression + "; endmodule\n",
        "t.v", options);
    double sum = 0;
    for (const Cell& cell : netlist.cells) sum += netlist.types[cell.type].area;
    return sum;
  };
  const auto cell = [&](const char* name) { return library->find(name)->area; };
  CHECK(area("a & b") == cell("AND2X1"));
  CHECK(area("a ^ b") == cell("XOR2X1"));
  CHECK(area("s ? b : a") == cell("MUX2X1") + cell("INVX1"));  // osu018's MUX2X1 inverts
  CHECK(area("~a") == cell("INVX1"));
}
