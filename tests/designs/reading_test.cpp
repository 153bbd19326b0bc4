// Generated designs without their names: the products tell type and index, and nobody is warned.
#include <algorithm>

#include "axmul/designs/circuit.hpp"
#include "axmul/netlist/circuits.hpp"
#include "designs/members.hpp"
#include "designs/reading_support.hpp"

using namespace axmul;

TEST_CASE("designs that are named by their text are never doubted") {
  std::size_t count = 0;
  test::for_each_member([&](const DesignInstance& design) {
    if (count++ % 40 == 0) CHECK(generate(design.text(), false).provenance.warning.empty());
  });
  CHECK(count == 1445);
}

TEST_CASE("tables of the shipped library's designs") {
  for (const std::string& text : library_designs()) test::check_tables(parse_design(text));
}

TEST_CASE("the coarsest members as tables") {
  for (const char* text :
       {"truncated(k=14)", "truncated(k=14,type=s8s8)", "truncated(k=13,type=s8s8)",
        "truncated_constant(k=15)", "broken_array(h=7,v=13,type=s8s8)", "broken_booth(v=12)",
        "broken_booth(v=13)", "perforated(p=7,m=1)", "perforated(p=6,m=2)", "dsm(k=2,type=s8s8)",
        "drum(k=2,type=u8s8)", "operand_truncation(ka=7,kb=6,type=s8s8)", "alm_soa(m=7)",
        "power_of_two(operand=both,type=u8s8)", "operand_truncation(ka=7,kb=5,type=u8s8)"})
    test::check_tables(parse_design(text));
}

TEST_CASE("signed circuits written without a signed port or a telling name") {
  NetlistOptions options;
  options.estimate_cost = false;
  const test::ScratchDir folder;
  const std::string path = (folder / "top.v").string();
  for (const std::string& text : library_designs()) {
    const DesignInstance design = parse_design(text);
    if (design.type() != OperandType::s8s8) continue;
    CAPTURE(text);
    Netlist netlist = design_netlist(design);
    netlist.name = "top";
    test::write_text(path, to_verilog(netlist));
    const Multiplier read = read_design_circuit(path, options);
    CHECK(read.lut == Lut::from_function(OperandType::s8s8, design));
    CHECK(read.provenance.type_from == "values");
    CHECK(read.provenance.warning.empty());
  }
}
