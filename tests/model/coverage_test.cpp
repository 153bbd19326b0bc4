// What a relative energy says of a network of which it knows a part.
#include "axmul/model/coverage.hpp"

#include <cmath>

#include "support/support.hpp"

using namespace axmul;

TEST_CASE("a saving is named only where all multiplications are known") {
  const Coverage all{1000, 0, 0};
  CHECK(energy_sentence(0.266, all) == "0.2660 of the exact energy (73.4 % less)");
  CHECK(energy_sentence(1.2, all) == "1.2000 of the exact energy (20.0 % more)");
  CHECK(coverage_sentence(all) == "");
  CHECK(energy_figure(0.266, all) == "0.2660");
  CHECK(saving_figure(0.266, all) == "73.4");

  const Coverage part{44, 956, 0};
  CHECK(energy_sentence(0.97, part) ==
        "0.9700 of the exact energy (3.0 % less); 95.6 % of the multiplications are in calls that "
        "axmul does not replace");
  CHECK(part.is_complete());
  CHECK_FALSE(part.is_everything());

  const Coverage unknown{44, 956, 2};
  CHECK(energy_sentence(0.97, unknown) ==
        "≥ 0.9700 of the exact energy; at least 95.6 % of the multiplications are in calls that "
        "axmul does not replace, those of 2 calls are not known");
  CHECK(coverage_sentence({1000, 0, 1}) ==
        "at least 0.0 % of the multiplications are in calls that axmul does not replace, those of "
        "1 call are not known");
  CHECK(energy_figure(0.97, unknown, 2) == "≥ 0.97");
  CHECK(saving_figure(0.97, unknown) == "≤ 3.0");

  const Coverage old{44, 956, std::nullopt};
  CHECK(energy_sentence(0.97, old) ==
        "≥ 0.9700 of the exact energy; at least 95.6 % of the multiplications are in calls that "
        "axmul does not replace; what the network multiplies outside of its layers is not known");
  CHECK(coverage_sentence({1000, 0, std::nullopt}) ==
        "what the network multiplies outside of its layers is not known");
}

// The rest costs 1 each, so the energy of all lies between that of the known part and 1.
TEST_CASE("the bound holds however large the unknown part is") {
  for (const double energy : {0.3, 1.0, 1.4})
    for (const double rest : {0.0, 1.0, 1e3, 1e9}) {
      const Coverage known{1000, 500, 1};
      const double of_known = (1000 * energy + 500) / 1500;
      const double of_all = (1000 * energy + 500 + rest) / (1500 + rest);
      CAPTURE(energy);
      CAPTURE(rest);
      if (energy_bound(of_known, known) == EnergyBound::lower)
        CHECK(of_all >= of_known);
      else
        CHECK((energy_bound(of_known, known) == EnergyBound::upper && of_all <= of_known));
    }
  CHECK(energy_bound(0.3, {1000, 500, 0}) == EnergyBound::exact);
  CHECK(to_string(EnergyBound::lower) == "lower");
}

TEST_CASE("an unknown energy is said to be unknown") {
  const double nan = std::nan("");
  CHECK(energy_figure(nan, {1, 1, 0}) == "unknown");
  CHECK(saving_figure(nan, {1, 1, 0}) == "–");
  CHECK(energy_sentence(nan, {1, 1, 0}) ==
        "relative to exact multipliers the energy is unknown; 50.0 % of the multiplications are in "
        "calls that axmul does not replace");
  CHECK(Coverage{}.share_not_covered() == 0);
}
