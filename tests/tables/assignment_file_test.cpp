// Assignment files, both ways.
#include "axmul/tables/assignment_file.hpp"

#include <cmath>

#include "axmul/core/errors.hpp"
#include "tables/tables_support.hpp"

using namespace axmul;

namespace {

AssignmentFile sample() {
  AssignmentFile file{"sampled", "budget", true, false, {}};
  LayerMatch conv;
  conv.layer = "conv1";
  conv.multiplier = "mul8u_2AC";
  conv.sha256 = std::string(60, 'a') + "0123";
  conv.sigma_rel = 0.1 / 3;
  conv.sigma_corrected_rel = 0.03;
  conv.sigma_compared = 0.031;
  conv.threshold = 0.05;
  conv.effective_fields = 12.5;
  conv.fields_90 = 7;
  conv.power_rel = 0.7;
  conv.ops = 1000;
  LayerMatch fc;
  fc.layer = "fc";
  fc.none_fits = true;
  fc.ops = 500;
  file.report.layers = {conv, fc};
  file.report.coverage = {1500, 500, 1};
  file.report.relative_energy = 0.85;
  file.report.loss_rise = 0.01;
  file.report.source = "published";
  file.report.technology = "PDK45";
  file.report.without_cost = 2;
  return file;
}

}  // namespace

TEST_CASE("an assignment is read as it was written, by axmul and by Python") {
  const test::ScratchDir dir;
  const std::string path = (dir / "a.json").string();
  const AssignmentFile written = sample();
  write_assignment(path, written);
  const AssignmentFile read = read_assignment(path);
  CHECK(assignment_text(read) == assignment_text(written));
  CHECK(read.model == "sampled");
  CHECK(read.rule == "budget");
  CHECK(read.bias_folding);
  CHECK_FALSE(read.pessimistic);
  REQUIRE(read.report.layers.size() == 2);
  const LayerMatch &conv = read.report.layers[0], &fc = read.report.layers[1];
  CHECK(conv.sigma_rel == 0.1 / 3);
  CHECK(conv.fields_90 == 7);
  CHECK(conv.sha256 == written.report.layers[0].sha256);
  CHECK(fc.multiplier == "exact");
  CHECK(fc.none_fits);
  CHECK(fc.power_rel == 1);
  CHECK(std::isnan(fc.effective_fields));
  CHECK(std::isnan(read.report.loss_budget));
  CHECK(read.report.coverage.ops_not_covered == 500);
  CHECK(read.report.coverage.calls_not_counted == std::size_t{1});
  CHECK(test::python(R"(import sys, json
a = json.load(open(sys.argv[1]))
assert a["schema"] == "axmul.match/1" and a["energy_bound"] == "lower", a
assert a["relative_energy"] == 0.85 and a["ops_covered"] == 1500 and a["loss_budget"] is None
conv, fc = a["layers"]
assert conv["rare_events"] and not fc["rare_events"] and fc["effective_fields"] is None
assert conv["power_rel"] == 0.7 and conv["threshold"] == 0.05 and fc["ops"] == 500
)",
                     path));
}

TEST_CASE("names of layers and multipliers are enough") {
  const test::ScratchDir dir;
  test::write_text(dir / "a.json", R"json({"layers": [{"layer": "a", "multiplier": "drum(k=4)"},
    {"name": "b", "multiplier": null}, {"layer": "c", "multiplier": "exact", "sha256": ""}]})json");
  const MatchReport report = read_assignment((dir / "a.json").string()).report;
  REQUIRE(report.layers.size() == 3);
  CHECK(report.layers[0].multiplier == "drum(k=4)");
  CHECK(report.layers[1].layer == "b");
  for (const LayerMatch& m : report.layers) {
    CHECK((m.multiplier == "exact") == (m.layer != "a"));
    CHECK(m.sha256.empty());
    CHECK(std::isnan(m.power_rel));
  }
  CHECK(std::isnan(report.relative_energy));
  CHECK_FALSE(report.coverage.calls_not_counted.has_value());
}

TEST_CASE("what is no assignment is refused with its name and the reason") {
  const test::ScratchDir dir;
  const std::string path = (dir / "a.json").string();
  const auto refused = [&](const std::string& text, const std::string& why) {
    CAPTURE(text);
    test::write_text(dir / "a.json", text);
    try {
      read_assignment(path);
      FAIL("was read");
    } catch (const InputError& error) {
      CAPTURE(error.what());
      CHECK(error.id() == 954);
      CHECK(std::string(error.what()).find(path) != std::string::npos);
      CHECK(std::string(error.what()).find(why) != std::string::npos);
    }
  };
  const auto layers = [](const std::string& entries) { return "{\"layers\": [" + entries + "]}"; };
  refused("no json", "parse error");
  refused("[]", "it has no list \"layers\"");
  refused(R"({"layers": 3})", "it has no list \"layers\"");
  refused(R"({"schema": "axmul.sigma/1", "layers": []})", "\"schema\" is \"axmul.sigma/1\"");
  refused(layers("7"), "entry 1 of \"layers\" has no \"layer\"");
  refused(layers(R"({"multiplier": "exact"})"), "entry 1 of \"layers\" has no \"layer\"");
  refused(layers(R"({"layer": "fc"})"), "layer \"fc\" has no \"multiplier\"");
  refused(layers(R"({"layer": "fc", "multiplier": 3})"), "layer \"fc\" has no \"multiplier\"");
  refused(layers(R"({"layer": "fc", "multiplier": "x", "sha256": "12"})"), "sha256");
  refused(layers(R"({"layer": "fc", "multiplier": "x", "sha256": 12})"), "type");
  refused(layers(R"({"layer": "fc", "multiplier": "x", "ops": -1})"), "\"ops\"");
  refused(layers(R"({"layer": "fc", "multiplier": "x"}, {"layer": "fc", "multiplier": "y"})"),
          "layer \"fc\" is there twice");
  refused(R"({"layers": [], "relative_energy": "low"})", "\"relative_energy\"");
  refused(R"({"layers": [], "calls_not_counted": 0.5})", "\"calls_not_counted\"");
}
