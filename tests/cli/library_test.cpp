// Building a library of a mixed tree, verifying published figures, costs from CSV and from gates.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "axmul/designs/circuit.hpp"
#include "axmul/formats/table_file.hpp"
#include "axmul/tables/error_table.hpp"
#include "cli/run_cli.hpp"
#include "support/support.hpp"

using namespace axmul;
using test::run_cli;

namespace {

Multiplier entry(const std::string& library, const std::string& name) {
  const ErrorTableFile file(library);
  for (const TableEntry& e : file.entries())
    if (e.name == name) return file.multiplier(e);
  FAIL("no entry " << name);
  return {"", Lut::exact(OperandType::u8u8)};
}

}  // namespace

TEST_CASE(
    "a mixed tree becomes one entry per function; what fails is reported and the rest goes on") {
  const test::ScratchDir dir;
  std::filesystem::create_directories(dir / "tree/sub");
  const Lut odd = test::asymmetric_lut(OperandType::u8u8);
  write_table((dir / "tree/mul8u_odd.npy").string(), Multiplier{"mul8u_odd", odd});
  write_table((dir / "tree/sub/mul8u_turned.csv").string(), Multiplier{"t", transposed(odd)});
  write_table((dir / "tree/sub/mul8u_same.npy").string(), Multiplier{"s", odd});
  test::write_text(dir / "tree/mul8u_gates.v", generate_verilog("truncated(k=4)"));
  test::write_text(dir / "tree/mul8u_model.c", "int main;\n");
  test::write_text(dir / "tree/notes.txt", "hello\n");
  const std::string library = (dir / "lib.h5").string();
  const auto good = run_cli({"library", "build", (dir / "tree").string(), "-o", library});
  CHECK(good.code == 0);
  CHECK(good.err.find("1 C models left alone") != std::string::npos);
  CHECK(ErrorTableFile(library).entries().size() == 3);
  CHECK(entry(library, "mul8u_odd").aliases == std::vector<std::string>{"mul8u_same"});
  CHECK(entry(library, "mul8u_turned").transpose_of == "mul8u_odd");
  const auto list = nlohmann::json::parse(run_cli({"list", library, "--format", "json"}).out);
  bool gates = false;
  for (const auto& design : list["designs"]) {
    CHECK(open_design(design["text"].get<std::string>()).lut.sha256() == design["sha256"]);
    gates |= design["sha256"] == generate("truncated(k=4)").lut.sha256() &&
             design["power_rel"].get<double>() < 1;
  }
  CHECK(gates);

  test::write_text(dir / "tree/broken.v", "module broken(A,B,O);\n  oops\nendmodule\n");
  const auto bad = run_cli({"library", "build", (dir / "tree").string(), "-o", library, "--force"});
  CHECK(bad.code == 1);
  CHECK(bad.err.find("broken.v:") != std::string::npos);
  CHECK(ErrorTableFile(library).entries().size() == 3);
}

TEST_CASE("a table under a multiplier's name that resembles no product is an entry with a doubt") {
  const test::ScratchDir dir;
  std::filesystem::create_directories(dir / "tree");
  const Lut sum = Lut::from_function(OperandType::u8u8, [](int a, int b) { return a + b; });
  write_table((dir / "tree/mul8u_sum.npy").string(), Multiplier{"mul8u_sum", sum});
  write_table((dir / "tree/mul8u_fair.npy").string(),
              Multiplier{"mul8u_fair", test::random_lut(OperandType::u8u8, 5, 500)});
  const auto built = run_cli({"library", "build", (dir / "tree").string(), "-o",
                              (dir / "lib.h5").string(), "--format", "json"});
  REQUIRE(built.code == 0);
  const std::string doubt = "warning: mul8u_sum (" + (dir / "tree/mul8u_sum.npy").string() +
                            "): the table resembles a product of two 8-bit operands in no reading";
  CHECK(built.err.find(doubt) != std::string::npos);
  const auto json = nlohmann::json::parse(built.out);
  REQUIRE(json["warnings"].size() == 1);
  CHECK(json["warnings"][0].get<std::string>().find("resembles") != std::string::npos);
}

TEST_CASE("costs and published figures join from CSV and are verified") {
  const test::ScratchDir dir;
  const Multiplier drum = generate("drum(k=6)");
  write_table((dir / "mul8u_d6.npy").string(), drum);
  write_table((dir / "mul8u_exact.npy").string(), generate("exact"));
  const std::string csv = (dir / "costs.csv").string(), library = (dir / "lib.h5").string();
  const auto build = [&](const std::string& figures) {
    test::write_text(csv,
                     "name,MAE,WCE,EP_pct,power_mw,technology\nmul8u_d6," + figures +
                         ",0.25,demo\nmul8u_exact,0,0,0,0.5,demo\nmul8u_gone,1,1,1,0.1,demo\n");
    return run_cli({"library", "build", (dir / "mul8u_d6.npy").string(),
                    (dir / "mul8u_exact.npy").string(), "--costs", csv, "-o", library, "--force"});
  };
  const auto built = build("233,2000,85.43");  // MAE 232.8, WCE 2000, EP 85.43 %
  CHECK(built.code == 0);
  CHECK(built.err.find("mul8u_gone") != std::string::npos);
  CHECK(entry(library, "mul8u_d6").cost.power_rel == doctest::Approx(0.5));
  const auto verified = run_cli({"library", "verify", library});
  CHECK_MESSAGE(verified.code == 0, verified.out);
  CHECK(verified.out.find("6 figures agree") != std::string::npos);
  CHECK(build("240,2000,85.43").code == 0);
  const auto wrong = run_cli({"library", "verify", library});
  CHECK(wrong.code == 1);
  CHECK(wrong.out.find("MAE") != std::string::npos);
  test::write_text(csv, "name,power_mw\nmul8u_d6,much\n");
  const auto bad = run_cli({"library", "build", (dir / "mul8u_d6.npy").string(), "--costs", csv,
                            "-o", library, "--force"});
  CHECK(bad.code == 3);
  CHECK(bad.err.find("costs.csv:2") != std::string::npos);
}

TEST_CASE("files of modules called top are named after their files, as characterize names them") {
  const test::ScratchDir dir;
  const auto bitwise = [](const std::string& gate) {
    return "module top(input [7:0] A, input [7:0] B, output [15:0] P);\n  assign P = {A " + gate +
           " B, 8'b0};\nendmodule\n";
  };
  test::write_text(dir / "or_low.v", bitwise("|"));
  test::write_text(dir / "cut_low.v", bitwise("&"));
  const std::string library = (dir / "l.h5").string();
  const auto built = run_cli({"library", "build", dir.path().string(), "-o", library});
  CHECK(built.code == 0);
  CHECK(built.err.find("named") == std::string::npos);  // that they are no products is said
  CHECK(entry(library, "or_low").lut(3, 5) == 7 << 8);
  CHECK(entry(library, "cut_low").lut(3, 5) == 1 << 8);
  CHECK(ErrorTableFile(library).entries().size() == 2);
}

TEST_CASE("figures of aliases are verified too") {
  const test::ScratchDir dir;
  const auto circuit = [&](const std::string& name, const std::string& mae, const char* power) {
    test::write_text(dir / (name + ".v"), "// MAE = " + mae + "\n// PDK45_PWR = " + power +
                                              " mW\n" + generate_verilog("truncated(k=4)"));
  };
  circuit("mul8u_x", "12.25", "0.3");
  circuit("mul8u_y", "12.25", "0.4");
  const std::string library = (dir / "l.h5").string();
  const auto build = [&] {
    return run_cli({"library", "build", dir.path().string(), "-o", library, "--force"});
  };
  CHECK(build().code == 0);
  CHECK(run_cli({"library", "verify", library}).code == 0);
  circuit("mul8u_y", "13.00", "0.4");  // the dearer one, not the entry's own
  const auto built = build();
  CHECK(built.err.find("one function is published with 2 powers: 0.3 mW") != std::string::npos);
  const auto wrong = run_cli({"library", "verify", library});
  CHECK(wrong.code == 1);
  CHECK(wrong.out.find("13.00") != std::string::npos);
}

TEST_CASE("a tree of other functions and widths is counted, in words and in JSON") {
  const test::ScratchDir dir;
  const auto sum = [&](const std::string& name) {
    test::write_text(dir / (name + ".v"), "module " + name +
                                              "(input [7:0] A, input [7:0] B, output [8:0] O);\n"
                                              "  assign O = A + B;\nendmodule\n");
  };
  sum("add8u_1");
  sum("add8u_2");
  test::write_text(dir / "mul8u_t.v", generate_verilog("truncated(k=4)"));
  test::write_text(dir / "mul12u_1.npy", "never read");
  const std::string library = (dir / "l.h5").string();
  const auto built =
      run_cli({"library", "build", dir.path().string(), "-o", library, "--format", "json"});
  CHECK(built.code == 0);
  CHECK(built.err.find("left out: 2 adders: 9 output bits") != std::string::npos);
  const auto json = nlohmann::json::parse(built.out);
  CHECK(json["schema"] == "axmul.library-build/1");
  CHECK(json["functions"] == 1);
  CHECK(json["left_out"][0]["kind"] == "adders: 9 output bits");
  CHECK(json["left_out"][0]["count"] == 2);
  CHECK(json["left_out"][0]["files"].size() == 2);
  const auto none =
      run_cli({"library", "build", (dir / "add8u_1.v").string(), "-o", (dir / "none.h5").string()});
  CHECK(none.code == 3);
  CHECK(none.err.find("adder") != std::string::npos);
}

TEST_CASE("cost says gates, energy and power_rel; a coarser design costs less") {
  const auto json = nlohmann::json::parse(
      run_cli({"cost", "exact", "truncated(k=4)", "truncated(k=8)", "--format", "json"}).out);
  CHECK(json["designs"][0]["power_rel"] == 1.0);
  CHECK(json["designs"][1]["power_rel"] < 1.0);
  CHECK(json["designs"][2]["power_rel"] < json["designs"][1]["power_rel"]);
  const test::ScratchDir dir;
  const std::string path = (dir / "mul8u_t4.v").string();
  test::write_text(path, generate_verilog("truncated(k=4)"));
  const auto file = nlohmann::json::parse(run_cli({"cost", path, "--format", "json"}).out);
  CHECK(file["designs"][0]["power_rel"] == json["designs"][1]["power_rel"]);
  const auto skewed = nlohmann::json::parse(
      run_cli({"cost", "truncated(k=4)", "--a", "halfnormal(std=10)", "--format", "json"}).out);
  CHECK(skewed["designs"][0]["switching_energy"] < json["designs"][1]["switching_energy"]);
  CHECK(run_cli({"characterize", path}).out.find("12.25") != std::string::npos);
}
