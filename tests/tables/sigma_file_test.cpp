// The file of tolerated noise levels, both ways.
#include "axmul/tables/sigma_file.hpp"

#include <cmath>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;

TEST_CASE(
    "noise levels are read as they were written; unknown curvatures may be left out or null") {
  const test::ScratchDir dir;
  const std::string path = (dir / "sigma.json").string();
  const std::vector<LayerSigma> written{{"conv1", 0.1 / 3, 0.7}, {"fc", 0.25}};
  write_sigmas(path, written);
  const auto read = read_sigmas(path);
  REQUIRE(read.size() == 2);
  CHECK(read[0].layer == "conv1");
  CHECK(read[0].sigma_l == 0.1 / 3);
  CHECK(read[0].loss_curvature == 0.7);
  CHECK(read[1].sigma_l == 0.25);
  CHECK(std::isnan(read[1].loss_curvature));
  test::write_text(dir / "sigma.json", R"({"schema": "axmul.sigma/1", "layers": [)"
                                       R"({"layer": "a", "sigma_l": 1, "loss_curvature": null}]})");
  CHECK(std::isnan(read_sigmas(path).at(0).loss_curvature));
}

TEST_CASE("what is no file of noise levels is refused with its name") {
  const test::ScratchDir dir;
  const std::string path = (dir / "sigma.json").string();
  const auto refused = [&](const std::string& text, int id) {
    CAPTURE(text);
    test::write_text(dir / "sigma.json", text);
    try {
      read_sigmas(path);
      FAIL("was read");
    } catch (const InputError& error) {
      CHECK(error.id() == id);
      CHECK(std::string(error.what()).find(path) != std::string::npos);
    }
  };
  refused(R"({"schema": "axmul.sigma/2", "layers": []})", 1090);
  refused(R"({"schema": "axmul.sigma/1"})", 1091);
  refused(R"({"schema": "axmul.sigma/1", "layers": [{"layer": "a"}]})", 1091);
  refused(R"({"schema": "axmul.sigma/1", "layers": [{"layer": "a", "sigma_l": "much"}]})", 1091);
  refused("σ", 1091);
}
