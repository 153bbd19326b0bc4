// Published figures of 32 EvoApproxLib multipliers (V. Mrazek et al., DATE 2017), each within half
// a unit of its last printed digit.
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "axmul/stats/metrics.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

std::vector<std::map<std::string, std::string>> read_facts(const std::filesystem::path& path) {
  std::istringstream file(test::read_text(path));
  std::string line;
  std::getline(file, line);
  const auto header = split(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(file, line)) {
    const auto cells = split(line);
    REQUIRE(cells.size() == header.size());
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < cells.size(); ++i) row[header[i]] = cells[i];
  }
  return rows;
}

Lut read_bin(const std::filesystem::path& path) {
  const std::string bytes = test::read_text(path);
  REQUIRE(bytes.size() == 2 * kLutSize);
  std::vector<std::int32_t> products;
  for (std::size_t i = 0; i < bytes.size(); i += 2)
    products.push_back(static_cast<unsigned char>(bytes[i]) |
                       static_cast<unsigned char>(bytes[i + 1]) << 8);
  return Lut(OperandType::u8u8, products);
}

/// Half a unit of the last digit that the text prints: "0.0053" → 0.00005, "1.3e6" → 0.05e6.
double half_unit(const std::string& printed) {
  const std::size_t e = printed.find_first_of("eE");
  const std::string mantissa = printed.substr(0, e);
  const int exponent = e == std::string::npos ? 0 : std::stoi(printed.substr(e + 1));
  const std::size_t point = mantissa.find('.');
  const int decimals =
      point == std::string::npos ? 0 : static_cast<int>(mantissa.size() - point - 1);
  return 0.5 * std::pow(10.0, exponent - decimals);
}

}  // namespace

TEST_CASE("published metrics of EvoApproxLib are reproduced to the last printed digit") {
  const auto folder = test::data_path("evoapprox");
  if (!folder) AXMUL_SKIP("needs AXMUL_DATA/evoapprox");
  const auto facts = read_facts(*folder / "facts.csv");
  CHECK(facts.size() == 32);
  for (const auto& fact : facts) {
    const std::string& name = fact.at("name");
    const ErrorMetrics m = characterize(read_bin(*folder / (name + ".bin"))).metrics;
    const std::pair<const char*, double> figures[] = {{"MAE", m.mae},
                                                      {"MAE_pct", m.mae_pct_fullscale},
                                                      {"WCE", m.wce},
                                                      {"WCE_pct", m.wce_pct_fullscale},
                                                      {"EP_pct", 100 * m.error_rate},
                                                      {"MRE_pct", 100 * m.mred},
                                                      {"WCRE_pct", 100 * m.wcre},
                                                      {"MSE", m.mse}};
    for (const auto& [key, value] : figures) {
      const std::string& printed = fact.at(key);
      CAPTURE(name);
      CAPTURE(key);
      CAPTURE(printed);
      CAPTURE(value);
      // 1e-9 of slack for decimal ties such as 0.125 printed as 0.12 or 0.13.
      CHECK(std::abs(value - std::stod(printed)) <= half_unit(printed) * (1 + 1e-9));
    }
    if (name == "mul8u_185Q") CHECK(m.mse == 22286.0361328125);
  }
}
