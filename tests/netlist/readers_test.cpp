// One circuit in every notation is one function; each reader's constructs and refusals.
#include "axmul/netlist/readers.hpp"

#include <functional>
#include <string>

#include "axmul/core/errors.hpp"
#include "axmul/netlist/circuits.hpp"
#include "netlist/circuits.hpp"
#include "netlist/notations.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

template <class Read>
void check_error(Read&& read, int id, const std::string& part) {
  try {
    read();
    FAIL("no error");
  } catch (const Error& error) {
    const std::string what = error.what();
    CAPTURE(what);
    CHECK(error.id() == id);
    CHECK(what.find(part) != std::string::npos);
  }
}

// Output O of a netlist with one-bit inputs named in order, input 0 fastest.
unsigned table_of(const Netlist& netlist, std::initializer_list<const char*> inputs,
                  const char* output) {
  std::vector<NetId> nets;
  for (const char* name : inputs) {
    REQUIRE(netlist.find_port(name) != nullptr);
    nets.push_back(netlist.find_port(name)->nets.at(0));
  }
  REQUIRE(netlist.find_port(output) != nullptr);
  const TruthPlanes planes = simulate_planes(netlist, nets, netlist.find_port(output)->nets);
  return static_cast<unsigned>(planes.planes[0] & ((std::uint64_t{1} << (1u << nets.size())) - 1));
}

}  // namespace

TEST_CASE("an 8x8 array multiplier in every notation has one identity") {
  const std::string expected = Lut::exact(OperandType::u8u8).sha256();
  const auto sha = [](const Netlist& netlist, const PortMap& ports = {}) {
    return simulate(netlist, OperandType::u8u8, ports).sha256();
  };
  CHECK(sha(read_verilog_text(test::assigns_verilog(8, true), "m.v")) == expected);
  CHECK(sha(read_verilog_text(test::primitives_verilog(8, true), "m.v")) == expected);
  CHECK(sha(read_verilog_text(test::cells_verilog(8, true), "m.v")) == expected);
  CHECK(sha(read_blif_text(test::blif(8, true), "m.blif")) == expected);
  CHECK(sha(read_yosys_json_text(test::yosys_json(8, true), "m.json")) == expected);
}

TEST_CASE("an asymmetric multiplier in every notation; swapped ports give the transpose") {
  // Partial product a7·b0 is left out: f(a, b) = a·b − 128·(a7 and b0).
  const Lut expected = Lut::from_function(OperandType::u8u8, [](int a, int b) {
    return a * b - ((a >> 7 & 1) != 0 && (b & 1) != 0 ? 128 : 0);
  });
  const Netlist netlists[] = {read_verilog_text(test::assigns_verilog(8, false), "m.v"),
                              read_verilog_text(test::primitives_verilog(8, false), "m.v"),
                              read_verilog_text(test::cells_verilog(8, false), "m.v"),
                              read_blif_text(test::blif(8, false), "m.blif"),
                              read_yosys_json_text(test::yosys_json(8, false), "m.json")};
  for (const Netlist& netlist : netlists) {
    CHECK(simulate(netlist, OperandType::u8u8) == expected);
    CHECK(simulate(netlist, OperandType::u8u8, {"B", "A", "O"}) == transposed(expected));
  }
  CHECK_FALSE(expected == transposed(expected));
}

TEST_CASE("the same circuit as files, with the C model, through one door") {
  const test::ScratchDir folder;
  const std::pair<const char*, std::string> files[] = {
      {"mul8u_x.v", test::assigns_verilog(8, false)},
      {"mul8u_x.blif", test::blif(8, false)},
      {"mul8u_x.json", test::yosys_json(8, false)},
      {"mul8u_x.c", test::c_model(8, false, "B", "A")},
      {"mul8u_y.c", test::c_model(8, false, "a", "b")}};
  const Lut expected = Lut::from_function(OperandType::u8u8, [](int a, int b) {
    return a * b - ((a >> 7 & 1) != 0 && (b & 1) != 0 ? 128 : 0);
  });
  NetlistOptions options;
  options.allow_native_code = true;
  for (const auto& [name, text] : files) {
    CAPTURE(name);
    const std::string path = (folder / name).string();
    test::write_text(path, text);
    CHECK(is_circuit_file(path));
    const Multiplier multiplier = read_design_circuit(path, options);
    CHECK(multiplier.lut == expected);
    CHECK(multiplier.provenance.source_file == path);
    NetlistOptions swapped = options;
    swapped.order = std::string(name) == "mul8u_x.c" ? OperandOrder::ab : OperandOrder::ba;
    CHECK(read_design_circuit(path, swapped).lut == transposed(expected));
  }
  test::write_text(folder / "other.json", "{\"schema\":\"x\"}");
  CHECK_FALSE(is_circuit_file((folder / "other.json").string()));
  CHECK_FALSE(is_circuit_file((folder / "table.npy").string()));
}

TEST_CASE("BLIF: covers, constants, don't-cares, off-sets, wide covers, aliases") {
  const auto table = [](const std::string& rows) {
    return table_of(
        read_blif_text(".model m\n.inputs a b \\\nc # three\n.outputs o\n" + rows + ".end\n",
                       "m.blif"),
        {"a", "b", "c"}, "o");
  };
  CHECK(table(".names a b o\n11 1\n") == 0x88);
  CHECK(table(".names a b c o\n1-0 1\n-11 1\n") == 0xCA);
  CHECK(table(".names a b o\n11 0\n00 0\n") == 0x66);
  CHECK(table(".names o\n1\n") == 0xFF);
  CHECK(table(".names o\n") == 0x00);
  CHECK(table(".names a t\n1 1\n.conn t o\n") == 0xAA);
  CHECK(table(".gate NAND2X1 A=a B=c Y=o\n") == 0x5F);
  CHECK(table(".subckt inner x=a y=b z=o\n.end\n.model inner\n.inputs x y\n.outputs z\n"
              ".names x y z\n10 1\n") == 0x22);
  std::string inputs, row, reversed;
  for (int i = 0; i < 9; ++i) {
    inputs += " i" + std::to_string(i);
    row += i % 2 == 0 ? '1' : '-';
  }
  const Netlist wide = read_blif_text(".model m\n.inputs" + inputs + "\n.outputs o\n.names" +
                                          inputs + " o\n" + row + " 1\n000000000 1\n",
                                      "m.blif");
  REQUIRE(wide.find_port("i") != nullptr);
  REQUIRE(wide.find_port("i")->nets.size() == 9);
  const TruthPlanes planes =
      simulate_planes(wide, wide.find_port("i")->nets, wide.find_port("o")->nets);
  for (std::size_t i = 0; i < 512; ++i) CHECK(planes(0, i) == ((i & 0x155) == 0x155 || i == 0));
}

TEST_CASE("BLIF: bits become vectors whatever their brackets") {
  for (const std::string style : {"A[%]", "A<%>", "A_%_", "A(%)", "A%"}) {
    std::string inputs;
    for (int i = 3; i >= 0; --i) {
      std::string name = style;
      name.replace(name.find('%'), 1, std::to_string(i));
      inputs += " " + name;
    }
    const Netlist netlist =
        read_blif_text(".model m\n.inputs" + inputs + "\n.outputs o\n.names o\n1\n", "m.blif");
    REQUIRE(netlist.ports.size() == 2);
    CHECK(netlist.ports[0].name == "A");
    CHECK(netlist.ports[0].nets.size() == 4);
  }
}

TEST_CASE("BLIF: refusals") {
  const auto read = [](const std::string& text) {
    return [text] { read_blif_text(text, "m.blif"); };
  };
  check_error(read(".model m\n.inputs a\n.outputs o\n.names a o\n2 1\n"), 230, "m.blif:5: ");
  check_error(read(".model m\n.inputs a\n.outputs o\n.latch a o ah c 0\n"), 211, "m.blif:4: ");
  check_error(read(".model m\n.inputs a\n.outputs o\n.gate FOO A=a Y=o\n"), 203, "\"FOO\"");
  check_error(read(".model m\n.inputs a\n.outputs o\n.names t o\n1 1\n"), 206, "\"t\"");
  check_error(read(".model m\n.inputs a\n.outputs o\n.names o o\n1 1\n"), 208, "\"o\"");
  check_error(read(".model m\n.inputs a\n.outputs o\n.names a o\n1 1\n.names a o\n0 1\n"), 207,
              "\"o\"");
  check_error(read(".model m\n.inputs a\n.outputs o\n.subckt m a=a o=o\n"), 210, "nest deeper");
  check_error(read(".names a\n"), 230, ".model");
  check_error(read(""), 204, "no .model");
  check_error(read(".model m\n.inputs a\n.outputs o\n.gate AND2X1 A=a Q=o\n"), 205, "\"Q\"");
}

TEST_CASE("Yosys JSON: gate cells and simple word cells") {
  const auto table = [](const std::string& cell) {
    const std::string text =
        R"({"creator":"Yosys","modules":{"m":{"attributes":{"top":1},"ports":{)"
        R"("a":{"direction":"input","bits":[2]},"b":{"direction":"input","bits":[3]},)"
        R"("c":{"direction":"input","bits":[4]},"o":{"direction":"output","bits":[5]}},"cells":{"u":)" +
        cell + "}}}}";
    return table_of(read_yosys_json_text(text, "x.json"), {"a", "b", "c"}, "o");
  };
  const auto gate = [&](const std::string& type, const std::string& pins) {
    return table("{\"type\":\"" + type + "\",\"connections\":{" + pins + ",\"Y\":[5]}}");
  };
  const std::string ab = R"("A":[2],"B":[3])";
  CHECK(gate("$_AND_", ab) == 0x88);
  CHECK(gate("$_NAND_", ab) == 0x77);
  CHECK(gate("$_OR_", ab) == 0xEE);
  CHECK(gate("$_NOR_", ab) == 0x11);
  CHECK(gate("$_XOR_", ab) == 0x66);
  CHECK(gate("$_XNOR_", ab) == 0x99);
  CHECK(gate("$_ANDNOT_", ab) == 0x22);
  CHECK(gate("$_ORNOT_", ab) == 0xBB);
  CHECK(gate("$_NOT_", R"("A":[2])") == 0x55);
  CHECK(gate("$_BUF_", R"("A":["1"])") == 0xFF);
  CHECK(gate("$_MUX_", ab + R"(,"S":[4])") == 0xCA);
  CHECK(gate("$_NMUX_", ab + R"(,"S":[4])") == 0x35);
  CHECK(gate("$_AOI3_", ab + R"(,"C":[4])") == 0x07);
  CHECK(gate("$_OAI3_", ab + R"(,"C":[4])") == 0x1F);
  CHECK(gate("$_AOI4_", ab + R"(,"C":[4],"D":["1"])") == 0x07);
  CHECK(gate("$_OAI4_", ab + R"(,"C":[4],"D":["0"])") == 0x1F);
  CHECK(gate("$and", ab) == 0x88);
  CHECK(gate("$reduce_xor", R"("A":[2,3,4])") == 0x96);
  CHECK(gate("$logic_not", R"("A":[2,3])") == 0x11);
  CHECK(gate("$mux", ab + R"(,"S":[4])") == 0xCA);
  CHECK(gate("NAND2X1", ab) == 0x77);
}

TEST_CASE("Yosys JSON: refusals") {
  const auto read = [](const std::string& text) {
    return [text] { read_yosys_json_text(text, "m.json"); };
  };
  const auto with = [](const std::string& cells) {
    return R"({"modules":{"m":{"ports":{"a":{"direction":"input","bits":[2]},"o":{"direction":"output","bits":[5]}},"cells":{)" +
           cells + "}}}}";
  };
  check_error(read("{\n\n{"), 240, "m.json:3: ");
  check_error(read("[]"), 240, "modules");
  check_error(read(std::string(1000, '[')), 240, "nests");
  check_error(read(with("")), 206, "\"o\"");
  check_error(read(with(R"("u":{"type":"$_DLATCH_P_","connections":{"A":[2],"Y":[5]}})")), 211,
              "$_DLATCH_P_");
  check_error(read(with(R"("u":{"type":"$mul","connections":{"A":[2],"B":[2],"Y":[5]}})")), 203,
              "$mul");
  check_error(read(with(R"("u":{"type":"FOO","connections":{"A":[2],"Y":[5]}})")), 203, "\"FOO\"");
  check_error(read(with(R"("u":{"type":"$_AND_","connections":{"A":[2],"Y":[5]}})")), 205, "\"B\"");
  check_error(read(with(R"("u":{"type":"$_NOT_","connections":{"A":[5],"Y":[5]}})")), 208, "loop");
  check_error(read(with(R"("u":{"type":"$_NOT_","connections":{"A":["x"],"Y":[5]}})")), 206, "(x)");
  check_error(read(with(R"("u":7)")), 240, "type");
}

TEST_CASE("Liberty: functions, precedence, attributes, units, skipped groups") {
  CellLibrary library;
  library.add_liberty_text(R"lib(/* c */ library(tiny) { capacitive_load_unit (1,pf);
    lu_table_template(t) { index_1 ("1, 2"); }
    cell (P) { area : 4.5; cell_leakage_power : 0.25; dont_touch : true;
      pin(A) { direction : input; capacitance : 0.002; timing() { related_pin : "B"; values ("1, \
        2"); } }
      pin(B) { direction : input; capacitance : 0.003; }  pin(C) { capacitance : 0.001; direction : input; }
      pin(Y) { direction : output; function : "A^B C"; } pin(Z) { direction : output; function : "!A + B' * C | (A & !C)";
}
}
cell(Q) {
  pin(D) {
  direction:
    input;
  }
  ff(IQ, IQN) {
  clocked_on:
    "D";
  }
  pin(O) {
  direction:
    output;
  function:
    "IQ";
  }
}
cell(ONE) {
area:
  1;
  pin(Y) {
  direction:
    output;
  function:
    "1";
  }
}
})lib",
                           "tiny.lib");
  const CellType* p = library.find("P");
  REQUIRE(p != nullptr);
  CHECK(p->area == 4.5);
  CHECK(p->leakage == 0.25);
  CHECK(p->input_capacitance == std::vector<double>{2, 3, 1});
  std::uint64_t y = 0, z = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const bool a = i & 1, b = i >> 1 & 1, c = i >> 2 & 1;
    if ((a != b) && c) y |= 1u << i;  // ^ binds tighter than the space
    if (!a || (!b && c) || (a && !c)) z |= 1u << i;
  }
  CHECK(p->functions == std::vector<std::uint64_t>{y, z});
  CHECK(library.find("Q") == nullptr);
  CHECK(library.find("ONE")->functions == std::vector<std::uint64_t>{1});
  CHECK(library.names() == std::vector<std::string>{"P", "Q", "ONE"});

  const auto shared = std::make_shared<CellLibrary>();
  shared->add_liberty_text(
      "library(l) { cell(G) { pin(A) { direction : input; } pin(B) { direction : input; }"
      " pin(Y) { direction : output; function : \"A !B\"; } }"
      " cell(F) { pin(D) { direction : input; } ff(q,n) { } pin(Y) { direction : output; function "
      ": "
      "\"q\"; } } }",
      "l.lib");
  NetlistOptions options;
  options.library = shared;
  const Netlist netlist = read_verilog_text(
      "module m(input a, input b, output o); G g(.Y(o), .B(b), .A(a)); endmodule", "m.v", options);
  CHECK(table_of(netlist, {"a", "b"}, "o") == 2);
  CHECK(netlist.technology == "l");
  check_error(
      [&] {
        read_verilog_text("module m(input a, output o);\nF g(.Y(o), .D(a)); endmodule", "m.v",
                          options);
      },
      211, "m.v:2: ");
}

TEST_CASE("Liberty: refusals") {
  const auto read = [](const std::string& text) {
    return [text] { CellLibrary().add_liberty_text(text, "x.lib"); };
  };
  check_error(read("library(l) {\ncell(A) {\narea : big; } }"), 221, "x.lib:3: ");
  check_error(read("library(l) { cell(A) { pin(a) { direction : input; }\npin(y) { direction : "
                   "output; function : \"a +\"; } } }"),
              222, "x.lib:2: ");
  check_error(read("library(l) { cell(A) { pin(y) { direction : output;\nfunction : \"b\"; } } }"),
              222, "\"b\"");
  check_error(read("library(l) { cell(A) { } cell(A) { } }"), 213, "twice");
  check_error(read("library(l) {\ncell(A) {"), 220, "end of the file");
  check_error(read("cell(A) { }"), 220, "library");
  check_error(read("library(l) { /*"), 220, "comment");
}
