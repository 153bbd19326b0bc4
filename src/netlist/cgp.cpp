// Chromosomes of Cartesian genetic programming, as EvoApproxLib and ArithsGen publish circuits.
#include <algorithm>
#include <charconv>
#include <filesystem>

#include "axmul/netlist/readers.hpp"
#include "netlist/assembler.hpp"
#include "netlist/source.hpp"

namespace axmul {

namespace detail {

namespace {

class CgpReader {
 public:
  CgpReader(std::string_view text, const std::string& path, const NetlistOptions& options)
      : text_(text), path_(path), limit_(options.max_cells), out_(path, options.max_cells) {}

  Netlist run() {
    const std::vector<std::uint64_t> header = numbers('{', '}');
    if (header.size() < 2 || header[0] < 2 || header[0] % 2 != 0 || header[0] > 64 ||
        header[1] < 1 || header[1] > 64)
      error("\"{inputs,outputs,…}\" of two operands is expected first");
    inputs_ = header[0];
    input_nets_ = out_.new_nets(inputs_, 1);
    for (NetId i = 0; i < inputs_; ++i) out_.drive_input(input_nets_ + i, 1);
    while (starts_node()) node();
    const std::vector<std::uint64_t> outputs = numbers('(', ')');
    if (outputs.size() != header[1])
      error("the last list has " + std::to_string(outputs.size()) + " outputs, the header says " +
            std::to_string(header[1]));
    return finish(outputs);
  }

 private:
  [[noreturn]] void error(const std::string& what) const { fail(233, path_, line_, what); }

  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' ||
                                  text_[at_] == '\n' || text_[at_] == '#')) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (text_[at_] == '\n') ++line_;
      ++at_;
    }
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void expect(char c) {
    if (peek() != c)
      error(std::string("\"") + c + "\" expected" +
            (at_ < text_.size() ? ", not " + in_quotes(text_.substr(at_, 1)) : " at the end"));
    ++at_;
  }

  std::uint64_t number() {
    peek();
    std::uint64_t value = 0;
    const auto [end, bad] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (bad != std::errc()) error("a number is expected");
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  std::vector<std::uint64_t> numbers(char open, char close) {
    std::vector<std::uint64_t> list;
    expect(open);
    while (peek() != close) {
      list.push_back(number());
      if (list.size() > 1000) error("a list of more than 1000 numbers");
      if (peek() == ',') ++at_;
    }
    ++at_;
    return list;
  }

  bool starts_node() {
    if (peek() != '(') return false;
    const std::size_t next = text_.find_first_not_of(" \t\r\n", at_ + 1);
    return next != std::string_view::npos && text_[next] == '[';
  }

  // Numbers below the first node are its inputs; where there are two more, they are 0 and 1.
  NetId net(std::uint64_t id) {
    const std::uint64_t constants = first_node_ - inputs_;
    if (id < constants) return id == 0 ? kNetZero : kNetOne;
    if (id < first_node_) return static_cast<NetId>(input_nets_ + (id - constants));
    if (id - first_node_ >= nodes_.size())
      error("node " + std::to_string(id) + " is used before it is defined");
    return nodes_[id - first_node_];
  }

  void node() {
    expect('(');
    expect('[');
    const std::uint64_t id = number();
    expect(']');
    if (nodes_.empty()) {
      first_node_ = id;
      if (id != inputs_ && id != inputs_ + 2)
        error("the first node is number " + std::to_string(id) + "; after " +
              std::to_string(inputs_) +
              " inputs it is that, or two more where 0 and 1 are constants");
    }
    if (id != first_node_ + nodes_.size()) error("node " + std::to_string(id) + " is out of order");
    if (nodes_.size() >= limit_) fail(210, path_, line_, "too many nodes");
    std::uint64_t fields[3] = {};
    for (std::size_t i = 0; i < 3; ++i) {
      if (i > 0) expect(',');
      fields[i] = number();
    }
    expect(')');
    nodes_.push_back(gate(net(fields[0]), net(fields[1]), fields[2]));
  }

  NetId gate(NetId x, NetId y, std::uint64_t function) {
    static constexpr Gate kGates[] = {Gate::and2,  Gate::or2,  Gate::xor2,
                                      Gate::nand2, Gate::nor2, Gate::xnor2};
    if (function == 0) return x;
    if (function == 1) return out_.gate(Gate::inv, {x}, line_);
    if (function <= 7) return out_.gate(kGates[function - 2], {x, y}, line_);
    if (function == 8) return kNetOne;
    if (function == 9) return kNetZero;
    error("function " + std::to_string(function) + " is none of 0 … 9");
  }

  Netlist finish(const std::vector<std::uint64_t>& outputs) {
    if (nodes_.empty()) first_node_ = inputs_;
    std::vector<NetId> a, b, product;
    for (NetId i = 0; i < inputs_; ++i) (i < inputs_ / 2 ? a : b).push_back(input_nets_ + i);
    for (const std::uint64_t id : outputs) product.push_back(net(id));
    out_.port("A", false, a, 1);
    out_.port("B", false, b, 1);
    out_.port("O", true, product, line_);
    return out_.finish(std::filesystem::path(path_).stem().string(),
                       [](NetId) { return std::string(Assembler::kUnnamed); });
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t limit_;
  Assembler out_;
  std::size_t at_ = 0, line_ = 1;
  std::uint64_t inputs_ = 0, first_node_ = 0;
  NetId input_nets_ = 0;
  std::vector<NetId> nodes_;
};

}  // namespace

}  // namespace detail

Netlist read_cgp_text(std::string_view text, const std::string& path,
                      const NetlistOptions& options) {
  return detail::CgpReader(text, path, options).run();
}

}  // namespace axmul
