// A tree of twenty files of all kinds makes the same library, to the byte, in any order of files.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "axmul/designs/circuit.hpp"
#include "axmul/formats/table_file.hpp"
#include "axmul/netlist/netlist.hpp"
#include "axmul/tables/error_table.hpp"
#include "cli/run_cli.hpp"
#include "support/support.hpp"

using namespace axmul;
using test::run_cli;

namespace {

using Words = std::vector<std::string>;

Lut model_lut() {
  return Lut::from_function(OperandType::u8u8, [](int a, int b) { return (a & 0xFC) * b; });
}

std::string header(const std::string& power) {
  return "// EvoApproxLib\n// PDK45_PWR = " + power + " mW\n";
}

/// The text of a generated circuit with its top module renamed and a published power before it.
std::string circuit(const std::string& design, const std::string& name, const std::string& power) {
  std::string text = generate_verilog(design);
  const std::size_t at = text.find("\nmodule ") + 8;  // the top module comes first
  text.replace(at, text.find_first_of(" (", at) - at, name);
  return (power.empty() ? "" : header(power)) + text;
}

/// a + b of two ports; carry: with the carry out.
Netlist adder(const std::string& name, int width, bool carry) {
  NetlistBuilder n(name);
  const auto a = n.input("A", width), b = n.input("B", width);
  std::vector<NetId> sum;
  NetId c = NetlistBuilder::constant(false);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto [s, out] = n.full_adder(a[i], b[i], c);
    sum.push_back(s);
    c = out;
  }
  if (carry) sum.push_back(c);
  n.output("O", sum);
  return n.take();
}

/// An exact multiplier that gives out only its upper bits.
std::string upper_bits(const std::string& name, std::size_t bits) {
  Netlist netlist = generate_netlist("exact");
  netlist.name = name;
  for (Port& port : netlist.ports)
    if (port.is_output)
      port.nets.erase(port.nets.begin(), port.nets.end() - static_cast<std::ptrdiff_t>(bits));
  return to_verilog(netlist);
}

/// Operand ports of these widths and a product of as many bits as both, of single partial products.
std::string other_width(const std::string& name, int a_width, int b_width) {
  NetlistBuilder n(name);
  const auto a = n.input("A", a_width), b = n.input("B", b_width);
  std::vector<NetId> out(static_cast<std::size_t>(a_width + b_width), n.and2(a[0], b[0]));
  n.output("O", out);
  return to_verilog(n.take());
}

Words write_tree(const test::ScratchDir& dir) {
  for (const char* folder : {"a", "b"}) std::filesystem::create_directories(dir / folder);
  Words paths;
  const auto file = [&](const std::string& name, const std::string& text) {
    paths.push_back((dir / name).string());
    test::write_text(paths.back(), text);
  };
  const std::string c = "#include <stdint.h>\n";
  file("a/mul8u_same.v", circuit("exact", "mul8u_same", "0.5"));
  file("a/mul8u_exact.v", circuit("exact", "mul8u_exact", "0.4"));
  file("a/mul8u_t.v", circuit("truncated(k=4)", "mul8u_t", "0.3"));
  file("b/mul8u_t.v", circuit("truncated(k=6)", "mul8u_t", "0.2"));
  file("a/cut.v", circuit("truncated(k=8)", "top", ""));
  file("b/odd.v", circuit("drum(k=4)", "top", ""));
  file("b/mul8s_e.v", circuit("exact(type=s8s8)", "mul8s_e", "0.44"));
  file("a/upper.v", upper_bits("upper", 8));
  file("a/mul8u_c.c", header("0.25") + c +
                          "uint64_t mul8u_c(const uint64_t B, const uint64_t A) { return (A & "
                          "0xFC) * B; }\n");
  paths.push_back((dir / "b/mul8u_turned.bin").string());
  write_table(paths.back(), {"t", transposed(model_lut())});
  file("a/add8u_x.v", to_verilog(adder("add8u_x", 8, true)));
  file("b/nine.v", to_verilog(adder("nine", 8, true)));
  file("b/add8u_c.c",
       header("0.01") + c + "uint16_t add8u_c(uint8_t a, uint8_t b) { return a + b; }\n");
  file("a/add12u_y.c", c + "uint64_t add12u_y(uint64_t a, uint64_t b) { return a + b; }\n");
  file("a/mul12u_z.c",
       header("0.9") + c + "uint64_t mul12u_z(uint64_t a, uint64_t b) { return a * b; }\n");
  file("b/w.c",
       c + "uint64_t w(const uint64_t A /* 8-bit unsigned operand */,\n"
           "           const uint64_t B /* 4-bit unsigned operand */) { return A * B; }\n");
  file("b/mul7u_q.v", other_width("mul7u_q", 7, 7));
  file("a/wide.v", other_width("wide", 12, 12));
  file("b/m16.c", c + "uint32_t f(uint16_t a, uint16_t b) { return (uint32_t)a * b; }\n");
  file("a/sum8.v", to_verilog(adder("sum8", 8, false)));
  return paths;
}

struct Built {
  std::string bytes;
  nlohmann::json report;
};

Built build(const test::ScratchDir& dir, const Words& paths) {
  const std::string library = (dir / "l.h5").string();
  Words words{"library", "build"};
  words.insert(words.end(), paths.begin(), paths.end());
  words.insert(words.end(), {"--allow-native-code", "--format", "json", "-o", library, "--force"});
  setenv("SOURCE_DATE_EPOCH", "1767225600", 1);
  const auto result = run_cli(words);
  unsetenv("SOURCE_DATE_EPOCH");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  return {test::read_text(library), nlohmann::json::parse(result.out)};
}

}  // namespace

TEST_CASE("the right entries, costs and counts, in every order of files") {
  const test::ScratchDir dir;
  Words paths = write_tree(dir);
  REQUIRE(paths.size() == 20);
  const Built first = build(dir, paths);

  std::map<std::string, std::size_t> left_out;
  for (const auto& kind : first.report["left_out"]) left_out[kind["kind"]] = kind["count"];
  CHECK(left_out == std::map<std::string, std::size_t>{{"adders (C models)", 2},
                                                       {"adders: 9 output bits", 2},
                                                       {"C models of 16-bit operands", 1},
                                                       {"multipliers of more than 8x8 bits", 1},
                                                       {"other functions: 8 output bits", 1}});
  CHECK(first.report["designs_read"] == 13);
  CHECK(first.report["circuits"] == 1);
  CHECK(first.report["failed"].empty());

  const ErrorTableFile file((dir / "l.h5").string());
  std::map<std::string, Multiplier> entries;
  for (const TableEntry& entry : file.entries())
    if (entry.type.has_table()) entries.emplace(entry.name, file.multiplier(entry));
  const auto hashed = [](const std::string& name, const Lut& lut) {
    return name + "@" + lut.sha256().substr(0, 8);
  };
  const Lut t4 = generate("truncated(k=4)").lut, t6 = generate("truncated(k=6)").lut;
  const std::map<std::string, Lut> expected{
      {"cut", generate("truncated(k=8)").lut},
      {"odd", generate("drum(k=4)").lut},
      {"mul8u_exact", Lut::exact(OperandType::u8u8)},
      {"mul8s_e", Lut::exact(OperandType::s8s8)},
      {hashed("mul8u_t", t4), t4},
      {hashed("mul8u_t", t6), t6},
      {"upper", Lut::from_function(OperandType::u8u8, [](int a, int b) { return a * b & 0xFF00; })},
      {"mul8u_c", model_lut()},
      {"mul8u_turned", transposed(model_lut())},
      {"mul7u_q", Lut::from_function_of_size(*parse_sized_type("u7u7"),
                                             [](int a, int b) { return (a & b & 1) * 0x3FFF; })},
      {"w", Lut::exact(*parse_sized_type("u8u4"))}};
  CHECK(entries.size() == expected.size());
  for (const auto& [name, lut] : expected) {
    CAPTURE(name);
    REQUIRE(entries.contains(name));
    CHECK(entries.at(name).lut == lut);
  }
  // Two powers of the exact function, 0.4 and 0.5 mW: the least is its own and the reference.
  CHECK(entries.at("mul8u_exact").aliases == Words{"mul8u_same"});
  CHECK(entries.at("mul8u_exact").cost.power_mw == 0.4);
  CHECK(entries.at("mul8u_exact").cost.power_rel == 1);
  CHECK(entries.at("mul8s_e").cost.power_rel == 1);
  CHECK(entries.at(hashed("mul8u_t", t4)).cost.power_rel == doctest::Approx(0.75));
  CHECK(entries.at(hashed("mul8u_t", t6)).cost.power_rel == doctest::Approx(0.5));
  CHECK(entries.at("mul8u_turned").cost.power_mw == 0.25);
  CHECK(entries.at("mul8u_turned").cost.source == "published");
  CHECK(entries.at("mul8u_turned").transpose_of == "mul8u_c");
  CHECK(entries.at("upper").provenance.output_shift == 8);
  CHECK(entries.at("cut").cost.source == "estimated");

  const auto told = [&](const std::string& part) {
    return std::ranges::count_if(first.report["warnings"], [&](const auto& text) {
      return text.template get<std::string>().find(part) != std::string::npos;
    });
  };
  CHECK(told("published with 2 powers: 0.4 mW (mul8u_exact), 0.5 mW (mul8u_same)") == 1);
  CHECK(told("two functions are named mul8u_t;") == 2);
  CHECK(told("mul8u_turned has the published cost of mul8u_c") == 1);

  std::mt19937 random(20);
  for (int order = 0; order < 12; ++order) {
    if (order == 0)
      std::ranges::sort(paths);
    else if (order == 1)
      std::ranges::reverse(paths);
    else
      std::shuffle(paths.begin(), paths.end(), random);
    CAPTURE(order);
    const Built again = build(dir, paths);
    CHECK(again.bytes == first.bytes);
    CHECK(again.report["warnings"] == first.report["warnings"]);
  }
  // The trees as a user gives them, either first, and one of them twice.
  const std::string a = (dir / "a").string(), b = (dir / "b").string();
  CHECK(build(dir, {a, b}).bytes == first.bytes);
  CHECK(build(dir, {b, a}).bytes == first.bytes);
  const Built twice = build(dir, {a, b, a});
  CHECK(twice.bytes == first.bytes);
  CHECK(twice.report["warnings"].size() == first.report["warnings"].size() + 1);
}
