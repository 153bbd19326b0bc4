// Writes libraries of multipliers, and makes one of a list.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "axmul/io/atomic_file.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/tables/error_table.hpp"
#include "tables/group_writer.hpp"
#include "tables/h5_root.hpp"

namespace axmul {

namespace {
constexpr std::uint64_t kMostRows = 64;  // of a chunk
}

struct LibraryWriter::State {
  State(const std::string& path, const LibraryOptions& options)
      : target(path, options.force), file(h5::File::create(target.path())) {
    file.set_display_path(path);
    detail::write_root(file, "axmul-library", options.origin);
  }

  detail::GroupWriter& group(OperandType type) {
    auto& group = groups[static_cast<std::size_t>(type)];
    if (group == nullptr) {
      group = std::make_unique<detail::GroupWriter>(file, type, kMostRows);
      group->create_products(false);
      group->create_facts();
      group->create_library_facts();
    }
    return *group;
  }

  AtomicFile target;
  h5::File file;
  std::array<std::unique_ptr<detail::GroupWriter>, std::size(kOperandTypes)> groups;
};

LibraryWriter::LibraryWriter(const std::string& path, LibraryOptions options)
    : state_(std::make_unique<State>(path, options)) {}

LibraryWriter::~LibraryWriter() = default;

void LibraryWriter::add(const Multiplier& multiplier) {
  const Lut& lut = multiplier.lut;
  state_->group(lut.type()).add({multiplier, lut.sha256(), lut.sha256_swapped()});
}

void LibraryWriter::finish() {
  for (const auto& group : state_->groups)
    if (group != nullptr) group->flush();
  state_->file.close();
  state_->target.commit();
}

void write_library(const std::string& path, std::span<const Multiplier> multipliers,
                   const LibraryOptions& options) {
  LibraryWriter writer(path, options);
  for (const Multiplier& multiplier : multipliers) writer.add(multiplier);
  writer.finish();
}

namespace {

/// What another file of the same function knows and the first does not: costs, published figures.
/// A published cost wins over an estimated one.
void take_over(Multiplier& first, const Multiplier& other) {
  const bool is_better = !std::isnan(other.cost.power_rel) || !std::isnan(other.cost.power_mw);
  const bool lacks = std::isnan(first.cost.power_rel) && std::isnan(first.cost.power_mw);
  if (is_better &&
      (lacks || (first.cost.source == "estimated" && other.cost.source == "published")))
    first.cost = other.cost;
  if (first.published.empty()) {
    first.published = other.published;
    first.published_text = other.published_text;
  }
}

}  // namespace

std::vector<std::string> fold_library(std::vector<Multiplier>& multipliers) {
  std::vector<std::string> notes;
  std::vector<Multiplier> kept;
  std::vector<std::string> hashes;
  std::map<std::string, std::size_t> by_hash;
  for (Multiplier& m : multipliers) {
    const std::string hash = m.lut.sha256();
    const auto [it, is_new] = by_hash.emplace(hash, kept.size());
    if (is_new) {
      kept.push_back(std::move(m));
      hashes.push_back(hash);
      continue;
    }
    Multiplier& first = kept[it->second];
    for (const auto& [key, text] : m.published_text)
      if (const auto known = first.published_text.find(key);
          known != first.published_text.end() && known->second != text)
        notes.push_back(m.name + " (" + m.provenance.source_file + ") publishes " + key + " = " +
                        text + ", " + first.name + ", the same function, " + known->second);
    take_over(first, m);
    if (m.name == first.name || std::ranges::count(first.aliases, m.name) > 0) continue;
    notes.push_back(m.name + " is the same function as " + first.name);
    first.aliases.push_back(m.name);
  }
  multipliers = std::move(kept);
  const std::vector<std::string> renamed = make_names_unique(multipliers);
  notes.insert(notes.end(), renamed.begin(), renamed.end());
  for (std::size_t i = 0; i < multipliers.size(); ++i) {
    const auto it = by_hash.find(multipliers[i].lut.sha256_swapped());
    if (it == by_hash.end() || it->second >= i) continue;
    multipliers[i].transpose_of = multipliers[it->second].name;
  }
  return notes;
}

}  // namespace axmul
