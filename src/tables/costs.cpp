// Costs of multipliers from CSV, joined by sha256, name or alias.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "axmul/core/errors.hpp"
#include "axmul/io/read_file.hpp"
#include "axmul/tables/library_build.hpp"

namespace axmul {

namespace {

/// Cells of one CSV line; quotes may hold separators, "" is a quote.
std::vector<std::string> split_csv(std::string_view line, char separator) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == separator && !quoted) {
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

/// "MAE_pct" or "mae_pct" is the published figure "MAE%"; nothing for a column that is none.
std::string figure_key(const std::string& column) {
  std::string key = column;
  if (key.ends_with("_pct")) key = key.substr(0, key.size() - 4) + "%";
  // "mae" as a whole in lower case is the same figure; "Mae" is not one.
  if (std::ranges::none_of(key, [](char c) { return c >= 'A' && c <= 'Z'; }))
    for (char& c : key)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  const std::string plain = key.ends_with("%") ? key.substr(0, key.size() - 1) : key;
  for (const char* known : {"MAE", "WCE", "EP", "MRE", "WCRE", "MSE"})
    if (plain == known) return key;
  return "";
}

struct CostColumn {
  const char* name;
  double Cost::*field;
  double scale;  // to mW, µm², ns
};
constexpr CostColumn kCostColumns[] = {
    {"power_mw", &Cost::power_mw, 1},       {"power_uw", &Cost::power_mw, 1e-3},
    {"power_nw", &Cost::power_mw, 1e-6},    {"area_um2", &Cost::area_um2, 1},
    {"delay_ns", &Cost::delay_ns, 1},       {"delay_ps", &Cost::delay_ns, 1e-3},
    {"PDK45_PWR_mW", &Cost::power_mw, 1},   {"PDK45_AREA_um2", &Cost::area_um2, 1},
    {"PDK45_DELAY_ns", &Cost::delay_ns, 1}, {"power_rel", &Cost::power_rel, 1},
};

const CostColumn* cost_column(const std::string& name) {
  for (const CostColumn& column : kCostColumns)
    if (name == column.name) return &column;
  return nullptr;
}

double parse_cell(const std::string& cell, const Place& place, const std::string& column) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value))
    throw InputError(850, place, "column " + column + ": \"" + cell + "\" is no number");
  return value;
}

/// A number of a column that axmul does not know; nothing for other texts.
std::optional<double> own_figure(const std::string& cell) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value))
    return std::nullopt;
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
    } else if (const CostColumn* known = cost_column(column)) {
      const double value = parse_cell(cell, place, column);
      if (value < 0)
        throw InputError(850, place, "column " + column + ": " + cell + " is negative");
      row.cost.*known->field = value * known->scale;
      row.cost.source = "published";
      if (column.starts_with("PDK45_")) row.cost.technology = "PDK45";
    } else if (column == "technology") {
      row.cost.technology = cell;
    } else if (const std::string key = figure_key(column); !key.empty()) {
      row.published[key] = parse_cell(cell, place, column);
      row.published_text[key] = cell;
    } else if (const auto own = own_figure(cell)) {
      row.published[column] = *own;  // a column of the user's own
      row.published_text[column] = cell;
    }
  }
  if (row.key.empty()) throw InputError(850, place, "no name or sha256");
  return row;
}

void check_header(const std::vector<std::string>& header, const Place& place) {
  const auto has = [&](const char* name) {
    return std::ranges::find(header, name) != header.end();
  };
  if (!has("name") && !has("sha256"))
    throw InputError(850, place, "the header has no column name or sha256");
  for (const std::string& name : header) {
    if (name == "power" || name == "area" || name == "delay")
      throw InputError(850, place,
                       "column " + name +
                           " has no unit; name it power_mw, power_uw, power_nw, power_rel, "
                           "area_um2, delay_ns or delay_ps");
    const CostColumn* column = cost_column(name);
    if (column == nullptr) continue;
    for (const std::string& other : header)
      if (const CostColumn* twin = cost_column(other);
          twin != nullptr && twin != column && twin->field == column->field)
        throw InputError(850, place, "columns " + name + " and " + other + " give the same figure");
  }
  if (header.size() < 2)
    throw InputError(850, place,
                     "the header has no column beside the names, such as power_mw, power_uw, "
                     "power_rel, area_um2, delay_ns, PDK45_PWR_mW … or one of your own");
}

/// How a row names a multiplier: by hash, by name, by alias, or not at all.
enum class Match : std::uint8_t { sha256, name, alias, none };

Match match_of(const CostRow& row, const Multiplier& m, const std::string& sha256) {
  if (row.key.size() == 64) return row.key == sha256 ? Match::sha256 : Match::none;
  if (row.key == m.name) return Match::name;
  return std::ranges::find(m.aliases, row.key) != m.aliases.end() ? Match::alias : Match::none;
}

void take_cost(const CostRow& row, Multiplier& m) {
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
    if (!std::isnan(row.cost.power_rel)) {
      m.cost.power_rel = row.cost.power_rel;
    } else if (m.cost.technology == "PDK45") {
      const PublishedFigures figures{{{"PDK45_PWR", m.cost.power_mw}}, {}, "EvoApproxLib"};
      m.cost.power_rel = published_cost(figures, m.lut.sized_type()).power_rel;
    }
  } else if (!std::isnan(row.cost.power_rel)) {
    m.cost.power_rel = row.cost.power_rel;
  }
}

void take_figures(const CostRow& row, Match match, Multiplier& m) {
  if (match == Match::alias) {
    if (!row.published_text.empty()) m.alias_published[row.key] = row.published_text;
    return;
  }
  for (const auto& [key, value] : row.published) m.published[key] = value;
  for (const auto& [key, text] : row.published_text) m.published_text[key] = text;
}

/// The rows of one multiplier, the one whose costs count first: by hash before by name before by
/// alias, then the least power, whatever the order of the rows.
void join_one(const std::vector<std::pair<Match, const CostRow*>>& rows, Multiplier& m,
              CostJoin& result) {
  const auto power = [](const CostRow& row) {
    return std::isnan(row.cost.power_mw) ? std::numeric_limits<double>::infinity()
                                         : row.cost.power_mw;
  };
  auto sorted = rows;
  std::ranges::sort(sorted, [&](const auto& x, const auto& y) {
    return std::tuple(x.first, power(*x.second), x.second->key) <
           std::tuple(y.first, power(*y.second), y.second->key);
  });
  take_cost(*sorted.front().second, m);
  for (auto it = sorted.rbegin(); it != sorted.rend(); ++it)
    take_figures(*it->second, it->first, m);
  for (const auto& [match, row] : sorted)
    if (!std::isnan(row->cost.power_mw) && row->cost.power_mw != m.cost.power_mw)
      result.notes.push_back("rows " + sorted.front().second->key + " and " + row->key +
                             " give different powers of one function; that of " +
                             sorted.front().second->key + " is taken");
}

}  // namespace

std::vector<CostRow> read_costs(const std::string& path) {
  const std::string text = read_file(path);
  std::vector<CostRow> rows;
  std::vector<std::string> header;
  char separator = ',';
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
      if (content.find(',') == std::string_view::npos)
        separator = content.find(';') != std::string_view::npos ? ';' : '\t';
      header = split_csv(content, separator);
      check_header(header, place);
      continue;
    }
    rows.push_back(parse_row(header, split_csv(content, separator), place));
    if (!seen.insert(rows.back().key).second)
      throw InputError(850, place, "\"" + rows.back().key + "\" has a row already");
  }
  if (rows.empty()) throw InputError(850, Place{path}, "no rows with costs");
  return rows;
}

CostJoin join_costs(std::span<const CostRow> rows, std::vector<Multiplier>& multipliers) {
  CostJoin result;
  std::vector<std::string> hashes;
  for (const Multiplier& m : multipliers) hashes.push_back(m.lut.sha256());
  std::map<std::size_t, std::vector<std::pair<Match, const CostRow*>>> found;  // by multiplier
  for (const CostRow& row : rows) {
    std::map<Match, std::vector<std::size_t>> matches;
    for (std::size_t i = 0; i < multipliers.size(); ++i)
      if (const Match match = match_of(row, multipliers[i], hashes[i]); match != Match::none)
        matches[match].push_back(i);
    if (matches.empty()) {
      result.missing.push_back(row.key);
      continue;
    }
    const auto& [match, members] = *matches.begin();
    std::set<std::string> functions;
    for (const std::size_t i : members) functions.insert(hashes[i]);
    if (functions.size() > 1) {
      result.notes.push_back(std::to_string(functions.size()) + " functions are called " + row.key +
                             "; its row is not used, give the sha256 instead");
      continue;
    }
    for (const std::size_t i : members) found[i].emplace_back(match, &row);
  }
  for (const auto& [i, own] : found) join_one(own, multipliers[i], result);
  std::map<std::size_t, double> given;  // as the rows say, whatever an exact entry would make of it
  for (const auto& [i, own] : found)
    for (const auto& [match, row] : own)
      if (!std::isnan(row->cost.power_rel)) given[i] = multipliers[i].cost.power_rel;
  fill_power_rel(multipliers);
  for (const auto& [i, power_rel] : given) multipliers[i].cost.power_rel = power_rel;
  return result;
}

}  // namespace axmul
