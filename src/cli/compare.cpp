// axmul compare: are two designs the same function, and if not, where do they first differ?
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <ostream>

#include "axmul/core/errors.hpp"
#include "axmul/tables/open_design.hpp"
#include "cli/design_options.hpp"
#include "cli/program.hpp"
#include "command/output.hpp"
#include "io/json.hpp"

namespace axmul::cli {

namespace {

struct Difference {
  int a, b;
  std::int64_t first, second;
};

struct Comparison {
  std::string verdict;  ///< "same", "swapped", "different", "types_differ"
  std::size_t count = 0;
  std::int64_t largest = 0;
  std::vector<Difference> shown;
};

Comparison compare(const Lut& x, const Lut& y, std::size_t limit) {
  Comparison result;
  const SizedType type = x.sized_type();
  if (type != y.sized_type()) {
    result.verdict = "types_differ";
    return result;
  }
  for (int a = a_min(type); a <= a_max(type); ++a)
    for (int b = b_min(type); b <= b_max(type); ++b) {
      if (x(a, b) == y(a, b)) continue;
      ++result.count;
      result.largest = std::max<std::int64_t>(result.largest, std::abs(x(a, b) - y(a, b)));
      if (result.shown.size() < limit) result.shown.push_back({a, b, x(a, b), y(a, b)});
    }
  result.verdict = result.count == 0                  ? "same"
                   : x.sha256() == y.sha256_swapped() ? "swapped"
                                                      : "different";
  return result;
}

/// One of the two, of any widths.
struct Side {
  std::string name, sha256;  ///< sha256 is empty of more than 8x8 bits
  SizedType type;
  std::optional<Lut> lut;
  std::shared_ptr<const ProductSource> products;
};

Side side_of(const std::string& text, const OpenOptions& options, Session& session) {
  try {
    const Multiplier m = open_design(text, options);
    return {m.name, m.lut.sha256(), m.lut.sized_type(), m.lut, nullptr};
  } catch (const NotMultiplierError& error) {
    if (!is_wide(error)) throw;
  }
  const WideMultiplier m = open_wide(text, wide_open_options(session));
  return {m.name, "", m.type(), std::nullopt, m.products};
}

Comparison compare(const Side& x, const Side& y, std::size_t limit, Session& session) {
  if (x.type != y.type) return Comparison{"types_differ", 0, 0, {}};
  if (x.lut) return compare(*x.lut, *y.lut, limit);
  ProgressBar bar(session, "comparing");
  const WideDifferences d = compare_wide(*x.products, *y.products, limit, 0, bar.callback());
  Comparison result{d.count == 0 ? "same" : "different", d.count, d.largest, {}};
  for (const auto& pair : d.pairs)
    result.shown.push_back({pair.a, pair.b, pair.first, pair.second});
  return result;
}

std::string as_json(const Comparison& c, const Side& x, const Side& y) {
  const auto side = [](const Side& m) {
    return Json{{"name", m.name},
                {"type", to_string(m.type)},
                {"sha256", m.sha256.empty() ? Json(nullptr) : Json(m.sha256)}};
  };
  Json json{{"schema", "axmul.comparison/1"},
            {"first", side(x)},
            {"second", side(y)},
            {"verdict", c.verdict},
            {"differing_entries", c.count},
            {"largest_difference", c.largest},
            {"differences", Json::array()}};
  for (const Difference& d : c.shown)
    json["differences"].push_back(
        Json{{"a", d.a}, {"b", d.b}, {"first", d.first}, {"second", d.second}});
  return json.dump(2) + "\n";
}

TextTable differences(const Comparison& c, const Side& x, const Side& y) {
  TextTable table({"a", "b", "a·b", x.name, y.name}, "rrrrr");
  table.keys({"a", "b", "exact", "first", "second"});
  for (const Difference& d : c.shown)
    table.add({Cell::of(d.a), Cell::of(d.b), Cell::of(static_cast<double>(std::int64_t{d.a} * d.b)),
               Cell::of(static_cast<double>(d.first)), Cell::of(static_cast<double>(d.second))});
  return table;
}

std::string as_table(const Session& session, const OutputTarget& target, const Comparison& c,
                     const Side& x, const Side& y) {
  if (target.format == "csv") return table_text(session, target, differences(c, x, y));
  if (c.verdict == "same")
    return x.sha256.empty() ? "same function\n" : "same function, sha256 " + x.sha256 + "\n";
  if (c.verdict == "types_differ")
    return fmt::format("different operand types: {} is {}, {} is {}\n", x.name, to_string(x.type),
                       y.name, to_string(y.type));
  std::string out = c.verdict == "swapped" ? "same with operands swapped; as they are, " : "";
  out += fmt::format("{} of {} entries {}, by at most {}\n", c.count, x.type.pairs(),
                     c.count == 1 ? "differs" : "differ", c.largest);
  if (c.shown.empty()) return out;
  out += table_text(session, target, differences(c, x, y));
  if (c.shown.size() < c.count) out += fmt::format("… and {} more\n", c.count - c.shown.size());
  return out;
}

int run(Session& session) {
  OpenOptions options = open_options(session);
  const Side x = side_of(session.args.positional(0).front(), options, session);
  const Side y = side_of(session.args.positional(1).front(), options, session);
  const auto limit = static_cast<std::size_t>(session.args.integer("limit", 0, 65536).value_or(10));
  const Comparison result = compare(x, y, limit, session);
  const OutputTarget target = output_target(session);
  write_output(
      session, target,
      target.format == "json" ? as_json(result, x, y) : as_table(session, target, result, x, y));
  return result.verdict == "same" ? 0 : 1;
}

}  // namespace

CommandSpec compare_command() {
  CommandSpec spec;
  spec.name = "compare";
  spec.purpose =
      "Tell whether two designs are the same function; exit code 1 and the first differing entries "
      "when not.";
  spec.examples = {{"axmul compare mul8u_2AC.bin mul8u_2AC.v", "does the table fit the circuit?"},
                   {"axmul compare a.npy b.npy --limit 0", "only the verdict"}};
  spec.positionals = {{"A", "a design, as for characterize"}, {"B", "another one"}};
  spec.options = output_options({"table", "json", "csv"});
  spec.options.push_back({"limit", "N", "Differing entries to show.", "10"});
  for (OptionSpec& option : open_option_specs()) spec.options.push_back(std::move(option));
  spec.run = run;
  return spec;
}

}  // namespace axmul::cli
