// An AND-XOR graph as a netlist, for simulators that take netlists.
#pragma once

#include <vector>

#include "netlist/xag.hpp"

namespace axmul::detail {

/// net_of[node] is the net that carries the node uninverted. Inputs A and B, output O.
struct GraphNetlist {
  Netlist netlist;
  std::vector<NetId> a, b;
  std::vector<NetId> net_of;
};

GraphNetlist to_netlist(const Xag& graph, std::size_t a_bits, std::size_t b_bits);

}  // namespace axmul::detail
