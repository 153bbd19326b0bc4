// AIGER 1.9 (A. Biere, FMV report 07/1, 11/2): and-inverter graphs as text (aag) or bytes (aig).
#include <algorithm>
#include <charconv>
#include <filesystem>

#include "axmul/netlist/readers.hpp"
#include "netlist/assembler.hpp"
#include "netlist/port_bits.hpp"
#include "netlist/source.hpp"

namespace axmul {

namespace detail {

namespace {

class AigerReader {
 public:
  AigerReader(std::string_view text, const std::string& path, const NetlistOptions& options)
      : text_(text), path_(path), limit_(options.max_cells), out_(path, options.max_cells) {}

  Netlist run() {
    header();
    first_ = out_.new_nets(variables_ + 1, 1);
    inputs();
    std::vector<std::uint64_t> outputs;
    for (std::uint64_t i = 0; i < output_count_; ++i) outputs.push_back(literal(line()));
    gates();
    symbols();
    ports(outputs);
    const std::string name = std::filesystem::path(path_).stem().string();
    Netlist netlist = out_.finish(name, [this](NetId net) {
      return net >= first_ ? "variable " + std::to_string(net - first_) : std::string("constant");
    });
    group_scalar_ports(netlist);
    halve(netlist);
    return netlist;
  }

 private:
  [[noreturn]] void error(const std::string& what) const { fail(232, path_, line_, what); }

  std::string_view line() {
    if (at_ >= text_.size()) error("the file ends early");
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view result = text_.substr(at_, end - at_);
    at_ = end + 1;
    ++line_;
    if (result.ends_with('\r')) result.remove_suffix(1);
    return result;
  }

  std::uint64_t number(std::string_view text) const {
    std::uint64_t value = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (bad != std::errc() || end != text.data() + text.size())
      error(in_quotes(text) + " is no number");
    return value;
  }

  std::uint64_t literal(std::string_view text) const { return checked(number(text)); }
  std::uint64_t checked(std::uint64_t value) const {
    if (value > 2 * variables_ + 1)
      error("literal " + std::to_string(value) + " is beyond the header's " +
            std::to_string(variables_) + " variables");
    return value;
  }

  static std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> result;
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = std::min(text.find(' ', start), text.size());
      if (end > start) result.push_back(text.substr(start, end - start));
      start = end + 1;
    }
    return result;
  }

  // "aag M I L O A", in version 1.9 with further counts that are 0 here.
  void header() {
    const auto parts = words(line());
    if (parts.size() < 6 || (parts[0] != "aag" && parts[0] != "aig"))
      error("an AIGER file starts with \"aag M I L O A\" or \"aig M I L O A\"");
    is_binary_ = parts[0] == "aig";
    for (std::size_t i = 6; i < parts.size(); ++i)
      if (number(parts[i]) != 0)
        error(
            "the graph has bad states, constraints or fairness (AIGER 1.9), which no multiplier "
            "has");
    variables_ = number(parts[1]);
    input_count_ = number(parts[2]);
    output_count_ = number(parts[4]);
    gate_count_ = number(parts[5]);
    if (number(parts[3]) != 0)
      fail(211, path_, line_, "the graph has latches; only combinational circuits have a table");
    if (variables_ > limit_ || input_count_ > variables_ || gate_count_ > variables_ ||
        output_count_ > limit_)
      error("the header's counts do not fit each other, or are more than " +
            std::to_string(limit_));
  }

  void inputs() {
    for (std::uint64_t i = 0; i < input_count_; ++i) {
      const std::uint64_t value = is_binary_ ? 2 * (i + 1) : literal(line());
      if (value < 2 || value % 2 != 0) error("an input is an even literal above 0");
      inputs_.push_back(static_cast<NetId>(first_ + value / 2));
      out_.drive_input(inputs_.back(), line_);
    }
  }

  NetId net(std::uint64_t value) {
    if (value < 2) return value == 0 ? kNetZero : kNetOne;
    const auto plain = static_cast<NetId>(first_ + value / 2);
    return value % 2 == 0 ? plain : out_.gate(Gate::inv, {plain}, line_);
  }

  void gate(std::uint64_t left, std::uint64_t x, std::uint64_t y) {
    if (left < 2 || left % 2 != 0) error("a gate is an even literal above 0");
    const NetId inputs[2] = {net(x), net(y)};
    const auto target = static_cast<NetId>(first_ + left / 2);
    out_.cell(out_.type_index(Gate::and2), inputs, {&target, 1}, line_);
  }

  // A difference in 7-bit groups, the lowest first.
  std::uint64_t difference() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      if (at_ >= text_.size()) error("the file ends within its gates");
      const auto byte = static_cast<unsigned char>(text_[at_++]);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    error("a gate's difference is too large");
  }

  void gates() {
    for (std::uint64_t i = 0; i < gate_count_; ++i) {
      if (is_binary_) {
        const std::uint64_t left = checked(2 * (input_count_ + i + 1));
        const std::uint64_t first = difference();
        if (first > left) error("a gate's difference exceeds its literal");
        const std::uint64_t second = difference();
        if (second > left - first) error("a gate's difference exceeds its literal");
        gate(left, left - first, left - first - second);
        continue;
      }
      const auto parts = words(line());
      if (parts.size() != 3) error("a gate is three literals");
      gate(literal(parts[0]), literal(parts[1]), literal(parts[2]));
    }
  }

  // "i0 a[0]", "o3 p[3]", up to the comment "c".
  void symbols() {
    input_names_.resize(inputs_.size());
    output_names_.resize(output_count_);
    while (at_ < text_.size()) {
      const std::string_view text = line();
      if (text.empty() || text == "c") return;
      const std::size_t blank = text.find(' ');
      if (blank == std::string_view::npos || (text[0] != 'i' && text[0] != 'o')) continue;
      const std::uint64_t index = number(text.substr(1, blank - 1));
      auto& names = text[0] == 'i' ? input_names_ : output_names_;
      if (index >= names.size()) error("symbol " + in_quotes(text) + " names no port");
      names[index] = text.substr(blank + 1);
    }
  }

  void ports(const std::vector<std::uint64_t>& outputs) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const std::string& name = input_names_[i];
      out_.port(name.empty() ? "i" + std::to_string(i) : name, false, {inputs_[i]}, 1);
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string& name = output_names_[i];
      out_.port(name.empty() ? "o" + std::to_string(i) : name, true, {net(outputs[i])}, 1);
    }
  }

  // Without symbols there is one vector of inputs: its first half is a.
  static void halve(Netlist& netlist) {
    std::size_t inputs = 0, at = 0;
    for (std::size_t i = 0; i < netlist.ports.size(); ++i)
      if (!netlist.ports[i].is_output) ++inputs, at = i;
    const std::size_t bits = inputs == 1 ? netlist.ports[at].nets.size() : 0;
    if (bits < 2 || bits % 2 != 0) return;
    Port second{"b", false, {}};
    auto& nets = netlist.ports[at].nets;
    second.nets.assign(nets.begin() + static_cast<std::ptrdiff_t>(bits / 2), nets.end());
    nets.resize(bits / 2);
    netlist.ports[at].name = "a";
    netlist.ports.insert(netlist.ports.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                         std::move(second));
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t limit_;
  Assembler out_;
  std::size_t at_ = 0, line_ = 0;
  bool is_binary_ = false;
  std::uint64_t variables_ = 0, input_count_ = 0, output_count_ = 0, gate_count_ = 0;
  NetId first_ = 0;
  std::vector<NetId> inputs_;
  std::vector<std::string> input_names_, output_names_;
};

}  // namespace

}  // namespace detail

Netlist read_aiger_text(std::string_view text, const std::string& path,
                        const NetlistOptions& options) {
  return detail::AigerReader(text, path, options).run();
}

}  // namespace axmul
