// Header comments of EvoApproxLib and EvoApprox8b become figures, costs and verdicts.
#include <cmath>

#include "axmul/netlist/circuits.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE("EvoApproxLib headers") {
  const PublishedFigures figures = read_published_figures(
      "/***\n* This code is a part of EvoApproxLib library (…) distributed under The MIT "
      "License.\n***/\n"
      "// MAE% = 0.051 %\n// MAE = 33 \n// WCE% = 0.21 %\r\n// MSE = 72829.102e2 \n// PDK45_PWR = "
      "0.363 mW\n"
      "// PDK45_AREA = 635.0 um2\n// PDK45_DELAY = 1.37 ns\n// FPGA_POWER = 0.51\n// Library = "
      "none\n// see f = g(x)\n"
      "module x; // N = 7 things of no interest\nendmodule\n");
  CHECK(figures.library == "EvoApproxLib");
  CHECK(figures.text.at("MAE%") == "0.051");
  CHECK(figures.text.at("MSE") == "72829.102e2");
  CHECK(figures.values.at("MSE") == 7282910.2);
  CHECK(figures.values.at("FPGA_POWER") == 0.51);
  CHECK(figures.values.size() == 8);
  const Cost cost = published_cost(figures, OperandType::s8s8);
  CHECK(cost.power_mw == 0.363);
  CHECK(cost.area_um2 == 635.0);
  CHECK(cost.delay_ns == 1.37);
  CHECK(cost.source == "published");
  CHECK(cost.technology == "PDK45");
  CHECK(cost.power_rel == 0.363 / 0.425);
  CHECK(published_cost(figures, OperandType::u8u8).power_rel == 0.363 / 0.391);
}

TEST_CASE("EvoApprox8b headers: powers in µW without a unit, percent signs, three slashes") {
  const std::string lines =
      "/// Approximate function mul8_000\n///  Library = EvoApprox8b\n///  Circuit = mul8_000\n"
      "///  Area   (180) = 9224\n///  Delay  (180) = 3.130\n///  Power  (180) = 4963.60\n"
      "///  Area   (45) = 662\n///  Delay  (45) = 1.190\n///  Power  (45) = 428.70\n"
      "///  MAE = 98.527100\n///  MRE = 1.99 %\n";
  // The C models say that they are part of EvoApproxLib, whose headers cite EvoApprox8b's paper.
  for (const char* before :
       {"",
        "* This code is a part of EvoApproxLib library (…)\n* This file contains a circuit from "
        "evoapprox8b dataset.\n"}) {
    const PublishedFigures figures = read_published_figures(before + lines);
    CHECK(figures.library == "EvoApprox8b");
    CHECK(figures.text.at("MRE%") == "1.99");
    CHECK(figures.text.at("Power (45)") == "428.70");
    CHECK(figures.values.at("Power (45)") == 428.7);
    const Cost cost = published_cost(figures, OperandType::u8u8);
    CHECK(cost.power_mw == doctest::Approx(0.4287));
    CHECK(cost.area_um2 == 662);
    CHECK(cost.delay_ns == 1.19);
    CHECK(cost.technology == "PDK45 (EvoApprox8b)");
    CHECK(std::isnan(cost.power_rel));
  }
  CHECK(read_published_figures("// part of EvoApproxLib library\n// cites \"EvoApprox8b: Library "
                               "of approximate adders\"\n// MAE = 1\n")
            .library == "EvoApproxLib");
}

TEST_CASE("printed units count; what has an unknown one is no cost; technologies do not mix") {
  const auto cost = [](const std::string& lines) {
    return published_cost(read_published_figures(lines), OperandType::u8u8);
  };
  CHECK(cost("// PDK45_PWR = 391 uW\n").power_mw == doctest::Approx(0.391));
  CHECK(cost("// PDK45_PWR = 391 µW\n").power_mw == doctest::Approx(0.391));
  CHECK(cost("// PDK45_PWR = 391000 nW\n// PDK45_AREA = 7 µm²\n").power_mw ==
        doctest::Approx(0.391));
  CHECK(cost("// PDK45_AREA = 7 µm²\n").area_um2 == 7);
  CHECK(cost("// PDK45_DELAY = 1430 ps\n").delay_ns == doctest::Approx(1.43));
  CHECK(std::isnan(cost("// PDK45_PWR = 391 furlongs\n// PDK45_AREA = 1 um2\n").power_mw));
  CHECK(cost("// PDK45_PWR = 391 furlongs\n").source.empty());
  const Cost two =
      cost("// PDK180_PWR = 4.9 mW\n// PDK45_PWR = 0.4 mW\n// PDK180_AREA = 9000 um2\n");
  CHECK(two.power_mw == 0.4);
  CHECK(std::isnan(two.area_um2));
  CHECK(two.technology == "PDK45");
}

TEST_CASE("figures without a header are none") {
  CHECK(read_published_figures("module m; endmodule").values.empty());
  CHECK(published_cost({}, OperandType::u8u8).source.empty());
}

TEST_CASE("verdicts: half a unit agrees, 1.1 is rounding, more disagrees") {
  // One entry is off by 2^16: MAE = 1 exactly, MAE% = 100/65536 = 0.00152588, EP% = 0.00152588.
  const Lut lut = Lut::from_function(
      OperandType::u8u8, [](int a, int b) { return a * b + (a == 7 && b == 9 ? 65536 : 0); });
  const auto verdict = [&](const std::string& key, const std::string& printed) {
    const VerifyReport report = verify_published({{key, printed}}, lut);
    REQUIRE(report.checks.size() == 1);
    CHECK(report.agreeing + report.rounded + report.disagreeing == 1);
    return report.checks[0].verdict;
  };
  CHECK(verdict("MAE", "1.0") == FigureVerdict::agrees);
  CHECK(verdict("MAE", "1") == FigureVerdict::agrees);
  CHECK(verdict("MAE", "1.05") == FigureVerdict::disagrees);
  CHECK(verdict("MAE", "1.1") == FigureVerdict::rounding);
  CHECK(verdict("MAE", "1.2") == FigureVerdict::disagrees);
  CHECK(verdict("MAE", "1.000000") == FigureVerdict::agrees);
  CHECK(verdict("MAE", "1.000010") == FigureVerdict::rounding);
  CHECK(verdict("MAE%", "0.0015") == FigureVerdict::agrees);
  CHECK(verdict("MAE%", "0.0016") == FigureVerdict::rounding);
  CHECK(verdict("MAE%", "0.0017") == FigureVerdict::disagrees);
  CHECK(verdict("EP%", "0.00") == FigureVerdict::agrees);
  CHECK(verdict("WCE", "65536") == FigureVerdict::agrees);
  CHECK(verdict("WCE", "65537") == FigureVerdict::rounding);
  CHECK(verdict("WCE%", "100.00") == FigureVerdict::agrees);
  CHECK(verdict("MSE", "65536") == FigureVerdict::agrees);
  CHECK(verdict("MSE", "655.36e2") == FigureVerdict::agrees);
  CHECK(verdict("MSE", "655.4e2") == FigureVerdict::agrees);
  CHECK(verdict("MSE", "656.0e2") == FigureVerdict::disagrees);
  CHECK(verdict("WCRE%", "104025.40") == FigureVerdict::agrees);  // 65536/63
  CHECK(verify_published({{"PDK45_PWR", "0.3"}, {"N", "1"}}, lut).checks.empty());
}

TEST_CASE("relative errors may follow either convention, and the report says which") {
  // f(0, b) = 1: no relative error over non-zero products, |1|/max(1, 0) = 1 over all pairs.
  const Lut lut =
      Lut::from_function(OperandType::u8u8, [](int a, int b) { return a == 0 ? 1 : a * b; });
  const VerifyReport lib = verify_published({{"MRE%", "0.00"}, {"WCRE%", "0.00"}}, lut);
  const VerifyReport old = verify_published({{"MRE%", "0.39"}, {"WCRE%", "100.00"}}, lut);
  CHECK(lib.agreeing == 2);
  CHECK(old.agreeing == 2);
  for (const FigureCheck& check : lib.checks) CHECK(check.convention == Convention::evoapproxlib);
  for (const FigureCheck& check : old.checks) CHECK(check.convention == Convention::evoapprox8b);
}

TEST_CASE("power_rel of a list comes from its own exact multiplier") {
  std::vector<Multiplier> list{{"exact", Lut::exact(OperandType::u8u8)},
                               {"other", test::asymmetric_lut(OperandType::u8u8)},
                               {"signed", test::asymmetric_lut(OperandType::s8s8)}};
  for (Multiplier& m : list) {
    m.cost.source = "published";
    m.cost.technology = "T";
    m.cost.power_mw = m.name == "exact" ? 2.0 : 0.5;
  }
  fill_power_rel(list);
  CHECK(list[0].cost.power_rel == 1.0);
  CHECK(list[1].cost.power_rel == 0.25);
  CHECK(std::isnan(list[2].cost.power_rel));
  // Another exact one, dearer and first, of the same technology: the cheapest is the reference.
  list.insert(list.begin(), list[0]);
  list[0].cost.power_mw = 4;
  fill_power_rel(list);
  CHECK(list[0].cost.power_rel == 2.0);
  CHECK(list[1].cost.power_rel == 1.0);
  CHECK(list[2].cost.power_rel == 0.25);
}
