// Circuits that the netlist tests share, built gate by gate.
#pragma once

#include <vector>

#include "axmul/netlist/netlist.hpp"

namespace axmul::test {

/// Carry-save array multiplier of half and full adders with a ripple row, ports A, B, O.
inline Netlist array_multiplier(int width) {
  const auto n = static_cast<std::size_t>(width);
  NetlistBuilder builder("mul" + std::to_string(width) + "u_array");
  const auto a = builder.input("A", width);
  const auto b = builder.input("B", width);
  std::vector<std::vector<NetId>> columns(2 * n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) columns[i + j].push_back(builder.and2(a[i], b[j]));
  std::vector<NetId> out;
  for (std::size_t c = 0; c < 2 * n; ++c) {
    auto& column = columns[c];
    while (column.size() > 1) {
      const bool full = column.size() > 2;
      const auto sum = full ? builder.full_adder(column[0], column[1], column[2])
                            : builder.half_adder(column[0], column[1]);
      column.erase(column.begin(), column.begin() + (full ? 3 : 2));
      column.push_back(sum.sum);
      if (c + 1 < 2 * n) columns[c + 1].push_back(sum.carry);
    }
    out.push_back(column.empty() ? kNetZero : column[0]);
  }
  builder.output("O", out);
  return builder.take();
}

/// O = A & ~B, bit by bit: every entry tells the operands' order.
inline Netlist asymmetric_netlist() {
  NetlistBuilder builder("mul8u_asymmetric");
  const auto a = builder.input("A", 8);
  const auto b = builder.input("B", 8);
  std::vector<NetId> out;
  for (std::size_t i = 0; i < 8; ++i) out.push_back(builder.and2(a[i], builder.inv(b[i])));
  builder.output("O", out);
  return builder.take();
}

}  // namespace axmul::test
