// The commands on designs: outputs, exit codes, nothing half-written, same bytes for any thread
// count.
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "axmul/designs/designs.hpp"
#include "axmul/formats/table_file.hpp"
#include "cli/run_cli.hpp"
#include "support/support.hpp"

using namespace axmul;
using test::run_cli;

namespace {

std::string write_design(const test::ScratchDir& dir, const std::string& file, const Lut& lut) {
  const std::string path = (dir / file).string();
  write_table(path, Multiplier{file.substr(0, file.find('.')), lut});
  return path;
}

}  // namespace

TEST_CASE("JSON carries the schema, the identity and full precision") {
  const test::ScratchDir dir;
  const Lut lut = test::random_lut(OperandType::s8s8, 3);
  const std::string path = write_design(dir, "mul8s_x.npy", lut);
  const auto result = run_cli(
      {"characterize", path, "--a", "normal(mean=3,std=20)", "--b", "uniform", "--format", "json"});
  REQUIRE(result.code == 0);
  const auto json = nlohmann::json::parse(result.out);
  CHECK(json["schema"] == "axmul.characterization/1");
  const auto& multiplier = json["multipliers"][0];
  CHECK(multiplier["name"] == "mul8s_x");
  CHECK(multiplier["sha256"] == lut.sha256());
  CHECK(multiplier["type"] == "s8s8");
  const auto& entry = multiplier["distributions"][0];
  CHECK(entry["b"] == "uniform");
  const auto& metrics = entry["metrics"];
  for (const char* name : {"bias",
                           "mae",
                           "nmed",
                           "mae_pct_fullscale",
                           "wce",
                           "wce_a",
                           "wce_b",
                           "error_rate",
                           "mse",
                           "rmse",
                           "error_std",
                           "variance",
                           "mred",
                           "wcre",
                           "mred_exclude_zero",
                           "mred_max_one",
                           "wcre_exclude_zero",
                           "wcre_max_one",
                           "skewness",
                           "excess_kurtosis",
                           "snr_db",
                           "hamming_mean",
                           "bit_flip_rate",
                           "anova_row",
                           "anova_col",
                           "anova_interaction",
                           "is_symmetric",
                           "zero_violations",
                           "sign_preserved",
                           "rank_error",
                           "rank_lut"})
    CHECK_MESSAGE(metrics.contains(name), name);
  const double variance = metrics["variance"];
  CHECK(std::abs(variance - std::pow(metrics["error_std"].get<double>(), 2)) < 1e-9 * variance);
  CHECK(metrics["rank_lut"].is_null());
  const auto ranked =
      nlohmann::json::parse(run_cli({"characterize", "exact", "--rank", "--format", "json"}).out);
  CHECK(ranked["multipliers"][0]["distributions"][0]["metrics"]["rank_lut"] == 1);
  CHECK(ranked["multipliers"][0]["distributions"][0]["metrics"]["skewness"].is_null());
}

TEST_CASE("the i-th --a goes with the i-th --b, one repeats, other counts are usage errors") {
  const auto csv = run_cli({"characterize", "mitchell", "--a", "point(3)", "--a", "point(5)", "--b",
                            "point(7)", "--format", "csv"});
  REQUIRE(csv.code == 0);
  CHECK(csv.out.find(",point(3),point(7),") != std::string::npos);
  CHECK(csv.out.find(",point(5),point(7),") != std::string::npos);
  CHECK(run_cli({"characterize", "mitchell", "--a", "point(3)", "--a", "point(5)", "--b",
                 "point(1)", "--b", "point(2)", "--b", "point(3)"})
            .code == 2);
  CHECK(run_cli({"characterize", "mitchell", "--a", "nonsense(3)"}).code == 2);
  CHECK(run_cli({"characterize", "mitchell", "--a", "point(300)"}).code == 2);
}

TEST_CASE("the output is the same for 1, 2 and 7 threads") {
  std::vector<std::string> words{"characterize", "--format", "json", "--a", "halfnormal(std=30)"};
  for (int k = 3; k < 8; ++k) words.push_back("drum(k=" + std::to_string(k) + ")");
  for (int k = 1; k < 9; ++k) words.push_back("truncated(k=" + std::to_string(k) + ",type=s8s8)");
  std::vector<std::string> outputs;
  for (const char* threads : {"1", "2", "7"}) {
    auto again = words;
    again.insert(again.end(), {"--threads", threads});
    outputs.push_back(run_cli(again).out);
  }
  CHECK(outputs[0].size() > 10000);
  CHECK(outputs[0] == outputs[1]);
  CHECK(outputs[0] == outputs[2]);
}

TEST_CASE("bad input has exit code 3 and says where; nothing is written") {
  const test::ScratchDir dir;
  const std::string out = (dir / "out.json").string();
  test::write_text(dir / "short.bin", std::string(1000, 'x'));
  CHECK(run_cli({"characterize", (dir / "short.bin").string(), "-o", out}).code == 3);
  CHECK(run_cli({"characterize", (dir / "absent.npy").string(), "-o", out}).code == 3);
  const auto misspelt = run_cli({"characterize", "drun(k=6)", "-o", out});
  CHECK((misspelt.code == 2 || misspelt.code == 3));
  CHECK(misspelt.err.find("drum") != std::string::npos);
  std::filesystem::create_directory(dir / "empty");
  const auto empty = run_cli({"characterize", (dir / "empty").string(), "-o", out});
  CHECK(empty.code == 3);
  CHECK(empty.err.find("no designs") != std::string::npos);
  test::write_text(dir / "p.csv", "0.5\n-0.5\n1.0\n");
  const auto negative = run_cli(
      {"characterize", "mitchell", "-o", out, "--a", "file(" + (dir / "p.csv").string() + ")"});
  CHECK(negative.code == 3);
  CHECK(negative.err.find("p.csv") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("an existing output stays without --force; unwritable targets have exit code 4") {
  const test::ScratchDir dir;
  const std::string out = (dir / "out.json").string();
  test::write_text(out, "precious");
  const auto refused = run_cli({"characterize", "mitchell", "-o", out});
  CHECK(refused.code == 4);
  CHECK(refused.err.find("--force") != std::string::npos);
  CHECK(test::read_text(out) == "precious");
  CHECK(run_cli({"characterize", "mitchell", "-o", out, "--force"}).code == 0);
  CHECK(nlohmann::json::parse(test::read_text(out))["schema"] == "axmul.characterization/1");
  CHECK(run_cli({"characterize", "mitchell", "-o", (dir / "no/such/x.csv").string()}).code == 4);
  CHECK(run_cli({"export", "mitchell", "-o", (dir / "no/such/x.h5").string()}).code == 4);
  CHECK(run_cli({"characterize", "mitchell", "--format", "h5"}).code == 2);
}

TEST_CASE("compare says same, swapped or different, with entries") {
  const test::ScratchDir dir;
  const Lut lut = test::asymmetric_lut(OperandType::u8u8);
  const std::string x = write_design(dir, "x.npy", lut);
  const std::string y = write_design(dir, "y.csv", lut);
  const std::string t = write_design(dir, "t.npy", transposed(lut));
  CHECK(run_cli({"compare", x, y}).code == 0);
  const auto swapped = run_cli({"compare", x, t});
  CHECK(swapped.code == 1);
  CHECK(swapped.out.find("same with operands swapped") != std::string::npos);
  const auto json = nlohmann::json::parse(
      run_cli({"compare", x, "exact", "--format", "json", "--limit", "1"}).out);
  CHECK(json["verdict"] == "different");
  CHECK(json["differences"][0]["a"] == 0);
  CHECK(json["differences"][0]["first"] == 11);
  CHECK(run_cli({"compare", x, "exact(type=s8s8)"}).out.find("types") != std::string::npos);
}

TEST_CASE("convert and generate write tables that read back; standard input and output work") {
  const test::ScratchDir dir;
  const Lut lut = test::asymmetric_lut(OperandType::s8s8);
  const std::string x = write_design(dir, "mul8s_x.npy", lut);
  const std::string h = (dir / "x.h").string();
  REQUIRE(run_cli({"convert", x, "-o", h}).code == 0);
  CHECK(read_table(h).lut == lut);
  const auto piped = run_cli({"convert", x, "--format", "csv"});
  REQUIRE(piped.code == 0);
  const auto back = run_cli({"convert", "-", "-o", (dir / "back.npy").string()}, piped.out);
  REQUIRE(back.code == 0);
  CHECK(read_table((dir / "back.npy").string(), {OperandType::s8s8, {}, {}, {}}).lut == lut);
  REQUIRE(run_cli({"generate", "drum(k=6)", "-o", (dir / "d.npy").string()}).code == 0);
  CHECK(run_cli({"compare", "drum(k=6)", (dir / "d.npy").string()}).code == 0);
  CHECK(run_cli({"generate", "drum(k=99)", "-o", h, "--force"}).code == 2);
  CHECK(read_table(h).lut == lut);
  const auto list = nlohmann::json::parse(run_cli({"generate", "--list", "--format", "json"}).out);
  CHECK(list["designs"].size() >= 18);
  for (const auto& design : list["designs"]) CHECK(!design["source"].get<std::string>().empty());
}

TEST_CASE("standard input is a design everywhere, once") {
  const auto csv = run_cli({"generate", "drum(k=6)", "--format", "csv"});
  REQUIRE(csv.code == 0);
  CHECK(run_cli({"compare", "-", "drum(k=6)"}, csv.out).code == 0);
  CHECK(run_cli({"compare", "-", "-"}, csv.out).code == 2);
  CHECK(run_cli({"info", "-"}, csv.out).out.find(generate("drum(k=6)").lut.sha256()) !=
        std::string::npos);
}

TEST_CASE("an HDF5 output of convert and generate is a library; Verilog comes from its gates") {
  const test::ScratchDir dir;
  const std::string h5 = (dir / "d.h5").string(), v = (dir / "mul8u_d.v").string();
  REQUIRE(run_cli({"generate", "drum(k=6)", "-o", h5}).code == 0);
  CHECK(run_cli({"compare", h5, "drum(k=6)"}).code == 0);
  REQUIRE(run_cli({"convert", "truncated(k=4,type=s8s8)", "-o", h5, "--force"}).code == 0);
  CHECK(run_cli({"compare", h5, "truncated(k=4,type=s8s8)"}).code == 0);
  REQUIRE(run_cli({"generate", "drum(k=6)", "--verilog", "-o", v}).code == 0);
  CHECK(run_cli({"compare", v, "drum(k=6)"}).code == 0);
}

TEST_CASE("an extension that is none of the command's formats is refused, not guessed") {
  const test::ScratchDir dir;
  CHECK(run_cli({"export", "exact", "-o", (dir / "a.json").string()}).code == 2);
  CHECK(run_cli({"characterize", "exact", "-o", (dir / "a.xlsx").string()}).code == 2);
  CHECK(run_cli({"characterize", "exact", "-o", (dir / "a.txt").string()}).code == 0);
  CHECK(
      run_cli({"characterize", "exact", "-o", (dir / "a.dat").string(), "--format", "csv"}).code ==
      0);
}

TEST_CASE("ranks are figures of pareto; operand types do not compete") {
  const auto json =
      nlohmann::json::parse(run_cli({"pareto", "mitchell", "exact", "exact(type=s8s8)", "--x",
                                     "rank_lut", "--y", "snr_db", "--format", "json"})
                                .out);
  CHECK(json["front"] == nlohmann::json::array({"exact", "exact(type=s8s8)"}));
  CHECK(json["designs"][0]["x"].get<double>() > 1);
  CHECK(
      run_cli({"pareto", "exact", "--x", "mae", "--y", "wce", "--a", "point(1)", "--a", "point(2)"})
          .code == 2);
  CHECK(run_cli({"characterize", "exact", "--x", "mae"}).code == 2);
}

TEST_CASE("pareto and --against tell rank, dominator and front") {
  const auto json =
      nlohmann::json::parse(run_cli({"pareto", "drum(k=4)", "drum(k=6)", "exact", "mitchell", "--x",
                                     "mae", "--y", "wce", "--format", "json"})
                                .out);
  CHECK(json["front"] == nlohmann::json::array({"exact"}));
  CHECK(json["designs"][0]["dominated_by"] == "exact");
  const test::ScratchDir dir;
  const std::string x = write_design(dir, "mul8u_x.npy", test::random_lut(OperandType::u8u8, 9));
  std::filesystem::create_directory(dir / "known");
  write_design(dir, "known/mul8u_exact.npy", Lut::exact(OperandType::u8u8));
  const auto standing = run_cli({"characterize", x, "--against", (dir / "known").string(), "--x",
                                 "mae", "--y", "error_rate"});
  REQUIRE(standing.code == 0);
  CHECK(standing.out.find("mul8u_exact") != std::string::npos);
  CHECK(run_cli({"pareto", "mitchell", "--x", "beauty"}).code == 2);
  CHECK(run_cli({"pareto", x, "--x", "power_mw"}).code == 3);
}

TEST_CASE("a folder with a file that cannot be read: it is named, the rest is done, exit code 1") {
  const test::ScratchDir dir;
  const auto module = [&](const std::string& name, const std::string& ports,
                          const std::string& assignment) {
    test::write_text(dir / (name + ".v"), "module " + name + "(" + ports + ");\n  assign " +
                                              assignment + ";\nendmodule\n");
  };
  module("good", "input [7:0] A, input [7:0] B, output [15:0] P", "P = {A & B, 8'b0}");
  const std::string folder = dir.path().string();
  CHECK(run_cli({"characterize", folder}).code == 0);
  module("sum", "input [7:0] A, input [7:0] B, output [8:0] O", "O = A + B");
  const auto left_out = run_cli({"characterize", folder});
  CHECK(left_out.code == 0);
  CHECK(left_out.err.find("left out: 1 adders: 9 output bits") != std::string::npos);
  module("helper", "input a, output s", "s = a");
  const auto table = run_cli({"characterize", folder});
  CHECK(table.code == 1);
  CHECK(table.out.find("good") != std::string::npos);
  CHECK(table.err.find("AX251") != std::string::npos);
  CHECK(table.err.find("helper.v") != std::string::npos);
  const auto json =
      nlohmann::json::parse(run_cli({"characterize", folder, "--format", "json"}).out);
  CHECK(json["multipliers"].size() == 1);
  CHECK(json["left_out"][0]["kind"] == "adders: 9 output bits");
  CHECK(json["failed"][0]["path"].get<std::string>().find("helper.v") != std::string::npos);
  const std::string h5 = (dir / "t.h5").string();
  CHECK(run_cli({"export", folder, "-o", h5}).code == 1);
  CHECK(run_cli({"list", h5}).out.find("good") != std::string::npos);
  CHECK(run_cli({"list", (dir / "good.v").string(), (dir / "helper.v").string()}).code == 1);
  CHECK(run_cli({"pareto", folder, "--x", "mae", "--y", "wce"}).code == 1);
  // Named itself, it is what the user asked for.
  CHECK(run_cli({"characterize", (dir / "sum.v").string()}).code == 3);
  CHECK(run_cli({"characterize", (dir / "sum.v").string(), (dir / "good.v").string()}).code == 1);
  CHECK(run_cli({"characterize", (dir / "sum.v").string(), (dir / "helper.v").string()}).code == 3);
}

TEST_CASE("what resembles no product is warned about on stderr and in JSON, also out of HDF5") {
  const test::ScratchDir dir;
  const Lut sum = Lut::from_function(OperandType::u8u8, [](int a, int b) { return a + b; });
  const std::string bad = write_design(dir, "sum.npy", sum);
  const std::string good =
      write_design(dir, "fair.npy", test::random_lut(OperandType::s8s8, 5, 500));
  const auto said = [](const test::CliResult& result, const std::string& text) {
    return result.err.find(text) != std::string::npos;
  };
  const auto result = run_cli({"characterize", good, bad, "--format", "json"});
  REQUIRE(result.code == 0);
  CHECK(said(result, "warning: " + bad +
                         ": the table resembles a product of two 8-bit operands in "
                         "no reading (taken as u8u8, type from format): score 0.00"));
  CHECK_FALSE(said(result, "warning: " + good));
  const auto json = nlohmann::json::parse(result.out);
  const auto& fair = json["multipliers"][0]["provenance"];
  CHECK(fair["warning"].is_null());
  CHECK(fair["type_from"] == "values");
  CHECK(fair["index_from"] == "values");
  CHECK(fair["order_from"] == "format");
  CHECK(fair["decoding"] == "");
  CHECK(fair["resemblance"].get<double>() > 0.9);
  const std::string doubt = json["multipliers"][1]["provenance"]["warning"];
  CHECK(doubt.find("check --type, --order, --index and --input-format") != std::string::npos);

  for (const char* command : {"info", "list"})
    CHECK(said(run_cli({command, bad}), "warning: " + bad));
  const auto info = nlohmann::json::parse(run_cli({"info", bad, "--format", "json"}).out);
  CHECK(info["warning"] == doubt);
  CHECK(info["resemblance"] == 0);

  const std::string tables = (dir / "tables.h5").string();
  CHECK(said(run_cli({"export", bad, "--output", tables}), "warning: " + bad));
  const auto again = run_cli({"characterize", tables, "--format", "json"});
  CHECK(said(again, "warning: " + tables + ":sum: the table resembles"));
  CHECK(nlohmann::json::parse(again.out)["multipliers"][0]["provenance"]["warning"] == doubt);
}

TEST_CASE("generators and the shipped library are never doubted") {
  const std::string library = (test::source_dir() / "luts/axmul-library.h5").string();
  CHECK(run_cli({"characterize", library}).err.find("warning") == std::string::npos);
  for (const char* text : {"truncated(k=15)", "perforated(p=1,m=7)", "broken_booth(v=15)"})
    CHECK(run_cli({"characterize", text}).err.find("warning") == std::string::npos);
}
