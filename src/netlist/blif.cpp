// BLIF: models of covers, library gates and other models (Berkeley Logic Interchange Format, UC
// Berkeley, 1992; the .conn, .attr, .param and .cname lines are Yosys extensions).
#include <algorithm>
#include <array>
#include <deque>
#include <filesystem>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "axmul/netlist/readers.hpp"
#include "netlist/assembler.hpp"
#include "netlist/cells.hpp"
#include "netlist/fpga.hpp"
#include "netlist/port_bits.hpp"
#include "netlist/source.hpp"

namespace axmul {

namespace detail {

namespace {

constexpr int kMaxHierarchy = 64;

using Words = std::vector<std::string_view>;

struct Cover {
  Words nets;                                           // inputs, then the output
  std::vector<std::pair<std::string_view, char>> rows;  // input part, output value
  std::size_t line;
};

struct BlifInstance {
  std::string_view cell;
  std::vector<std::pair<std::string_view, std::string_view>> pins;  // formal, actual
  std::size_t line;
  std::uint64_t init = 0;  // of a look-up table, by .param
};

struct Model {
  std::string_view name;
  std::size_t line = 0;
  Words inputs, outputs;
  std::vector<Cover> covers;
  std::vector<BlifInstance> instances;
  std::vector<std::array<std::string_view, 2>> aliases;  // source, target
  struct Latch {
    std::string_view input, output;
    std::size_t line;
    bool is_level;  // a latch proper, not an edge-triggered register
  };
  std::vector<Latch> latches;
};

class BlifParser {
 public:
  BlifParser(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  std::deque<Model> parse() {
    std::size_t line = 0;
    Words words;
    while (next_line(words, line)) {
      if (words[0][0] == '.') {
        cover_ = nullptr;
        command(words, line);
      } else {
        row(words, line);
      }
    }
    return std::move(models_);
  }

 private:
  // The words of the next logical line: comments cut, lines that end in \ joined.
  bool next_line(Words& words, std::size_t& line) {
    words.clear();
    while (pos_ < text_.size()) {
      const std::size_t end = std::min(text_.find('\n', pos_), text_.size());
      std::string_view physical = text_.substr(pos_, end - pos_);
      pos_ = end + 1;
      ++line_;
      if (words.empty()) line = line_;
      physical = physical.substr(0, physical.find('#'));
      while (!physical.empty() &&
             (physical.back() == ' ' || physical.back() == '\t' || physical.back() == '\r'))
        physical.remove_suffix(1);
      const bool joined = !physical.empty() && physical.back() == '\\';
      if (joined) physical.remove_suffix(1);
      for (std::size_t i = 0; i < physical.size();) {
        if (physical[i] == ' ' || physical[i] == '\t' || physical[i] == '\r') {
          ++i;
          continue;
        }
        std::size_t stop = i;
        while (stop < physical.size() && physical[stop] != ' ' && physical[stop] != '\t' &&
               physical[stop] != '\r')
          ++stop;
        words.push_back(physical.substr(i, stop - i));
        i = stop;
      }
      if (!joined && !words.empty()) return true;
    }
    return !words.empty();
  }

  Model& model(std::size_t line) {
    if (models_.empty()) fail(230, path_, line, ".model expected first");
    return models_.back();
  }

  void command(const Words& words, std::size_t line) {
    const std::string_view name = words[0];
    const auto arguments = [&](std::size_t least) {
      if (words.size() < least + 1)
        fail(230, path_, line,
             std::string(name) + " needs " + std::to_string(least) + " or more names");
    };
    if (name == ".model") {
      if (models_.size() >= 20000) fail(210, path_, line, "more than 20000 models");
      models_.emplace_back();
      models_.back().name = words.size() > 1 ? words[1] : std::string_view("unnamed");
      models_.back().line = line;
    } else if (name == ".inputs" || name == ".outputs") {
      Model& m = model(line);
      Words& list = name == ".inputs" ? m.inputs : m.outputs;
      list.insert(list.end(), words.begin() + 1, words.end());
    } else if (name == ".names") {
      arguments(1);
      model(line).covers.push_back({Words(words.begin() + 1, words.end()), {}, line});
      cover_ = &models_.back().covers.back();
    } else if (name == ".gate" || name == ".subckt") {
      arguments(1);
      BlifInstance instance{words[1], {}, line};
      for (std::size_t i = 2; i < words.size(); ++i) {
        const std::size_t equal = words[i].find('=');
        if (equal == std::string_view::npos || equal == 0)
          fail(230, path_, line, "connection " + in_quotes(words[i]) + " is not FORMAL=ACTUAL");
        instance.pins.emplace_back(words[i].substr(0, equal), words[i].substr(equal + 1));
      }
      model(line).instances.push_back(std::move(instance));
    } else if (name == ".conn") {
      arguments(2);
      model(line).aliases.push_back({words[1], words[2]});
    } else if (name == ".latch" || name == ".mlatch") {
      arguments(2);
      const bool is_level =
          name == ".mlatch" || (words.size() > 3 && (words[3] == "ah" || words[3] == "al"));
      model(line).latches.push_back({words[1], words[2], line, is_level});
    } else if (name == ".param") {
      parameter(words);
    } else if (name == ".end" || name == ".attr" || name == ".cname" || name == ".blackbox" ||
               name == ".default_input_arrival" || name == ".area" || name == ".delay") {
    } else {
      fail(230, path_, line, "unknown command " + in_quotes(name));
    }
  }

  // ".param INIT 1000" of the instance before it.
  void parameter(const Words& words) {
    if (models_.empty() || models_.back().instances.empty() || words.size() < 3) return;
    if (words[1] != "INIT" && words[1] != "LUT_INIT") return;
    std::uint64_t init = 0;
    for (const char c : words[2])
      if (c == '0' || c == '1') init = init << 1 | (c == '1' ? 1U : 0U);
    models_.back().instances.back().init = init;
  }

  void row(const Words& words, std::size_t line) {
    if (cover_ == nullptr) fail(230, path_, line, in_quotes(words[0]) + " belongs to no .names");
    const std::size_t inputs = cover_->nets.size() - 1;
    const std::string_view output = words.back();
    const std::string_view part = words.size() == 2 ? words[0] : std::string_view{};
    if (words.size() != (inputs == 0 ? 1 : 2) || part.size() != inputs || output.size() != 1 ||
        (output != "0" && output != "1") || part.find_first_not_of("01-") != std::string_view::npos)
      fail(230, path_, line,
           "row does not fit .names of " + std::to_string(inputs) +
               " inputs: 0, 1 or - for each and 0 or 1 for the output");
    if (!cover_->rows.empty() && cover_->rows[0].second != output[0])
      fail(230, path_, line, "rows of one .names must agree in the output value");
    cover_->rows.emplace_back(part, output[0]);
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t pos_ = 0, line_ = 0;
  std::deque<Model> models_;
  Cover* cover_ = nullptr;
};

class BlifElaborator {
 public:
  BlifElaborator(const std::deque<Model>& models, const std::string& path,
                 const NetlistOptions& options)
      : models_(models), path_(path), options_(options), out_(path, options.max_cells) {
    for (const Model& model : models) {
      const auto [found, is_new] = by_name_.try_emplace(model.name, &model);
      if (!is_new)
        fail(213, path, model.line, "model " + in_quotes(model.name) + " is defined twice");
    }
  }

  Netlist run() {
    const Model& top = find_top();
    Scope scope;
    for (const std::string_view name : top.inputs)
      out_.drive_input(net(scope, name, top.line), top.line);
    body(top, scope, 0);
    ports(top, scope, false);
    ports(top, scope, true);
    Netlist netlist = out_.finish(std::string(top.name), [this](NetId id) { return name_of(id); });
    settle_registers(netlist, path_);
    if (options_.library) use_library(netlist, *options_.library);
    return netlist;
  }

 private:
  using Scope = std::unordered_map<std::string_view, NetId>;

  const Model& find_top() const {
    if (models_.empty()) fail(204, path_, 0, "there is no .model in this file");
    const auto named = [&](const std::string& name) -> const Model* {
      const auto found = by_name_.find(name);
      return found == by_name_.end() ? nullptr : found->second;
    };
    if (!options_.top.empty()) {
      if (const Model* model = named(options_.top)) return *model;
      fail(204, path_, 0, "there is no model " + in_quotes(options_.top) + " (--top)");
    }
    if (const Model* model = named(std::filesystem::path(path_).stem().string())) return *model;
    std::unordered_set<std::string_view> used;
    for (const Model& model : models_)
      for (const BlifInstance& instance : model.instances) used.insert(instance.cell);
    const Model* root = nullptr;
    for (const Model& model : models_) {
      if (used.contains(model.name)) continue;
      if (root != nullptr)
        fail(204, path_, model.line,
             "which model is the circuit, " + std::string(root->name) + " or " +
                 std::string(model.name) + "? Choose one with --top");
      root = &model;
    }
    if (root == nullptr)
      fail(204, path_, 0, "every model is used by another; choose one with --top");
    return *root;
  }

  NetId net(Scope& scope, std::string_view name, std::size_t line) {
    const auto [found, is_new] = scope.try_emplace(name, 0);
    if (is_new) {
      // What yosys's write_blif leaves undefined with -impltf.
      if (name == "$false" || name == "$true") {
        found->second = name == "$true" ? kNetOne : kNetZero;
        return found->second;
      }
      found->second = out_.new_nets(1, line);
      names_.emplace_back(found->second, name);
    }
    return found->second;
  }

  std::string name_of(NetId id) const {
    for (const auto& [known, name] : names_)
      if (known == id) return std::string(name);
    return Assembler::kUnnamed;
  }

  void body(const Model& model, Scope& scope, int depth) {
    for (const Model::Latch& latch : model.latches) {
      if (latch.is_level)
        fail(211, path_, latch.line,
             "latch " + in_quotes(latch.output) +
                 " has state; only combinational circuits and feed-forward pipelines have a table");
      const NetId from = net(scope, latch.input, latch.line);
      out_.reg(from, net(scope, latch.output, latch.line), latch.line);
    }
    if (depth > kMaxHierarchy)
      fail(210, path_, model.line,
           "models nest deeper than " + std::to_string(kMaxHierarchy) + " levels");
    for (const Cover& cover : model.covers)
      if (cover.nets.back() != "$false" && cover.nets.back() != "$true") this->cover(cover, scope);
    for (const auto& [source, target] : model.aliases) {
      const NetId from = net(scope, source, model.line);
      out_.alias(net(scope, target, model.line), from, model.line);
    }
    for (const BlifInstance& instance : model.instances) place(instance, scope, depth);
  }

  void cover(const Cover& cover, Scope& scope) {
    std::vector<NetId> nets;
    for (const std::string_view name : cover.nets) nets.push_back(net(scope, name, cover.line));
    const NetId target = nets.back();
    nets.pop_back();
    const bool invert = !cover.rows.empty() && cover.rows[0].second == '0';
    if (nets.size() <= static_cast<std::size_t>(kMaxCellInputs))
      return small_cover(cover, nets, target, invert);
    // Wide covers become a tree of products and sums.
    std::vector<NetId> products;
    for (const auto& [part, value] : cover.rows) {
      std::vector<NetId> literals;
      for (std::size_t i = 0; i < part.size(); ++i) {
        if (part[i] == '-') continue;
        literals.push_back(part[i] == '1' ? nets[i] : out_.gate(Gate::inv, {nets[i]}, cover.line));
      }
      products.push_back(out_.tree(Gate::and2, std::move(literals), false, cover.line));
    }
    out_.alias(target, out_.tree(Gate::or2, std::move(products), invert, cover.line), cover.line);
  }

  void small_cover(const Cover& cover, std::span<const NetId> nets, NetId target, bool invert) {
    const std::size_t patterns = std::size_t{1} << nets.size();
    const std::uint64_t all =
        patterns == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << patterns) - 1;
    std::uint64_t table = 0;
    for (const auto& [part, value] : cover.rows)
      for (std::size_t i = 0; i < patterns; ++i) {
        bool match = true;
        for (std::size_t j = 0; j < part.size(); ++j)
          match &= part[j] == '-' || (part[j] == '1') == ((i >> j & 1) != 0);
        if (match) table |= std::uint64_t{1} << i;
      }
    if (invert) table = ~table & all;
    if (table == 0 || table == all)
      return out_.alias(target, table == 0 ? kNetZero : kNetOne, cover.line);
    if (nets.size() == 1 && table == 2) return out_.alias(target, nets[0], cover.line);  // a name
    for (int g = 0; g < kGateCount; ++g) {  // the usual functions keep their names
      const CellType& type = gate_type(static_cast<Gate>(g));
      if (type.functions.size() == 1 && type.inputs == static_cast<int>(nets.size()) &&
          type.functions[0] == table)
        return out_.cell(out_.type_index(static_cast<Gate>(g)), nets, {&target, 1}, cover.line);
    }
    CellType& type = types_[{static_cast<int>(nets.size()), table}];
    if (type.name.empty()) {
      static constexpr const char* kHex = "0123456789ABCDEF";
      for (std::size_t i = std::max<std::size_t>(1, patterns / 4); i-- > 0;)
        type.name += kHex[table >> (4 * i) & 15];
      type.name = "LUT" + std::to_string(nets.size()) + "_" + type.name;
      type.inputs = static_cast<int>(nets.size());
      type.functions = {table};
    }
    out_.cell(out_.type_index(type), nets, {&target, 1}, cover.line);
  }

  void place(const BlifInstance& instance, Scope& scope, int depth) {
    const auto found = by_name_.find(instance.cell);
    if (found != by_name_.end()) return place_model(instance, *found->second, scope, depth);
    const LibraryCell* cell =
        options_.library ? options_.library->impl().find(instance.cell) : nullptr;
    if (cell == nullptr) cell = builtin_cell(instance.cell);
    if (cell == nullptr)
      if (const FpgaPrimitive* primitive = fpga_primitive(instance.cell))
        return place_fpga(instance, *primitive, scope);
    if (cell == nullptr)
      fail(203, path_, instance.line,
           "unknown cell " + in_quotes(instance.cell) +
               "; give its function with --liberty FILE.lib");
    if (!cell->unusable.empty())
      fail(cell->unusable_id, path_, instance.line,
           "cell " + in_quotes(instance.cell) + " " + cell->unusable);
    std::vector<NetId> inputs(cell->inputs.size(), Assembler::kNoNet),
        outputs(cell->outputs.size(), Assembler::kNoNet);
    for (const auto& [formal, actual] : instance.pins) {
      const auto input = std::find(cell->inputs.begin(), cell->inputs.end(), formal);
      const auto output = std::find(cell->outputs.begin(), cell->outputs.end(), formal);
      const bool is_input = input != cell->inputs.end();
      if (!is_input && output == cell->outputs.end() &&
          (is_supply_name(formal) ||
           std::ranges::find(cell->supplies, formal) != cell->supplies.end()))
        continue;
      if (!is_input && output == cell->outputs.end()) bad_pin(instance, formal, "there is no pin ");
      NetId& slot = is_input ? inputs[static_cast<std::size_t>(input - cell->inputs.begin())]
                             : outputs[static_cast<std::size_t>(output - cell->outputs.begin())];
      if (slot != Assembler::kNoNet) bad_pin(instance, formal, "connected twice: pin ");
      slot = net(scope, actual, instance.line);
    }
    for (NetId& input : inputs)
      if (input == Assembler::kNoNet) input = out_.new_nets(1, instance.line);
    out_.cell(out_.type_index(cell->type), inputs, outputs, instance.line);
  }

  // Pins by name; bits of wide ones as "DI[2]".
  void place_fpga(const BlifInstance& instance, const FpgaPrimitive& primitive, Scope& scope) {
    std::vector<std::vector<NetId>> pins(primitive.pins.size());
    for (const auto& [formal, actual] : instance.pins) {
      const std::size_t bracket = formal.find('[');
      const std::string_view name = formal.substr(0, bracket);
      const auto found = std::ranges::find(primitive.pins, name, &FpgaPin::name);
      if (found == primitive.pins.end()) bad_pin(instance, formal, "there is no pin ");
      std::string base;
      std::size_t bit = 0;
      if (bracket != std::string_view::npos && !split_bit_name(formal, base, bit))
        bad_pin(instance, formal, "there is no pin ");
      if (bit >= static_cast<std::size_t>(found->width))
        bad_pin(instance, formal, "there is no pin ");
      auto& nets = pins[static_cast<std::size_t>(found - primitive.pins.begin())];
      if (nets.size() <= bit) nets.resize(bit + 1, found->is_output ? Assembler::kNoNet : kNetZero);
      nets[bit] = net(scope, actual, instance.line);
    }
    fpga_.place(out_, primitive, instance.init, pins, instance.line);
  }

  [[noreturn]] void bad_pin(const BlifInstance& instance, std::string_view pin,
                            const char* what) const {
    fail(205, path_, instance.line,
         "instance of " + in_quotes(instance.cell) + ": " + what + in_quotes(pin));
  }

  void place_model(const BlifInstance& instance, const Model& model, Scope& scope, int depth) {
    if (++instances_ > options_.max_cells) fail(210, path_, instance.line, "too many instances");
    Scope inner;
    for (const auto& [formal, actual] : instance.pins) {
      const bool is_input =
          std::find(model.inputs.begin(), model.inputs.end(), formal) != model.inputs.end();
      const bool is_output =
          std::find(model.outputs.begin(), model.outputs.end(), formal) != model.outputs.end();
      if (!is_input && !is_output) bad_pin(instance, formal, "there is no pin ");
      const NetId outside = net(scope, actual, instance.line),
                  inside = net(inner, formal, instance.line);
      if (is_input)
        out_.alias(inside, outside, instance.line);
      else
        out_.alias(outside, inside, instance.line);
    }
    body(model, inner, depth + 1);
  }

  // Bits 0 … n−1 of a vector, when they are all there.
  void ports(const Model& model, Scope& scope, bool output) {
    const Words& names = output ? model.outputs : model.inputs;
    std::map<std::string, std::map<std::size_t, std::string_view>> vectors;
    for (const std::string_view name : names) {
      std::string base;
      std::size_t index = 0;
      if (split_bit_name(name, base, index)) vectors[base].emplace(index, name);
    }
    std::unordered_set<std::string> done;
    std::unordered_set<std::string_view> listed;
    for (const std::string_view name : names) {
      if (!listed.insert(name).second)
        fail(213, path_, model.line, "port " + in_quotes(name) + " is listed twice");
      std::string base;
      std::size_t index = 0;
      if (split_bit_name(name, base, index)) {
        const auto& bits = vectors[base];
        if (bits.rbegin()->first + 1 == bits.size()) {
          if (!done.insert(base).second) {
            if (bits.at(index) != name)
              fail(213, path_, model.line,
                   "ports " + in_quotes(name) + " and " + in_quotes(bits.at(index)) +
                       " are the same bit");
            continue;
          }
          std::vector<NetId> nets;
          for (const auto& [k, bit] : bits) nets.push_back(net(scope, bit, model.line));
          out_.port(base, output, std::move(nets), model.line);
          continue;
        }
      }
      out_.port(std::string(name), output, {net(scope, name, model.line)}, model.line);
    }
  }

  const std::deque<Model>& models_;
  const std::string& path_;
  const NetlistOptions& options_;
  Assembler out_;
  std::unordered_map<std::string_view, const Model*> by_name_;
  std::vector<std::pair<NetId, std::string_view>> names_;
  std::map<std::pair<int, std::uint64_t>, CellType> types_;
  FpgaCells fpga_;
  std::size_t instances_ = 0;
};

}  // namespace

}  // namespace detail

Netlist read_blif_text(std::string_view text, const std::string& path,
                       const NetlistOptions& options) {
  const std::deque<detail::Model> models = detail::BlifParser(text, path).parse();
  return detail::BlifElaborator(models, path, options).run();
}

Netlist read_blif(const std::string& path, const NetlistOptions& options) {
  return read_blif_text(detail::read_source(path, options.max_file_bytes), path, options);
}

}  // namespace axmul
