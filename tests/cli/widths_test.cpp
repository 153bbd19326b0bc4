// Multipliers of other widths through the commands: narrow ones as tables of their own type, wide
// ones streamed.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "axmul/designs/circuit.hpp"
#include "axmul/designs/designs.hpp"
#include "axmul/formats/table_file.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/tables/error_table.hpp"
#include "cli/run_cli.hpp"
#include "support/support.hpp"

using namespace axmul;
using nlohmann::json;
using test::run_cli;

namespace {

/// 8x3 bits, off by 5 where a is odd and b is 7.
Lut odd() {
  return Lut::from_function_of_size(*parse_sized_type("u8u3"), [](int a, int b) {
    return a * b + (a % 2 == 1 && b == 7 ? 5 : 0);
  });
}

/// Text of an exact 10x10 circuit whose header claims an error.
std::string wide_circuit() { return "// MAE = 1.5\n" + generate_verilog("exact(type=u10u10)"); }

}  // namespace

TEST_CASE("a narrow table is characterised in its own width") {
  const test::ScratchDir dir;
  write_table((dir / "x.npy").string(), Multiplier{"x", odd()});
  const auto result = run_cli({"characterize", (dir / "x.npy").string(), "--format", "json"});
  REQUIRE(result.code == 0);
  const json row = json::parse(result.out)["multipliers"][0];
  CHECK(row["type"] == "u8u3");
  CHECK(row["sha256"] == odd().sha256());
  const json m = row["distributions"][0]["metrics"];
  CHECK(m["mae"] == 128 * 5 / 2048.0);
  CHECK(m["mae_pct_fullscale"].get<double>() == doctest::Approx(100 * 128 * 5 / 2048.0 / 2048));
  CHECK(m["wce"] == 5);
  CHECK(m["wce_a"] == 1);
  CHECK(m["wce_b"] == 7);
  CHECK(m["bit_flip_rate"].size() == 11);
  CHECK(m["rank_lut"] == nullptr);
  const auto csv =
      run_cli({"characterize", (dir / "x.npy").string(), "--format", "csv", "--b", "point(7)"});
  CHECK(csv.out.find(",u8u3,uniform,point(7),2.5,") != std::string::npos);
}

TEST_CASE("narrow tables have their own groups and scales in HDF5, and read back") {
  const test::ScratchDir dir;
  write_table((dir / "x.npy").string(), Multiplier{"x", odd()});
  const std::string out = (dir / "t.h5").string();
  REQUIRE(
      run_cli({"export", (dir / "x.npy").string(), "exact(type=s5s4)", "exact", "-o", out}).code ==
      0);
  const h5::File file = h5::File::open(out);
  CHECK(file.dataset("/u8u3/product").shape() == h5::Shape{1, 256, 8});
  CHECK(file.dataset("/u8u3/p_b").shape() == h5::Shape{1, 8});
  CHECK(file.dataset("/u8u3/bit_flip_rate").shape() == h5::Shape{1, 1, 11});
  CHECK(file.dataset("/s5s4/conditional_bias_a").shape() == h5::Shape{1, 1, 32});
  CHECK(file.dataset("/s5s4/operand_b").read<std::int64_t>().front() == -8);
  CHECK(file.dataset("/u8u8/product").shape() == h5::Shape{1, 256, 256});
  const ErrorTableFile table(out);
  REQUIRE(table.entries().size() == 3);
  for (const TableEntry& entry : table.entries())
    if (entry.name == "x") CHECK(table.multiplier(entry).lut == odd());
  CHECK(table.metric(*parse_sized_type("u8u3"), "mae")[0] == 128 * 5 / 2048.0);
  CHECK(run_cli({"info", out}).out.find("u8u3") != std::string::npos);
  CHECK(run_cli({"compare", out + ":x", (dir / "x.npy").string()}).code == 0);
  CHECK(run_cli({"compare", out + ":x", "exact(type=u8u3)"}).out.find("128 of 2048") !=
        std::string::npos);
  CHECK(run_cli({"compare", out + ":x", "exact"}).out.find("different operand types") !=
        std::string::npos);
}

TEST_CASE("--width tells what a flat file does not, and is checked against the shape") {
  const test::ScratchDir dir;
  write_table((dir / "x.bin").string(), Multiplier{"x", odd()}, {.dtype = "uint16"});
  const std::string path = (dir / "x.bin").string();
  CHECK(run_cli({"characterize", path}).code == 3);
  CHECK(run_cli({"compare", path, "exact(type=u8u3)", "--width", "8x3"}).out.find("128 of") !=
        std::string::npos);
  CHECK(run_cli({"compare", path, "exact(type=u8u3)", "--type", "u8u3"}).out.find("128 of") !=
        std::string::npos);
  CHECK(run_cli({"characterize", path, "--width", "8y3"}).code == 2);
  CHECK(run_cli({"characterize", path, "--type", "q8u3"}).code == 2);
  CHECK(run_cli({"characterize", path, "--type", "u8u3", "--width", "7x4"}).code == 2);
}

TEST_CASE("a library holds all widths; what needs 8x8 bits says so") {
  const test::ScratchDir dir;
  std::filesystem::create_directories(dir / "tree");
  write_table((dir / "tree/mul8x3u_odd.npy").string(), Multiplier{"x", odd()});
  test::write_text(dir / "tree/mul7u_t.v", generate_verilog("exact(type=u7u7)"));
  test::write_text(dir / "tree/mul8u_t.v", generate_verilog("truncated(k=4)"));
  test::write_text(dir / "costs.csv",
                   "name,power_mw,mae,wce,mae_pct,ep_pct\nmul8x3u_odd,0.1,0.31,5,0.015,6.25\n");
  const std::string library = (dir / "lib.h5").string();
  const auto built = run_cli({"library", "build", (dir / "tree").string(), "-o", library, "--costs",
                              (dir / "costs.csv").string()});
  CHECK(built.code == 0);
  CHECK(ErrorTableFile(library).entries().size() == 3);
  const auto verified = run_cli({"library", "verify", library});
  CHECK(verified.code == 0);
  CHECK(verified.out.find("5 figures agree") == std::string::npos);
  CHECK(verified.out.find("4 figures agree") != std::string::npos);
  const auto listed = json::parse(run_cli({"list", library, "--format", "json"}).out);
  CHECK(listed["designs"].size() == 3);
  CHECK(run_cli({"pareto", library}).out.find("u7u7") != std::string::npos);
  const auto bench = run_cli({"bench", "--lut", library + ":mul8x3u_odd", "--shape", "1,4,4"});
  CHECK(bench.code == 2);
  CHECK(bench.err.find("LUT GEMM takes multipliers of 8x8 bits, not u8u3") != std::string::npos);
  const auto cost = json::parse(
      run_cli({"cost", (dir / "tree/mul7u_t.v").string(), "exact(type=u8u3)", "--format", "json"})
          .out);
  CHECK(cost["designs"][0]["type"] == "u7u7");
  CHECK(cost["designs"][1]["power_rel"].get<double>() == doctest::Approx(1));
}

TEST_CASE("designs of more than 8x8 bits are streamed by the same commands") {
  const test::ScratchDir dir;
  test::write_text(dir / "mul10u_t.v", wide_circuit());
  const std::string path = (dir / "mul10u_t.v").string();
  const auto result = run_cli(
      {"characterize", "truncated(k=2,type=u10u10)", path, "drum(k=6)", "--format", "json"});
  REQUIRE(result.code == 0);
  const json rows = json::parse(result.out)["multipliers"];
  REQUIRE(rows.size() == 3);
  CHECK(rows[0]["type"] == "u10u10");
  CHECK(rows[0]["sha256"] == nullptr);
  // Bits of weight 1, 2, 2 are left out, each one in four pairs.
  CHECK(rows[0]["distributions"][0]["metrics"]["bias"] == -1.25);
  CHECK(rows[0]["distributions"][0]["wide"]["sums"]["error"] == "-1310720");
  CHECK(rows[0]["distributions"][0]["metrics"]["skewness"] == nullptr);
  CHECK(rows[0]["distributions"][0]["wide"]["bias_given_a"].size() == 256);
  CHECK(rows[1]["distributions"][0]["metrics"]["mae"] == 0);
  CHECK(rows[2]["type"] == "u8u8");
  CHECK(run_cli({"compare", path, "exact(type=u10u10)"}).code == 0);
  const auto different = run_cli({"compare", path, "truncated(k=2,type=u10u10)", "--limit", "1"});
  CHECK(different.code == 1);
  CHECK(different.out.find("of 1048576 entries differ, by at most 5") != std::string::npos);
  const auto verified = run_cli({"library", "verify", path});
  CHECK(verified.code == 1);  // the header claims an error that the circuit has not
  CHECK(verified.out.find("disagrees") != std::string::npos);
  CHECK(run_cli({"pareto", "truncated(k=2,type=u10u10)", path, "--x", "area_um2", "--y", "mae"})
            .code == 3);
  CHECK(run_cli({"export", "exact(type=u10u10)", "-o", (dir / "x.h5").string()}).code == 3);
}

TEST_CASE("info knows designs of more than 8x8 bits") {
  const auto found =
      json::parse(run_cli({"info", "drum(k=6,type=u12u12)", "--format", "json"}).out);
  CHECK(found["name"] == "drum(k=6,type=u12u12)");
  CHECK(found["type"] == "u12u12");
  CHECK(found["power_rel"].get<double>() > 0);
}

TEST_CASE("a report leaves out what has no 8x8 bits, and says so") {
  const test::ScratchDir dir;
  const std::string page = (dir / "r.html").string();
  const auto mixed = run_cli({"report", "exact", "exact(type=u8u3)", "-o", page});
  CHECK(mixed.code == 0);
  CHECK(mixed.err.find("left out") != std::string::npos);
  CHECK(mixed.err.find("exact(type=u8u3)") != std::string::npos);
  CHECK(test::read_text(page).find("exact") != std::string::npos);
  CHECK(run_cli({"report", "exact(type=u8u3)", "-o", page, "--force"}).code == 2);
}

TEST_CASE("EvoApproxLib's narrow multipliers: every published figure is recomputed") {
  const auto folder = test::data_path("evoapprox-narrow");
  if (!folder) AXMUL_SKIP("needs AXMUL_DATA/evoapprox-narrow");
  const test::ScratchDir dir;
  const std::string library = (dir / "lib.h5").string();
  REQUIRE(run_cli({"library", "build", folder->string(), "-o", library, "--costs",
                   (*folder / "facts.csv").string()})
              .code == 0);
  const auto result = run_cli({"library", "verify", library, "--format", "json"});
  CHECK(result.code == 0);
  const json designs = json::parse(result.out)["designs"];
  std::size_t agreeing = 0, others = 0;
  for (const auto& design : designs) {
    agreeing += design["agreeing"].get<std::size_t>();
    others += design["rounded"].get<std::size_t>() + design["disagreeing"].get<std::size_t>();
  }
  CHECK(designs.size() >= 190);
  CHECK(agreeing >= 5 * 190);
  CHECK(others == 0);
}
