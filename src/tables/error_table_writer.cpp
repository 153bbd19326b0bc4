// Writes HDF5 error tables: one group per operand type, every axis with its scale, rows appended.
#include <array>
#include <filesystem>
#include <map>
#include <memory>

#include "axmul/core/errors.hpp"
#include "axmul/io/atomic_file.hpp"
#include "axmul/io/h5.hpp"
#include "axmul/tables/error_table.hpp"
#include "tables/group_writer.hpp"
#include "tables/h5_columns.hpp"
#include "tables/h5_root.hpp"

namespace axmul {

namespace {

using detail::Column;
using detail::Meaning;

constexpr std::uint64_t kMostRows = 256;      // of a chunk
constexpr std::uint64_t kPmfChunk = 1 << 15;  // entries

std::string pair_label(const ResolvedDistribution& d) {
  return d.joint ? d.text_a : d.text_a + " x " + d.text_b;
}

// Of 256 values by ascending 8-bit operand those that the operand has.
std::span<const double> used_a(const SizedType& type, std::span<const double> values) {
  return values.subspan(static_cast<std::size_t>(a_min(type) - a_min(type.kind)),
                        std::size_t{1} << type.bits.a);
}
std::span<const double> used_b(const SizedType& type, std::span<const double> values) {
  return values.subspan(static_cast<std::size_t>(b_min(type) - b_min(type.kind)),
                        std::size_t{1} << type.bits.b);
}

// The whole probability of a pair, a slow.
std::vector<double> joint_probability(const SizedType& type, const ResolvedDistribution& d) {
  std::vector<double> p;
  if (d.joint) {
    for (std::size_t i = 0; i < kOperandCount; ++i) {
      const auto row = used_b(type, d.joint->p.row(i));
      const int a = a_min(type.kind) + static_cast<int>(i);
      if (a >= a_min(type) && a <= a_max(type)) p.insert(p.end(), row.begin(), row.end());
    }
    return p;
  }
  for (const double pa : used_a(type, d.a->p))
    for (const double pb : used_b(type, d.b->p)) p.push_back(pa * pb);
  return p;
}

void add_marginals(const SizedType& type, const ResolvedDistribution& d, std::vector<double>& pa,
                   std::vector<double>& pb) {
  const auto add = [&](std::span<const double> all_a, std::span<const double> all_b) {
    const auto in_a = used_a(type, all_a), in_b = used_b(type, all_b);
    pa.insert(pa.end(), in_a.begin(), in_a.end());
    pb.insert(pb.end(), in_b.begin(), in_b.end());
  };
  if (!d.joint) return add(d.a->p, d.b->p);
  std::array<double, kOperandCount> a{}, b{};
  for (std::size_t i = 0; i < kOperandCount; ++i)
    for (std::size_t j = 0; j < kOperandCount; ++j) {
      a[i] += d.joint->p(i, j);
      b[j] += d.joint->p(i, j);
    }
  add(a, b);
}

// The datasets of one operand type.
class TypeGroup {
 public:
  TypeGroup(h5::File& file, const SizedType& type,
            const std::vector<ResolvedDistribution>& distributions,
            const ErrorTableOptions& options)
      : file_(file),
        d_(distributions.size()),
        full_(options.statistics.distribution),
        group_(file, type,
               options.expected > 0 ? std::min<std::uint64_t>(options.expected, kMostRows)
                                    : kMostRows) {
    if (full_) create_axes(options);
    create_distributions(distributions);
    if (options.products) group_.create_products(true);
    for (const MetricField& field : metric_fields())
      metrics_.push_back(group_.real_column(std::string(field.name), {d_},
                                            {"multiplier", "distribution"},
                                            {field.units, field.long_name, field.definition}));
    if (full_) create_details();
    group_.create_facts();
  }

  void add(const Characterization& result) {
    if (result.reports.size() != d_)
      throw InternalError("a characterisation with another number of distributions");
    group_.add({result.multiplier, result.sha256, result.sha256_swapped, result.packed_product,
                result.packed_error});
    for (std::size_t i = 0; i < metrics_.size(); ++i)
      for (const ErrorReport& report : result.reports)
        metrics_[i].push(output_figure(metric_fields()[i], report.metrics));
    if (full_)
      for (const ErrorReport& report : result.reports) add_details(report);
  }

  void flush() {
    group_.flush();
    for (Column<double>& column : metrics_) column.flush();
    if (!full_) return;
    for (Column<double>* column : {&bits_, &quantile_, &abs_quantile_, &bias_a_, &std_a_, &bias_b_,
                                   &std_b_, &pmf_probability_})
      column->flush();
    pmf_value_.flush();
    pmf_offset_.flush();
    file_.resize_plain_dimension(pmf_entry_, pmf_end_);
    file_.resize_plain_dimension(pmf_boundary_, group_.count() * d_ + 1);
  }

 private:
  std::string path(const std::string& name) const { return group_.path(name); }
  void scales(const std::string& dataset, std::initializer_list<const char*> axes) {
    group_.scales(dataset, axes);
  }

  void create_axes(const ErrorTableOptions& options) {
    std::vector<std::int16_t> bits;
    for (std::int16_t bit = 0; bit < static_cast<std::int16_t>(bit_count()); ++bit)
      bits.push_back(bit);
    file_.write<std::int16_t>(path("bit"), {bit_count()}, bits);
    file_.make_scale(path("bit"));
    detail::set_meaning(file_, path("bit"), {"1", "output bit", "0 is the least significant"});
    const std::vector<double> levels = sort_levels(options.statistics.quantile_levels);
    file_.write<double>(path("quantile_level"), {levels.size()}, levels);
    file_.make_scale(path("quantile_level"));
    detail::set_meaning(file_, path("quantile_level"), {"1", "level of a quantile", ""});
  }

  /// A coordinate ascends and has no value twice, whatever order the levels were asked for in.
  std::vector<double> sort_levels(const std::vector<double>& levels) {
    std::map<double, std::size_t> first_of;
    for (std::size_t i = 0; i < levels.size(); ++i) first_of.emplace(levels[i], i);
    std::vector<double> sorted;
    for (const auto& [level, i] : first_of) {
      sorted.push_back(level);
      level_order_.push_back(i);
    }
    return sorted;
  }

  /// Bits of the exact product.
  std::uint64_t bit_count() const {
    const OperandWidths& bits = group_.type().bits;
    return static_cast<std::uint64_t>(bits.a + bits.b);
  }

  void write_texts(const std::string& name, const std::vector<std::string>& texts,
                   const Meaning& meaning) {
    file_.write_text(path(name), texts);
    detail::set_meaning(file_, path(name), meaning);
  }

  void create_distributions(const std::vector<ResolvedDistribution>& distributions) {
    std::vector<std::string> labels, a, b;
    std::vector<double> pa, pb, joint;
    bool has_joint = false;
    for (const ResolvedDistribution& d : distributions) {
      labels.push_back(detail::utf8_text(pair_label(d)));
      a.push_back(detail::utf8_text(d.text_a));
      b.push_back(detail::utf8_text(d.text_b));
      add_marginals(group_.type(), d, pa, pb);
      has_joint = has_joint || d.joint.has_value();
    }
    write_texts("distribution", labels, {"", "operand distributions", "of a x of b, or joint"});
    file_.make_scale(path("distribution"));
    write_texts("distribution_a", a, {"", "distribution of operand a", ""});
    write_texts("distribution_b", b, {"", "distribution of operand b", ""});
    scales("distribution_a", {"distribution"});
    scales("distribution_b", {"distribution"});
    const std::uint64_t a_count = group_.a_count(), b_count = group_.b_count();
    file_.write<double>(path("p_a"), {d_, a_count}, pa);
    file_.write<double>(path("p_b"), {d_, b_count}, pb);
    scales("p_a", {"distribution", "operand_a"});
    scales("p_b", {"distribution", "operand_b"});
    detail::set_meaning(file_, path("p_a"), {"1", "probability of operand a", "sums to 1"});
    detail::set_meaning(file_, path("p_b"), {"1", "probability of operand b", "sums to 1"});
    if (!has_joint) return;
    for (const ResolvedDistribution& d : distributions) {
      const std::vector<double> p = joint_probability(group_.type(), d);
      joint.insert(joint.end(), p.begin(), p.end());
    }
    h5::DatasetOptions packed;
    packed.chunk = {1, a_count, b_count};
    packed.deflate = true;
    file_.write<double>(path("p_joint"), {d_, a_count, b_count}, joint, packed);
    scales("p_joint", {"distribution", "operand_a", "operand_b"});
    detail::set_meaning(file_, path("p_joint"),
                        {"1", "probability of an operand pair",
                         "joint pmf, or p_a(a) p_b(b) where the operands are independent"});
  }

  void create_details() {
    const std::uint64_t levels = level_order_.size();
    bits_ = group_.real_column(
        "bit_flip_rate", {d_, bit_count()}, {"multiplier", "distribution", "bit"},
        {"1", "bit flip rate",
         "P(output bit differs), low " + std::to_string(bit_count()) + " bits"});
    quantile_ = group_.real_column(
        "error_quantile", {d_, levels}, {"multiplier", "distribution", "quantile_level"},
        {"product", "quantile of the error",
         "smallest error whose cumulative probability reaches the level"});
    abs_quantile_ = group_.real_column(
        "abs_error_quantile", {d_, levels}, {"multiplier", "distribution", "quantile_level"},
        {"product", "quantile of the absolute error",
         "smallest |error| whose cumulative probability reaches the level"});
    const auto conditional = [&](const char* name, const char* operand, const char* text,
                                 const char* definition) {
      const std::uint64_t count =
          std::string_view(operand) == "operand_a" ? group_.a_count() : group_.b_count();
      return group_.real_column(name, {d_, count}, {"multiplier", "distribution", operand},
                                {"product", text, definition});
    };
    bias_a_ =
        conditional("conditional_bias_a", "operand_a", "mean error given operand a", "E[e|a]");
    std_a_ = conditional("conditional_std_a", "operand_a",
                         "standard deviation of the error given operand a", "sqrt(Var[e|a])");
    bias_b_ =
        conditional("conditional_bias_b", "operand_b", "mean error given operand b", "E[e|b]");
    std_b_ = conditional("conditional_std_b", "operand_b",
                         "standard deviation of the error given operand b", "sqrt(Var[e|b])");
    create_pmf();
  }

  void create_pmf() {
    pmf_entry_ = file_.create_plain_dimension(path("error_pmf_entry"), 0, true);
    pmf_boundary_ = file_.create_plain_dimension(path("error_pmf_boundary"), 0, true);
    pmf_value_ = Column<std::int32_t>(file_, path("error_pmf_value"), {}, kPmfChunk,
                                      {"product", "distinct errors", "ascending, one run per pmf"});
    pmf_probability_ = Column<double>(file_, path("error_pmf_probability"), {}, kPmfChunk,
                                      {"1", "probability of each distinct error", ""});
    pmf_offset_ = Column<std::int64_t>(
        file_, path("error_pmf_offset"), {}, 1024,
        {"1", "first entry of each pmf",
         "the pmf of multiplier m, distribution d is [offset[m D + d], offset[m D + d + 1])"});
    scales("error_pmf_value", {"error_pmf_entry"});
    scales("error_pmf_probability", {"error_pmf_entry"});
    scales("error_pmf_offset", {"error_pmf_boundary"});
    pmf_offset_.push(0);
  }

  void add_details(const ErrorReport& report) {
    bits_.push_all(std::span(report.metrics.bit_flip_rate).first(bit_count()));
    for (const std::size_t i : level_order_) {
      const Quantile& q = report.quantiles.at(i);
      quantile_.push(q.error);
      abs_quantile_.push(q.abs_error);
    }
    bias_a_.push_all(used_a(group_.type(), report.conditional.bias_given_a));
    std_a_.push_all(used_a(group_.type(), report.conditional.std_given_a));
    bias_b_.push_all(used_b(group_.type(), report.conditional.bias_given_b));
    std_b_.push_all(used_b(group_.type(), report.conditional.std_given_b));
    pmf_value_.push_all(report.pmf.value);
    pmf_probability_.push_all(report.pmf.probability);
    pmf_end_ += report.pmf.value.size();
    pmf_offset_.push(static_cast<std::int64_t>(pmf_end_));
  }

  h5::File& file_;
  const std::uint64_t d_;
  const bool full_;
  detail::GroupWriter group_;
  std::uint64_t pmf_end_ = 0;
  std::vector<std::size_t> level_order_;  // of each stored level its place in a report's quantiles
  h5::Dataset pmf_entry_, pmf_boundary_;
  std::vector<Column<double>> metrics_;
  Column<double> bits_, quantile_, abs_quantile_, bias_a_, std_a_, bias_b_, std_b_;
  Column<std::int32_t> pmf_value_;
  Column<double> pmf_probability_;
  Column<std::int64_t> pmf_offset_;
};

std::string partial_path(const std::string& path) {
  const std::filesystem::path p(path);
  return (p.parent_path() / (p.stem().string() + ".partial" + p.extension().string())).string();
}

}  // namespace

void pack_products(Characterization& result) {
  const Lut& lut = result.multiplier.lut;
  result.packed_product = detail::pack_table(lut.sized_type(), lut.products());
  result.packed_error = detail::pack_table(lut.sized_type(), ErrorMap(lut).values());
}

struct ErrorTableWriter::State {
  State(const std::string& path, const DistributionSet& set, ErrorTableOptions with)
      : options(std::move(with)),
        distributions(set),
        target(path, options.force),
        file(h5::File::create(target.path())) {
    file.set_display_path(path);
    detail::write_root(file, "axmul-error-table", options.origin);
    file.set_attribute(
        "/", "convention",
        options.statistics.convention == Convention::evoapproxlib ? "evoapproxlib" : "evoapprox8b");
    file.set_attribute("/", "complete", std::int64_t{0});
  }

  TypeGroup& group(const SizedType& type) {
    auto& group = groups[type];
    if (group == nullptr)
      group = std::make_unique<TypeGroup>(file, type, distributions.of(type), options);
    return *group;
  }

  void close() {
    for (const auto& [type, group] : groups) group->flush();
    file.close();
  }

  ErrorTableOptions options;
  const DistributionSet& distributions;
  AtomicFile target;
  h5::File file;
  std::map<SizedType, std::unique_ptr<TypeGroup>> groups;
};

ErrorTableWriter::ErrorTableWriter(const std::string& path, const DistributionSet& distributions,
                                   ErrorTableOptions options)
    : state_(std::make_unique<State>(path, distributions, std::move(options))) {}

ErrorTableWriter::~ErrorTableWriter() = default;

void ErrorTableWriter::add(const Characterization& result) {
  state_->group(result.multiplier.lut.sized_type()).add(result);
}

void ErrorTableWriter::finish() {
  state_->file.set_attribute("/", "complete", std::int64_t{1});
  state_->close();
  state_->target.commit();
}

std::string ErrorTableWriter::finish_partial() {
  const std::string path = partial_path(state_->target.target());
  state_->close();
  state_->target.commit_as(path);
  return path;
}

}  // namespace axmul
