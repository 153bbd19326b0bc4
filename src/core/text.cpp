// Edit distance by one row of the usual table; first lines; natural order.
#include "axmul/core/text.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace axmul {

std::size_t edit_distance(std::string_view x, std::string_view y) {
  std::vector<std::size_t> row(y.size() + 1);
  for (std::size_t j = 0; j <= y.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= x.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= y.size(); ++j) {
      const std::size_t replaced = diagonal + (x[i - 1] == y[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string_view first_line(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  const std::string_view line = text.substr(from, text.find('\n', from) - from);
  return line.substr(0, line.find_last_not_of(kSpace) + 1);
}

bool natural_less(std::string_view x, std::string_view y) {
  std::size_t i = 0, j = 0;
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  while (i < x.size() && j < y.size()) {
    if (digit(x[i]) && digit(y[j])) {
      std::size_t end_i = i, end_j = j;
      while (end_i < x.size() && digit(x[end_i])) ++end_i;
      while (end_j < y.size() && digit(y[end_j])) ++end_j;
      while (i + 1 < end_i && x[i] == '0') ++i;
      while (j + 1 < end_j && y[j] == '0') ++j;
      if (end_i - i != end_j - j) return end_i - i < end_j - j;
      const int order = x.compare(i, end_i - i, y, j, end_j - j);
      if (order != 0) return order < 0;
      i = end_i;
      j = end_j;
    } else {
      if (x[i] != y[j]) return x[i] < y[j];
      ++i;
      ++j;
    }
  }
  if (x.size() - i != y.size() - j) return x.size() - i < y.size() - j;
  return x < y;
}

}  // namespace axmul
