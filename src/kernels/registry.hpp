// Which kernels there are, which a CPU can run, and which is best for a product.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "kernels/engine.hpp"

namespace axmul::detail {

/// CPU features, one bit each.
inline constexpr unsigned kAvx2 = 1;
inline constexpr unsigned kAvx512 = 2;    ///< F, BW, VL
inline constexpr unsigned kVnni = 4;      ///< AVX512-VNNI, with kAvx512
inline constexpr unsigned kVbmi = 8;      ///< AVX512-VBMI, with kAvx512
inline constexpr unsigned kAvxVnni = 16;  ///< AVX-VNNI: the same on 256 bits

/// What this CPU (and operating system) can run.
unsigned cpu_features();

/// Share of the commonest activation from which on skipping it is worth while
/// (src/kernels/README.md); below it nobody need find out whether a table allows it.
inline constexpr double kSparseShare = 0.95;

/// What the choice of a kernel depends on, and nothing else.
struct Traits {
  GemmShape shape;
  bool outer = false;      ///< the table is u(a)*v(b) with factors that fit 16 bits
  bool sparse = false;     ///< derived entries relative to the commonest value fit 15 bits
  double skip_share = 0;   ///< share of activations that have the commonest value (estimate)
  double entry_work = 0;   ///< what a look-up by permutes costs (permute_work); 0: does not fit
  double rest_work = 0;    ///< the same for what is left beside 8-bit products
  bool is_digits = false;  ///< the table is a sum of `digits` products of bytes
  std::size_t digits = 0;
};

/// What a kernel asks of a table.
enum class Fit : std::uint8_t {
  any,
  outer,    ///< Traits::outer
  digits,   ///< Traits::is_digits
  entries,  ///< Traits::entry_work
  rests,    ///< Traits::rest_work
  sparse    ///< Traits::sparse
};

/// A line of kernels.def: all that is known of a kernel.
struct Kernel {
  const char* name;
  unsigned needs;  ///< features
  void (*run)(const Problem&);
  Fit fit;
  std::size_t least_rows;  ///< from which on it is chosen
  GemmShape tile;          ///< n and m are computed in multiples of these
  /// Products a cycle with up to 16, 32 and more output channels, as measured (bench/README.md);
  /// of look-ups per unit of work. 0: only when forced.
  double speed[3];
  const char* purpose;
};

/// All kernels of this build, best first.
std::span<const Kernel> registry();

/// Whether a kernel can compute a product of these traits at all.
bool can_compute(const Kernel& kernel, const Traits& traits);

/// Estimated cycles of a product: a pure function of the line and the traits.
double cost(const Kernel& kernel, const Traits& traits);

/// Whether a kernel of that kind is the forced one, or for an empty name may be chosen on that CPU.
bool may_take(Fit fit, const std::string& forced, unsigned features);

/// The cheapest kernel for a product on a CPU: a pure function, so it is tested for CPUs we lack.
const Kernel& select_kernel(const Traits& traits, unsigned features);

/// The kernel of that name. Throws UnavailableError AX602 where there is none, the CPU lacks what
/// it needs, or it cannot compute the product.
const Kernel& forced_kernel(const std::string& name, const Traits& traits, unsigned features);

/// Whether that forced kernel, or the free choice for an empty name, may be the byte-permute one on
/// this CPU.
bool permute_is_wanted(const std::string& forced);

/// The byte-permute kernel. Throws UnavailableError AX602 where this CPU cannot run it.
const Kernel& permute_kernel();

std::string features_text(unsigned features);

}  // namespace axmul::detail
