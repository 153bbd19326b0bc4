// Folders of circuits as designs: what is read, what is skipped and counted.
#include "axmul/core/errors.hpp"
#include "axmul/netlist/circuits.hpp"
#include "axmul/tables/open_design.hpp"
#include "netlist/notations.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("a folder of circuits: netlists are read, C models only when allowed") {
  const test::ScratchDir folder;
  test::write_text(folder / "mul8u_a.v", test::assigns_verilog(8, false));
  test::write_text(folder / "mul8u_b.blif", test::blif(8, true));
  test::write_text(folder / "mul8u_c.c", test::c_model(8, false, "B", "A"));
  test::write_text(folder / "mul8u_c.h", "int x;");
  test::write_text(folder / "README.md", "text");
  const std::string path = folder.path().string();
  OpenOptions options;
  CHECK_THROWS_AS(find_designs(std::span(&path, 1), options), InputError);  // circuits not accepted
  accept_circuits(options);
  const DesignList list = find_designs(std::span(&path, 1), options);
  REQUIRE(list.designs.size() == 2);
  CHECK(list.skipped == 3);
  CHECK(list.designs[1].load().lut == Lut::exact(OperandType::u8u8));
  NetlistOptions native;
  native.allow_native_code = true;
  accept_circuits(options, native);
  const DesignList more = find_designs(std::span(&path, 1), options);
  REQUIRE(more.designs.size() == 3);
  CHECK(more.designs[2].load().lut == more.designs[0].load().lut);
  CHECK(more.designs[0].load().cost.source == "estimated");
  const std::string model = (folder / "mul8u_c.c").string();
  OpenOptions careful;
  accept_circuits(careful);
  CHECK_THROWS_WITH_AS(open_design(model, careful), doctest::Contains("--allow-native-code"),
                       UsageError);
}
