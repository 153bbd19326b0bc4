// Looks for neighbours of a path by case, stem and spelling.
#include "axmul/io/near_file.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <vector>

#include "axmul/core/text.hpp"

namespace axmul {

namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// 0 is nearest; names further than that are no neighbours.
constexpr std::size_t kFar = 100;

std::size_t distance(const std::string& wanted, const std::string& name) {
  const std::string x = lower(wanted), y = lower(name);
  if (x == y) return 0;
  if (fs::path(x).stem() == fs::path(y).stem() || fs::path(y).stem() == x) return 1;
  const std::size_t edits = edit_distance(x, y);
  return edits <= std::max<std::size_t>(1, wanted.size() / 4) ? 1 + edits : kFar;
}

}  // namespace

std::string near_file_hint(const std::string& path) {
  constexpr std::size_t kMostSeen = 10000, kMostNamed = 3;
  std::error_code error;
  const fs::path whole(path);
  const fs::path folder = whole.has_parent_path() ? whole.parent_path() : fs::path(".");
  const std::string wanted = whole.filename().string();
  if (wanted.empty()) return "";
  if (!fs::exists(folder, error)) return "; there is no folder " + folder.string();
  std::vector<std::pair<std::size_t, std::string>> near;
  std::size_t seen = 0;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (++seen > kMostSeen) break;
    const std::string name = it->path().filename().string();
    if (name.starts_with('.')) continue;
    if (const std::size_t d = distance(wanted, name); d < kFar) near.emplace_back(d, name);
  }
  std::ranges::sort(near);
  std::string names;
  for (std::size_t i = 0; i < std::min(near.size(), kMostNamed); ++i)
    names += (names.empty() ? "" : ", ") + (whole.parent_path() / near[i].second).string();
  return names.empty() ? "" : "; there is " + names;
}

}  // namespace axmul
