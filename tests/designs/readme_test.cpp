// luts/README.md lists every family and every entry of the shipped library as they are; where it is
// stale, the text it should have is left in the build folder.
#include <cstdio>

#include "axmul/designs/circuit.hpp"
#include "axmul/stats/metrics.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

std::string family_line(const Design& f) {
  std::string line = "* **" + f.name + "**";
  if (!f.parameters.empty()) line += " (" + parameter_text(f) + ")";
  line += ": " + f.description + ". Source: " + f.source + ".";
  const bool ours = f.topology == Topology::ours;
  if (ours) line += " Topology ours";
  if (!f.topology_note.empty()) line += (ours ? ": " : " Note: ") + f.topology_note;
  if (ours || !f.topology_note.empty()) line += ".";
  return line + "\n";
}

std::string entry_line(const std::string& text) {
  const Multiplier m = generate(text);
  const ErrorMetrics e = characterize(m.lut).metrics;
  char figures[128];
  std::snprintf(figures, sizeof figures, "%.4g | %lld | %.4g | %.4g | %zu", e.mae,
                static_cast<long long>(e.wce),
                100 * e.error_rate, 100 * e.mred, generate_netlist(text).cells.size());
  return "| `" + text + "` | " + std::string(to_string(m.lut.type())) + " | " + figures + " |\n";
}

}  // namespace

TEST_CASE("luts/README.md is up to date") {
  const std::string readme = test::read_text(test::source_dir() / "luts/README.md");
  std::string families = "## Families\n\n", entries = "|---|---|---|---|---|---|---|\n";
  for (const Design& family : design_families()) families += family_line(family);
  for (const std::string& text : library_designs()) entries += entry_line(text);
  test::write_text(test::binary_dir() / "luts-readme-families.md", families);
  test::write_text(test::binary_dir() / "luts-readme-entries.md", entries);
  CHECK(readme.find(families + "\n") != std::string::npos);
  CHECK(readme.ends_with(entries));
}
