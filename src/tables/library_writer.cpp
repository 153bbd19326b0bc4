// Writes libraries of multipliers.
#include <map>
#include <memory>

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

  detail::GroupWriter& group(const SizedType& type) {
    auto& group = groups[type];
    if (group == nullptr) {
      group = std::make_unique<detail::GroupWriter>(file, type, kMostRows);
      type.has_table() ? group->create_products(false) : group->create_circuits();
      group->create_facts();
      group->create_library_facts();
    }
    return *group;
  }

  AtomicFile target;
  h5::File file;
  std::map<SizedType, std::unique_ptr<detail::GroupWriter>> groups;
};

LibraryWriter::LibraryWriter(const std::string& path, LibraryOptions options)
    : state_(std::make_unique<State>(path, options)) {}

LibraryWriter::~LibraryWriter() = default;

void LibraryWriter::add(const Multiplier& multiplier, std::span<const std::byte> packed_product) {
  const Lut& lut = multiplier.lut;
  state_->group(lut.sized_type())
      .add({multiplier, lut.sha256(), lut.sha256_swapped(), packed_product});
}

void LibraryWriter::add(const WideMultiplier& wide) {
  // What is told of every multiplier is told of this one; the table is nobody's.
  static const Lut none = Lut::exact(OperandType::u8u8).without_products();
  Multiplier facts{.name = wide.name,
                   .lut = none,
                   .cost = wide.cost,
                   .provenance = wide.provenance,
                   .published = wide.published};
  facts.published_text = wide.published_text;
  const std::string no_hash;
  detail::GroupWriter::Row row{facts, no_hash, no_hash};
  row.circuit = &wide.verilog;
  state_->group(wide.type()).add(row);
}

void LibraryWriter::finish() {
  for (const auto& [type, group] : state_->groups) group->flush();
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
