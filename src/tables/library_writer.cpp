// Writes libraries of multipliers.
#include <array>

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

void LibraryWriter::add(const Multiplier& multiplier, std::span<const std::byte> packed_product) {
  const Lut& lut = multiplier.lut;
  state_->group(lut.type()).add({multiplier, lut.sha256(), lut.sha256_swapped(), packed_product});
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

}  // namespace axmul
