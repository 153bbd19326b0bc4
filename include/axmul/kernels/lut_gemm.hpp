// LUT GEMM: matrix products and convolutions whose every multiplication is a table look-up,
// y[n,m] = sum over k of lut(a[n,k], b[k,m]), bit-exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "axmul/core/api.hpp"
#include "axmul/core/lut.hpp"

namespace axmul {

/// Size of a product: a is [n, k], b is [k, m], y is [n, m], all row-major. n: rows (receptive
/// fields), k: fan-in, m: output channels. Any of them may be 0.
struct AXMUL_API GemmShape {
  std::size_t n = 0;
  std::size_t k = 0;
  std::size_t m = 0;
};

struct AXMUL_API LutGemmOptions {
  std::size_t a_stride = 0;  ///< elements from one row of a to the next; 0 = k
  std::size_t b_stride = 0;  ///< elements from one row of b to the next; 0 = m
  std::size_t y_stride = 0;  ///< elements from one row of y to the next; 0 = m
  int threads = 0;           ///< 0 = default_threads(); the result is the same for any count
  /// A registered kernel by name; empty = the environment's AXMUL_KERNEL, else the selector's.
  std::string kernel;
};

/// Smallest accumulator that cannot overflow for these weights and any activations.
enum class Accumulator : std::uint8_t { int32, int64 };

/// int32 when for every output channel m the sum over k of max over a of |lut(a, b[k,m])| is below
/// 2^31, so that neither the result nor any partial sum can leave int32; else int64. b: bit
/// patterns, [shape.k, shape.m], b_stride as in LutGemmOptions (0 = m); shape.n is not used.
AXMUL_API Accumulator required_accumulator(const Lut& lut, const GemmShape& shape,
                                           std::span<const std::uint8_t> b,
                                           std::size_t b_stride = 0);

/// The same for any weights: int32 when fan_in · (lut.largest() + beside) is below 2^31. beside:
/// the largest |number| that the caller adds to each product himself.
AXMUL_API Accumulator required_accumulator(const Lut& lut, std::size_t fan_in,
                                           std::int64_t beside = 0);

/// y[n,m] = sum over k of lut(a[n,k], b[k,m]). Operands are two's-complement bit patterns: the byte
/// of an s8 operand of value -1 is 255. Gaps between strided rows of y are not written.
/// Throws UsageError AX600 where a span is too short for shape and strides or a stride is smaller
/// than its row, InputError AX601 where int32 could overflow (naming K, the channel and the bound),
/// UnavailableError AX602 for a kernel that is unknown, not supported by this CPU, or cannot
/// compute this table.
AXMUL_API void lut_gemm(const Lut& lut, const GemmShape& shape, std::span<const std::uint8_t> a,
                        std::span<const std::uint8_t> b, std::span<std::int32_t> y,
                        const LutGemmOptions& options = {});
/// The same with 64-bit sums, which no table and fan-in overflow: never throws AX601.
AXMUL_API void lut_gemm(const Lut& lut, const GemmShape& shape, std::span<const std::uint8_t> a,
                        std::span<const std::uint8_t> b, std::span<std::int64_t> y,
                        const LutGemmOptions& options = {});

/// A product prepared for fixed weights and table and used over many batches of activations.
/// run() is const and may be called from several threads at once. The weights are copied.
class AXMUL_API LutGemmPlan {
 public:
  /// b: bit patterns [k, m]; options.b_stride and options.kernel are used. Throws as lut_gemm.
  LutGemmPlan(const Lut& lut, std::size_t k, std::size_t m, std::span<const std::uint8_t> b,
              const LutGemmOptions& options = {});
  ~LutGemmPlan();
  LutGemmPlan(LutGemmPlan&&) noexcept;
  LutGemmPlan& operator=(LutGemmPlan&&) noexcept;

  std::size_t k() const;
  std::size_t m() const;
  Accumulator accumulator() const;

  /// y[n,m] for a[n,k]; a_stride, y_stride and threads of the options are used.
  void run(std::size_t n, std::span<const std::uint8_t> a, std::span<std::int32_t> y,
           const LutGemmOptions& options = {}) const;
  void run(std::size_t n, std::span<const std::uint8_t> a, std::span<std::int64_t> y,
           const LutGemmOptions& options = {}) const;

  /// Name of the kernel that run() uses for these activations.
  std::string kernel_for(std::size_t n, std::span<const std::uint8_t> a,
                         std::size_t a_stride = 0) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Order of a batch of images: nhwc = [batch, height, width, channel], nchw = [batch, channel,
/// height, width]. Input and output of a convolution have the same one.
enum class TensorLayout : std::uint8_t { nhwc, nchw };

/// A two-dimensional convolution (cross-correlation, as neural networks use the word).
struct AXMUL_API Conv2dShape {
  std::size_t batch = 1;
  std::size_t in_height = 0, in_width = 0, in_channels = 0;
  std::size_t out_channels = 0;
  std::size_t kernel_height = 1, kernel_width = 1;
  std::size_t stride_height = 1, stride_width = 1;
  std::size_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  std::size_t dilation_height = 1, dilation_width = 1;
  std::size_t groups = 1;  ///< divides in_channels and out_channels; = in_channels: depthwise
  TensorLayout layout = TensorLayout::nchw;
  /// Bit pattern that padded taps have: the activations' zero point. A padded tap is multiplied
  /// like any other, lut(zero point, w).
  std::uint8_t padding_value = 0;

  /// Size of the output; 0 where the (dilated) kernel is larger than the padded image.
  std::size_t out_height() const;
  std::size_t out_width() const;
  /// Multiplications per output: in_channels / groups * kernel_height * kernel_width.
  std::size_t fan_in() const;
  std::size_t input_size() const;
  std::size_t weight_size() const;
  std::size_t output_size() const;
};

/// Convolution with table look-ups, equal to lut_gemm on the patches. x: bit patterns in the
/// layout; w: bit patterns [groups, fan_in, out_channels / groups], the fan-in ordered by (input
/// channel of the group, kernel row, kernel column) as in the trace files, whatever the layout;
/// output channel g · out_channels/groups + j belongs to group g. y: sums, in the layout.
/// Of the options threads and kernel are used; spans must hold exactly the tensors' sizes.
/// Throws UsageError AX600 (sizes, zero strides, groups that do not divide), AX601 and AX602 as
/// lut_gemm.
AXMUL_API void lut_conv2d(const Lut& lut, const Conv2dShape& shape, std::span<const std::uint8_t> x,
                          std::span<const std::uint8_t> w, std::span<std::int32_t> y,
                          const LutGemmOptions& options = {});
AXMUL_API void lut_conv2d(const Lut& lut, const Conv2dShape& shape, std::span<const std::uint8_t> x,
                          std::span<const std::uint8_t> w, std::span<std::int64_t> y,
                          const LutGemmOptions& options = {});

/// One registered kernel, as `axmul bench --list` shows it.
struct AXMUL_API KernelInfo {
  std::string name;
  std::string purpose;     ///< one line: for which tables and operands, and how
  std::string needs;       ///< CPU features, e.g. "AVX2"; empty = none
  bool compiled = false;   ///< in this build
  bool supported = false;  ///< and this CPU can run it
};

/// All kernels, best first; the last is the scalar reference.
AXMUL_API std::vector<KernelInfo> lut_gemm_kernels();

/// The kernel that lut_gemm would use for these operands and options (AXMUL_KERNEL honoured).
AXMUL_API std::string lut_gemm_kernel_for(const Lut& lut, const GemmShape& shape,
                                          std::span<const std::uint8_t> a,
                                          std::span<const std::uint8_t> b,
                                          const LutGemmOptions& options = {});

/// The kernel that really computed the last lut_gemm, plan or convolution call of this thread;
/// empty before the first. For tests and reports; the micro-kernels themselves set it.
AXMUL_API std::string last_lut_gemm_kernel();

}  // namespace axmul
