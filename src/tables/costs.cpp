// Costs of multipliers from CSV, joined by sha256, name or alias.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "axmul/core/errors.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/tables/library_build.hpp"

namespace axmul {

namespace {

/// Cells of one CSV line; quotes may hold commas, "" is a quote.
std::vector<std::string> split_csv(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  for (std::string& cell : cells) {
    const auto first = cell.find_first_not_of(" \t\r");
    const auto last = cell.find_last_not_of(" \t\r");
    cell = first == std::string::npos ? "" : cell.substr(first, last - first + 1);
  }
  return cells;
}

/// "MAE_pct" is the published figure "MAE%"; nothing for a column that is none.
std::string figure_key(const std::string& column) {
  std::string key = column;
  if (key.ends_with("_pct")) key = key.substr(0, key.size() - 4) + "%";
  const std::string plain = key.ends_with("%") ? key.substr(0, key.size() - 1) : key;
  for (const char* known : {"MAE", "WCE", "EP", "MRE", "WCRE", "MSE"})
    if (plain == known) return key;
  return "";
}

double* cost_field(Cost& cost, const std::string& column) {
  if (column == "power_mw" || column == "PDK45_PWR_mW") return &cost.power_mw;
  if (column == "area_um2" || column == "PDK45_AREA_um2") return &cost.area_um2;
  if (column == "delay_ns" || column == "PDK45_DELAY_ns") return &cost.delay_ns;
  return nullptr;
}

double parse_cell(const std::string& cell, const Place& place, const std::string& column) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value))
    throw InputError(850, place, "column " + column + ": \"" + cell + "\" is no number");
  return value;
}

CostRow parse_row(const std::vector<std::string>& header, const std::vector<std::string>& cells,
                  const Place& place) {
  if (cells.size() != header.size())
    throw InputError(850, place,
                     std::to_string(cells.size()) + " cells where the header has " +
                         std::to_string(header.size()));
  CostRow row;
  row.line = place.line;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::string& column = header[i];
    const std::string& cell = cells[i];
    if (cell.empty()) continue;
    if (column == "sha256" || (column == "name" && row.key.empty())) {
      row.key = cell;
    } else if (double* field = cost_field(row.cost, column)) {
      *field = parse_cell(cell, place, column);
      if (*field < 0)
        throw InputError(850, place, "column " + column + ": " + cell + " is negative");
      row.cost.source = "published";
      if (column.starts_with("PDK45_")) row.cost.technology = "PDK45";
    } else if (column == "technology") {
      row.cost.technology = cell;
    } else if (const std::string key = figure_key(column); !key.empty()) {
      row.published[key] = parse_cell(cell, place, column);
      row.published_text[key] = cell;
    }
  }
  if (row.key.empty()) throw InputError(850, place, "no name or sha256");
  return row;
}

void check_header(const std::vector<std::string>& header, const Place& place) {
  Cost probe;
  const auto has = [&](const char* name) {
    return std::ranges::find(header, name) != header.end();
  };
  if (!has("name") && !has("sha256"))
    throw InputError(850, place, "the header has no column name or sha256");
  if (std::ranges::none_of(header, [&](const auto& c) { return cost_field(probe, c) != nullptr; }))
    throw InputError(850, place,
                     "the header has no column power_mw, area_um2, delay_ns or PDK45_PWR_mW …");
}

bool is_row_of(const CostRow& row, const Multiplier& m) {
  if (row.key.size() == 64) return row.key == m.lut.sha256();
  return row.key == m.name || std::ranges::find(m.aliases, row.key) != m.aliases.end();
}

void join(const CostRow& row, Multiplier& m) {
  const auto take = [](double& to, double from) {
    if (!std::isnan(from)) to = from;
  };
  take(m.cost.power_mw, row.cost.power_mw);
  take(m.cost.area_um2, row.cost.area_um2);
  take(m.cost.delay_ns, row.cost.delay_ns);
  if (!row.cost.source.empty()) m.cost.source = row.cost.source;
  if (!row.cost.technology.empty()) m.cost.technology = row.cost.technology;
  if (!std::isnan(row.cost.power_mw)) {
    // What an estimate or another technology said of the ratio does not belong to this power.
    m.cost.power_rel = std::numeric_limits<double>::quiet_NaN();
    if (m.cost.technology == "PDK45") {
      const PublishedFigures figures{{{"PDK45_PWR", m.cost.power_mw}}, {}, "EvoApproxLib"};
      m.cost.power_rel = published_cost(figures, m.lut.type()).power_rel;
    }
  }
  for (const auto& [key, value] : row.published) m.published[key] = value;
  for (const auto& [key, text] : row.published_text) m.published_text[key] = text;
}

}  // namespace

std::vector<CostRow> read_costs(const std::string& path) {
  const std::string text = read_file(path);
  std::vector<CostRow> rows;
  std::vector<std::string> header;
  std::set<std::string> seen;
  std::size_t line = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view content = std::string_view(text).substr(start, end - start);
    start = end + 1;
    ++line;
    if (content.find_first_not_of(" \t\r") == std::string_view::npos || content.front() == '#')
      continue;
    const Place place{path, line};
    if (header.empty()) {
      header = split_csv(content);
      check_header(header, place);
      continue;
    }
    rows.push_back(parse_row(header, split_csv(content), place));
    if (!seen.insert(rows.back().key).second)
      throw InputError(850, place, "\"" + rows.back().key + "\" has a row already");
  }
  if (rows.empty()) throw InputError(850, Place{path}, "no rows with costs");
  return rows;
}

std::vector<std::string> join_costs(std::span<const CostRow> rows,
                                    std::vector<Multiplier>& multipliers) {
  std::vector<std::string> missing;
  for (const CostRow& row : rows) {
    bool found = false;
    for (Multiplier& m : multipliers)
      if (is_row_of(row, m)) {
        join(row, m);
        found = true;
      }
    if (!found) missing.push_back(row.key);
  }
  return missing;
}

}  // namespace axmul
