// Gates with folding, and the arithmetic that the generators' circuits are made of.
#include "designs/circuit.hpp"

#include <utility>

#include "axmul/core/errors.hpp"

namespace axmul::detail::designs {

Circuit::Circuit(int width) : width_(width) {
  for (int i = 0; i < width; ++i) a_.push_back(next_++);
  for (int i = 0; i < width; ++i) b_.push_back(next_++);
}

Bit Circuit::add_node(Gate gate, std::array<Bit, 3> in, int inputs) {
  if (inputs == 2 && in[0] > in[1]) std::swap(in[0], in[1]);  // adders come sorted
  const auto [entry, fresh] = known_.emplace(std::pair{gate, in}, next_);
  if (!fresh) return entry->second;
  if (gate == Gate::and2 || gate == Gate::or2 || gate == Gate::xor2) driver_[next_] = nodes_.size();
  nodes_.push_back({gate, in, inputs, next_});
  next_ += gate == Gate::half_adder || gate == Gate::full_adder ? 2 : 1;
  return nodes_.back().out;
}

// NAND, NOR or XNOR of the gate that drives x, an inverter behind anything else.
Bit Circuit::inverted(Bit x) {
  const auto driver = driver_.find(x);
  if (driver == driver_.end()) return add_node(Gate::inv, {x}, 1);
  const Node& node = nodes_[driver->second];
  const Gate gate = node.gate == Gate::and2  ? Gate::nand2
                    : node.gate == Gate::or2 ? Gate::nor2
                                             : Gate::xnor2;
  return add_node(gate, node.in, 2);
}

Bit Circuit::inv(Bit x) {
  if (x <= kOne) return x ^ 1;
  if (const auto known = inverse_.find(x); known != inverse_.end()) return known->second;
  const Bit y = inverted(x);
  inverse_[x] = y;
  inverse_[y] = x;
  return y;
}

Bit Circuit::and2(Bit x, Bit y) {
  if (x == kZero || y == kZero) return kZero;
  if (x == kOne || x == y) return y;
  if (y == kOne) return x;
  if (const auto known = inverse_.find(x); known != inverse_.end() && known->second == y)
    return kZero;
  return add_node(Gate::and2, {x, y}, 2);
}

Bit Circuit::or2(Bit x, Bit y) {
  if (x == kOne || y == kOne) return kOne;
  if (x == kZero || x == y) return y;
  if (y == kZero) return x;
  if (const auto known = inverse_.find(x); known != inverse_.end() && known->second == y)
    return kOne;
  return add_node(Gate::or2, {x, y}, 2);
}

Bit Circuit::xor2(Bit x, Bit y) {
  if (x == y) return kZero;
  if (x <= kOne) return x == kZero ? y : inv(y);
  if (y <= kOne) return y == kZero ? x : inv(x);
  return add_node(Gate::xor2, {x, y}, 2);
}

Bit Circuit::mux(Bit when_zero, Bit when_one, Bit select) {
  if (select == kZero || when_zero == when_one) return when_zero;
  if (select == kOne) return when_one;
  if (when_zero == kZero) return and2(when_one, select);
  if (when_one == kZero) return and2(when_zero, inv(select));
  if (when_one == kOne) return or2(when_zero, select);
  if (when_zero == kOne) return or2(when_one, inv(select));
  return add_node(Gate::mux2, {when_zero, when_one, select}, 3);
}

Circuit::Sum Circuit::half_adder(Bit x, Bit y) {
  if (x <= kOne || y <= kOne || x == y) return {xor2(x, y), and2(x, y)};
  const Bit sum = add_node(Gate::half_adder, {x, y}, 2);
  return {sum, sum + 1};
}

Circuit::Sum Circuit::full_adder(Bit x, Bit y, Bit z) {
  std::array<Bit, 3> in{x, y, z};
  if (in[0] > in[1]) std::swap(in[0], in[1]);
  if (in[1] > in[2]) std::swap(in[1], in[2]);
  if (in[0] > in[1]) std::swap(in[0], in[1]);
  if (in[0] == kZero) return half_adder(in[1], in[2]);
  if (in[0] == kOne) return {inv(xor2(in[1], in[2])), or2(in[1], in[2])};
  if (in[0] == in[1]) return {in[2], in[0]};
  if (in[1] == in[2]) return {in[0], in[1]};
  const Bit sum = add_node(Gate::full_adder, in, 3);
  return {sum, sum + 1};
}

std::vector<bool> Circuit::needed(const Word& product) const {
  std::vector<bool> need(next_, false);
  for (Bit bit : product) need[bit] = true;
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    const bool two = node->gate == Gate::half_adder || node->gate == Gate::full_adder;
    if (!need[node->out] && !(two && need[node->out + 1])) continue;
    for (int i = 0; i < node->inputs; ++i) need[node->in[static_cast<std::size_t>(i)]] = true;
  }
  return need;
}

namespace {

// An adder of which one output is used, as plain gates.
NetId half_adder_part(NetlistBuilder& builder, NetId x, NetId y, bool sum) {
  return sum ? builder.xor2(x, y) : builder.and2(x, y);
}
NetId full_adder_part(NetlistBuilder& builder, NetId x, NetId y, NetId z, bool sum) {
  if (sum) return builder.xor2(builder.xor2(x, y), z);
  return builder.or2(builder.and2(x, y), builder.and2(z, builder.or2(x, y)));
}

}  // namespace

Netlist Circuit::netlist(const std::string& name, const Word& product) const {
  const std::vector<bool> need = needed(product);
  NetlistBuilder builder(name);
  std::vector<NetId> net(next_, kNetZero);
  net[kOne] = kNetOne;
  const std::vector<NetId> a = builder.input("A", width_), b = builder.input("B", width_);
  for (std::size_t i = 0; i < a_.size(); ++i) {
    net[a_[i]] = a[i];
    net[b_[i]] = b[i];
  }
  for (const Node& node : nodes_) {
    const NetId x = net[node.in[0]], y = net[node.in[1]], z = net[node.in[2]];
    const bool half = node.gate == Gate::half_adder, full = node.gate == Gate::full_adder;
    const bool sum = need[node.out], carry = (half || full) && need[node.out + 1];
    if (!sum && !carry) continue;
    if (sum && carry) {
      const NetlistBuilder::Sum s = half ? builder.half_adder(x, y) : builder.full_adder(x, y, z);
      net[node.out] = s.sum;
      net[node.out + 1] = s.carry;
    } else if (half || full) {
      net[node.out + (sum ? 0 : 1)] =
          half ? half_adder_part(builder, x, y, sum) : full_adder_part(builder, x, y, z, sum);
    } else {
      net[node.out] = node.gate == Gate::inv    ? builder.inv(x)
                      : node.gate == Gate::mux2 ? builder.mux2(x, y, z)
                                                : builder.add(node.gate, {x, y});
    }
  }
  std::vector<NetId> output;
  for (Bit bit : product) output.push_back(net[bit]);
  builder.output("O", output);
  return builder.take();
}

Bit or_all(Circuit& c, const Word& bits) {
  Bit any = Circuit::kZero;
  for (Bit bit : bits) any = c.or2(any, bit);
  return any;
}

Word and_each(Circuit& c, const Word& bits, Bit enable) {
  Word out;
  for (Bit bit : bits) out.push_back(c.and2(bit, enable));
  return out;
}

Word mux_each(Circuit& c, const Word& when_zero, const Word& when_one, Bit select) {
  Word out;
  for (std::size_t i = 0; i < when_zero.size(); ++i)
    out.push_back(c.mux(when_zero[i], i < when_one.size() ? when_one[i] : Circuit::kZero, select));
  return out;
}

Word resized(Word word, std::size_t size) {
  word.resize(size, Circuit::kZero);
  return word;
}

Word shifted(const Word& word, std::size_t shift, std::size_t size) {
  Word out(shift, Circuit::kZero);
  out.insert(out.end(), word.begin(), word.end());
  return resized(out, size);
}

Word ripple_add(Circuit& c, const Word& x, const Word& y, Bit carry_in, std::size_t size) {
  const Word p = resized(x, size), q = resized(y, size);
  Word sum;
  Bit carry = carry_in;
  for (std::size_t i = 0; i < size; ++i) {
    const Circuit::Sum s = c.full_adder(p[i], q[i], carry);
    sum.push_back(s.sum);
    carry = s.carry;
  }
  return sum;
}

Word negate_if(Circuit& c, const Word& x, Bit negative, bool increment) {
  Word inverted;
  for (Bit bit : x) inverted.push_back(c.xor2(bit, negative));
  if (!increment) return inverted;
  return ripple_add(c, inverted, {}, negative, x.size());
}

Word sum_columns(Circuit& c, std::vector<std::vector<Bit>> columns, std::int64_t constant,
                 std::size_t size) {
  columns.resize(size + 1);
  for (std::size_t i = 0; i < size; ++i)
    if (bit(constant, static_cast<int>(i)) != 0) columns[i].push_back(Circuit::kOne);
  Word x, y;
  for (std::size_t i = 0; i < size; ++i) {
    auto& column = columns[i];
    while (column.size() > 2) {
      const Circuit::Sum s = c.full_adder(column[0], column[1], column[2]);
      column.erase(column.begin(), column.begin() + 3);
      if (s.sum != Circuit::kZero) column.push_back(s.sum);
      if (s.carry != Circuit::kZero) columns[i + 1].push_back(s.carry);
    }
    column.resize(2, Circuit::kZero);
    x.push_back(column[0]);
    y.push_back(column[1]);
  }
  return ripple_add(c, x, y, Circuit::kZero, size);
}

Word array_sum(Circuit& c, const std::vector<Word>& rows, std::int64_t constant, std::size_t size) {
  Word sum(size), carry(size, Circuit::kZero);
  for (std::size_t i = 0; i < size; ++i)
    sum[i] = bit(constant, static_cast<int>(i)) != 0 ? Circuit::kOne : Circuit::kZero;
  for (const Word& row : rows) {
    Word next(size + 1, Circuit::kZero);
    for (std::size_t i = 0; i < size; ++i) {
      const Bit added = i < row.size() ? row[i] : Circuit::kZero;
      const Circuit::Sum s = c.full_adder(sum[i], carry[i], added);
      sum[i] = s.sum;
      next[i + 1] = s.carry;
    }
    next.resize(size);
    carry = next;
  }
  return ripple_add(c, sum, carry, Circuit::kZero, size);
}

Word array_product(Circuit& c, const Word& x, const Word& y) {
  const std::size_t size = x.size() + y.size();
  std::vector<Word> rows;
  for (std::size_t j = 0; j < y.size(); ++j) rows.push_back(shifted(and_each(c, x, y[j]), j, size));
  return array_sum(c, rows, 0, size);
}

Word leading_one_hot(Circuit& c, const Word& x) {
  Word hot(x.size());
  Bit above = Circuit::kZero;
  for (std::size_t i = x.size(); i-- > 0;) {
    hot[i] = c.and2(x[i], c.inv(above));
    above = c.or2(above, x[i]);
  }
  return hot;
}

Word encode(Circuit& c, const Word& one_hot, std::size_t size) {
  Word code(size, Circuit::kZero);
  for (std::size_t i = 0; i < one_hot.size(); ++i)
    for (std::size_t k = 0; k < size; ++k)
      if ((i >> k & 1) != 0) code[k] = c.or2(code[k], one_hot[i]);
  return code;
}

Word shift_by_one_hot(Circuit& c, const Word& x, const Word& one_hot, std::size_t size) {
  Word out(size, Circuit::kZero);
  for (std::size_t i = 0; i < one_hot.size(); ++i)
    for (std::size_t k = 0; k < x.size() && i + k < size; ++k)
      out[i + k] = c.or2(out[i + k], c.and2(x[k], one_hot[i]));
  return out;
}

Word shift_left(Circuit& c, Word x, const Word& amount, std::size_t size) {
  x = resized(x, size);
  for (std::size_t k = 0; k < amount.size(); ++k)
    x = mux_each(c, x, shifted(x, std::size_t{1} << k, size), amount[k]);
  return x;
}

Word fraction_bits(Circuit& c, const Word& x, const Word& one_hot, std::size_t count) {
  Word out(count, Circuit::kZero);
  for (std::size_t r = 0; r < count; ++r)  // r-th bit below the leading one
    for (std::size_t i = r + 1; i < x.size(); ++i)
      out[count - 1 - r] = c.or2(out[count - 1 - r], c.and2(one_hot[i], x[i - 1 - r]));
  return out;
}

std::size_t bits_for(std::size_t n) {
  std::size_t bits = 1;
  while ((std::size_t{1} << bits) < n) ++bits;
  return bits;
}

}  // namespace axmul::detail::designs
