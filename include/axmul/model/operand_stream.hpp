// Which operand pairs, and which changes of them, a multiplier sees in a network's layer: samples
// of the traced operands that energies are estimated from.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "axmul/core/api.hpp"
#include "axmul/model/layer_operands.hpp"
#include "axmul/stats/operand_pairs.hpp"

namespace axmul {

/// Which operand stays while the other moves on.
enum class Held : std::uint8_t {
  none,  ///< neither: successive pairs are independent of each other
  a,     ///< an activation meets the weights of one output channel after another
  b      ///< a weight meets one receptive field after another (weight-stationary)
};
AXMUL_API std::string_view to_string(Held held);

struct AXMUL_API StreamOptions {
  Held held = Held::none;
  std::size_t pairs = 65536;
};

/// Pairs (activation, weight) of one tap, and with `held` what follows each: for b the next traced
/// receptive field in the file's order at the same tap, for a the next output channel's weight at
/// the same tap. The held operand is stratified: where all are sorted by its value, every n-th of
/// all (tap, channel) or (tap, receptive field) is taken, at a place of the other operand that
/// Philox draws, so that the same layer gives the same pairs; without `held` b is the stratified
/// one. Layers of histograms have no order: operands are drawn from them, and the
/// moving operand's successors independently of it.
/// The operands are those that a multiplier of that type is given: magnitudes for u8u8 where the
/// layer's are signed. Throws InputError AX721 where the layer's operands do not suit the type
/// (can_use()), or a held operand has nothing that follows: one receptive field, or one channel.
AXMUL_API OperandPairs layer_pairs(const LayerOperands& layer, OperandType type,
                                   const StreamOptions& options = {});

}  // namespace axmul
