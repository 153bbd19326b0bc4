// What the groups of error tables and libraries share: axes, product tables, costs and origins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/multiplier.hpp"
#include "axmul/io/h5.hpp"
#include "tables/h5_columns.hpp"

namespace axmul::detail {

struct Fact;

/// The group of one operand type in a file being written; rows are multipliers.
class GroupWriter {
 public:
  /// Creates the group with multiplier, operand_a and operand_b. rows: multipliers of a chunk.
  GroupWriter(h5::File& file, const SizedType& type, std::uint64_t rows);

  /// Creates product and, for an error table, error.
  void create_products(bool with_error);
  /// Creates cost, identity and provenance.
  void create_facts();
  /// Creates circuit, in the place of products, for a type of more than 8x8 bits.
  void create_circuits();
  /// Creates what only libraries have: aliases, transpose_of, published.
  void create_library_facts();

  struct Row {
    const Multiplier& multiplier;
    const std::string& sha256;
    const std::string& sha256_swapped;
    /// Chunks that are compressed already, or empty.
    std::span<const std::byte> packed_product{}, packed_error{};
    const std::string* circuit = nullptr;  ///< Verilog, where the group has circuits
  };
  void add(const Row& row);
  void flush();
  std::uint64_t count() const { return count_; }
  const SizedType& type() const { return type_; }
  std::uint64_t a_count() const { return a_; }  ///< operand values of a and b
  std::uint64_t b_count() const { return b_; }

  std::string path(const std::string& name) const { return group_ + "/" + name; }
  h5::File& file() { return file_; }
  /// Attaches the group's scales of these names to the axes.
  void scales(const std::string& dataset, std::initializer_list<const char*> axes);
  Column<double> real_column(const std::string& name, const h5::Shape& row,
                             std::initializer_list<const char*> axes, const Meaning& meaning);
  TextColumn text_column(const std::string& name, const Meaning& meaning);

 private:
  void write_operands(const std::string& name, int first, std::uint64_t count,
                      const char* long_name);
  void add_products(const Row& row);
  void create_columns(std::span<const Fact> facts);
  void write_rare_facts();

  h5::File& file_;
  const SizedType type_;
  const std::uint64_t a_, b_;  ///< operand values
  const std::string group_;
  const std::uint64_t rows_;
  std::uint64_t count_ = 0;
  bool has_products_ = false, has_errors_ = false, is_library_ = false;
  h5::Dataset product_, error_;
  TextColumn name_, circuit_;
  bool has_circuits_ = false;
  /// What is told of every multiplier, by the tables of facts in the source.
  std::vector<Column<double>> numbers_;
  std::vector<TextColumn> texts_;
  /// Written by flush() where one of them says something, so that other files do without.
  std::vector<std::string> alias_published_;
  std::vector<std::int32_t> output_shift_;
};

/// The chunk of a table: of the 256x256 values those of the operands that the type has.
std::vector<std::byte> pack_table(const SizedType& type, std::span<const std::int32_t> values);

/// {"NAME":{"MAE%":"0.051",…},…} and back; empty where there are none.
std::string alias_figures_text(const Multiplier& multiplier);
void parse_alias_figures(const std::string& text, const std::string& path,
                         const std::string& dataset, Multiplier& multiplier);

/// {"MAE%":0.1,…} and back; figures keep every bit.
std::string figures_text(const Multiplier& multiplier);
void parse_figures(const std::string& text, const std::string& path, const std::string& dataset,
                   Multiplier& multiplier);

}  // namespace axmul::detail
