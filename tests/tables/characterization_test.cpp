// The driver: order, threads, failures and interruption; JSON and CSV.
#include "axmul/tables/characterization.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "axmul/core/errors.hpp"
#include "tables/tables_support.hpp"

using namespace axmul;

namespace {

std::string json_of(const std::vector<DesignRef>& designs, CharacterizationOptions options) {
  const DistributionSet distributions(options);
  std::vector<CharacterizationRow> rows;
  characterize_designs(designs, options, distributions, [&](const Characterization& result) {
    rows.push_back(characterization_row(result, distributions));
  });
  return characterization_json(rows, Convention::evoapproxlib);
}

}  // namespace

TEST_CASE("results come in the order of the designs, the same for 1, 2 and 7 threads") {
  std::vector<DesignRef> designs;
  for (std::uint64_t i = 0; i < 40; ++i)
    designs.push_back(test::design(
        "m" + std::to_string(i), test::random_lut(OperandType::u8u8, i, 5 + static_cast<int>(i))));
  CharacterizationOptions options;
  options.threads = 1;
  const std::string one = json_of(designs, options);
  const auto parsed = nlohmann::json::parse(one);
  CHECK(parsed["schema"] == "axmul.characterization/1");
  for (std::size_t i = 0; i < designs.size(); ++i)
    CHECK(parsed["multipliers"][i]["name"] == "m" + std::to_string(i));
  for (const int threads : {2, 7}) {
    options.threads = threads;
    CHECK(json_of(designs, options) == one);
  }
}

TEST_CASE("a design that fails ends the run; those before it reach the sink") {
  std::vector<DesignRef> designs;
  for (int i = 0; i < 30; ++i)
    designs.push_back(test::design("m" + std::to_string(i), Lut::exact(OperandType::u8u8)));
  for (const std::size_t bad : {std::size_t{11}, std::size_t{17}})
    designs[bad].load = [bad]() -> Multiplier {
      throw InputError(320, Place{"bad"}, "number " + std::to_string(bad));
    };
  for (const int threads : {1, 7}) {
    CharacterizationOptions options;
    options.threads = threads;
    options.metrics.distribution = false;
    const DistributionSet distributions(options);
    std::size_t seen = 0;
    try {
      characterize_designs(designs, options, distributions,
                           [&](const Characterization&) { ++seen; });
      FAIL("no exception");
    } catch (const InputError& error) {
      CHECK(std::string(error.what()).find("number 11") != std::string::npos);
    }
    CHECK(seen == 11);
  }
}

TEST_CASE("pairs of distributions: one repeats, none is uniform, other counts are refused") {
  const std::vector<std::string> none, one{"uniform"}, two{"point(1)", "uniform"},
      three{"uniform", "uniform", "uniform"};
  CHECK(pair_distributions(none, none).size() == 1);
  const auto pairs = pair_distributions(two, one);
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].a == "point(1)");
  CHECK(pairs[1].b == "uniform");
  CHECK_THROWS_AS(pair_distributions(two, three), UsageError);
  CHECK_THROWS_AS(pair_distributions(one, none, one), UsageError);
}

TEST_CASE("JSON is exact, undefined figures are null, CSV agrees") {
  const auto designs = std::vector{test::design("exact, really", Lut::exact(OperandType::u8u8)),
                                   test::design("\"r\"", test::random_lut(OperandType::u8u8, 3))};
  CharacterizationOptions options;
  const DistributionSet distributions(options);
  std::vector<CharacterizationRow> rows;
  std::vector<ErrorReport> reports;
  characterize_designs(designs, options, distributions, [&](const Characterization& result) {
    rows.push_back(characterization_row(result, distributions));
    reports.push_back(result.reports.at(0));
  });
  const auto json =
      nlohmann::json::parse(characterization_json(rows, Convention::evoapproxlib))["multipliers"];
  const auto metrics = json[1]["distributions"][0]["metrics"];
  for (const MetricField& field : metric_fields()) {
    const double value = output_figure(field, reports[1].metrics);
    const auto& written = metrics[std::string(field.name)];
    if (std::isnan(value))
      CHECK(written.is_null());
    else
      CHECK(written.get<double>() == value);
  }
  CHECK(metrics["rank_error"].is_null());
  CHECK(json[0]["distributions"][0]["metrics"]["skewness"].is_null());
  CHECK(json[0]["distributions"][0]["a"] == "uniform");
  std::istringstream csv(characterization_csv(rows));
  std::string header, exact, random;
  std::getline(csv, header);
  std::getline(csv, exact);
  std::getline(csv, random);
  CHECK(header.starts_with("name,sha256,type,a,b,"));
  CHECK(exact.starts_with("\"exact, really\","));
  CHECK(exact.find(",NaN,") != std::string::npos);
  CHECK(random.starts_with("\"\"\"r\"\"\","));
}
