// The allow-list. Left out on purpose: save and from_file (files), Print (standard output),
// set_, resize_, as_strided and the like (tensors over other memory), operators of packed
// sequences, sparse and nested tensors (arguments that are trusted), and whatever nobody has asked
// for.
#include "train/script/allowed_operators.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>
#include <string>

namespace axmul::train {
namespace {

// Each also with "_" behind it: in place.
constexpr const char* kPointwise =
    "abs absolute acos acosh add addcdiv addcmul alpha_dropout asin asinh atan atan2 atanh "
    "bernoulli bitwise_and bitwise_not bitwise_or bitwise_xor ceil celu clamp clamp_max clamp_min "
    "clip copysign cos cosh deg2rad div divide dropout elu eq erf erfc erfinv exp exp2 expm1 "
    "feature_alpha_dropout feature_dropout fill floor floor_divide fmod frac ge gelu greater "
    "greater_equal gt hardshrink hardsigmoid hardswish hardtanh heaviside hypot le leaky_relu lerp "
    "less less_equal lgamma log log10 log1p log2 logical_and logical_not logical_or logical_xor "
    "logit lt masked_fill mish mul multiply nan_to_num ne neg negative not_equal pow rad2deg "
    "reciprocal relu relu6 remainder round rrelu rsqrt rsub selu sgn sigmoid sign silu sin sinc "
    "sinh softplus softshrink sqrt square sub subtract tan tanh threshold tril triu "
    "true_divide trunc where xlogy zero normal uniform random exponential geometric cauchy "
    "log_normal squeeze unsqueeze transpose t swapaxes swapdims detach requires_grad index_add "
    "index_copy index_fill index_put scatter scatter_add scatter_reduce masked_scatter cumsum "
    "cumprod baddbmm addmm addmv addbmm addr renorm fill_diagonal copy float_power nextafter "
    "logaddexp logaddexp2 maximum minimum fmax fmin ldexp __and__ __or__ __xor__ __lshift__ "
    "__rshift__ __iand__ __ior__ __ixor__ __ilshift__ __irshift__";

constexpr const char* kTensors =
    // convolutions, products, attention, recurrent layers
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d convolution "
    "_convolution _convolution_mode conv_tbc thnn_conv2d slow_conv3d mkldnn_convolution linear "
    "bilinear matmul mm bmm mv dot inner outer ger vdot einsum tensordot chain_matmul kron cross "
    "_trilinear cdist scaled_dot_product_attention _scaled_dot_product_attention "
    "_native_multi_head_attention _transformer_encoder_layer_fwd lstm gru rnn_tanh rnn_relu "
    "lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell "
    // normalisation, pooling, resizing, padding
    "batch_norm native_batch_norm _native_batch_norm_legit _batch_norm_impl_index layer_norm "
    "native_layer_norm group_norm native_group_norm instance_norm rms_norm "
    "_weight_norm _weight_norm_interface norm_except_dim cosine_similarity pairwise_distance "
    "avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d "
    "max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices adaptive_avg_pool1d "
    "adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d "
    "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d max_unpool2d max_unpool3d "
    "upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d "
    "_upsample_nearest_exact2d _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d "
    "upsample_bicubic2d upsample_trilinear3d _upsample_bilinear2d_aa _upsample_bicubic2d_aa "
    "__interpolate __upsample __upsample_bilinear __upsample_nearest grid_sampler grid_sampler_2d "
    "grid_sampler_3d affine_grid_generator pixel_shuffle pixel_unshuffle channel_shuffle "
    "native_channel_shuffle pad constant_pad_nd reflection_pad1d reflection_pad2d "
    "reflection_pad3d replication_pad1d replication_pad2d replication_pad3d _pad_circular "
    "_pad_enum im2col col2im "
    // activations and losses
    "softmax log_softmax _softmax _log_softmax log_sigmoid glu prelu "
    "native_dropout _fused_dropout cross_entropy_loss nll_loss nll_loss2d nll_loss_nd mse_loss "
    "l1_loss smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits "
    "kl_div embedding one_hot "
    // shapes and pieces
    "view view_as reshape reshape_as _unsafe_view _reshape_alias flatten unflatten ravel expand "
    "expand_as broadcast_to broadcast_tensors repeat repeat_interleave tile permute movedim "
    "moveaxis numpy_T mT contiguous clone alias cat concat concatenate stack hstack vstack dstack "
    "row_stack column_stack split split_with_sizes chunk unsafe_chunk unsafe_split "
    "unsafe_split_with_sizes tensor_split unbind narrow select slice index index_select gather "
    "take take_along_dim masked_select nonzero argwhere diag diagonal diag_embed diagflat flip "
    "fliplr flipud roll rot90 unfold meshgrid block_diag atleast_1d atleast_2d atleast_3d "
    "select_scatter slice_scatter diagonal_scatter size sym_size numel sym_numel dim stride "
    "sym_stride storage_offset element_size "
    // sums and orders
    "sum mean nansum nanmean prod std var std_mean var_mean amax amin aminmax max min argmax "
    "argmin all any norm frobenius_norm nuclear_norm linalg_norm linalg_vector_norm "
    "linalg_matrix_norm median nanmedian mode logsumexp cummax cummin logcumsumexp topk sort "
    "argsort kthvalue count_nonzero dist trace allclose equal isclose isfinite isinf isnan "
    "is_nonzero trapz trapezoid cumulative_trapezoid diff bincount "
    // dense algebra that weights are made with
    "det logdet slogdet inverse linalg_inv linalg_det linalg_solve linalg_qr linalg_svd "
    "linalg_svdvals linalg_eigh linalg_cholesky linalg_matrix_power linalg_matrix_exp "
    "linalg_householder_product linalg_multi_dot linalg_solve_triangular linalg_matmul "
    "linalg_cross "
    "linalg_diagonal matrix_power matrix_exp cholesky qr svd pinverse linalg_pinv "
    // Fourier transforms
    "fft_fft fft_ifft fft_rfft fft_irfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_fftn "
    "fft_ifftn fft_rfftn fft_irfftn fft_fftshift fft_ifftshift real imag view_as_real "
    "view_as_complex complex polar angle conj conj_physical _conj resolve_conj resolve_neg "
    // new tensors
    "zeros ones full empty rand randn randint randperm arange range linspace logspace eye "
    "zeros_like ones_like full_like empty_like rand_like randn_like randint_like new_zeros "
    "new_ones "
    "new_full new_empty scalar_tensor tensor as_tensor tril_indices triu_indices hann_window "
    "hamming_window multinomial _no_grad_fill_ _no_grad_normal_ _no_grad_uniform_ _no_grad_zero_ "
    // types and flags
    "to type_as cpu data item _local_scalar_dense dequantize quantize_per_tensor "
    "quantize_per_channel quantize_per_tensor_dynamic int_repr q_scale q_zero_point qscheme "
    "fake_quantize_per_tensor_affine fake_quantize_per_channel_affine "
    "fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask "
    "quantized_max_pool2d promote_types result_type can_cast is_floating_point is_complex "
    "is_signed "
    "is_contiguous is_same_size is_conj is_neg is_inference is_leaf is_pinned get_device device "
    "_cast_Byte _cast_Char _cast_Double _cast_Float _cast_Half _cast_Int _cast_Long _cast_Short "
    "_shape_as_tensor _dim_arange _grad_sum_to_size sum_to_size _size_if_not_equal lift lift_fresh "
    "lift_fresh_copy positive";

// Numbers, texts and containers.
constexpr const char* kLanguage =
    "Bool Int Float Complex IntImplicit FloatImplicit ComplexImplicit ScalarImplicit Size "
    "__contains__ __derive_index __getitem__ __is__ __isnot__ __not__ __range_length "
    "__round_to_zero_floordiv _get_tracing_state _infer_size _list_to_tensor _tensor_to_list "
    "_set_item _unwrap_optional Delete append extend insert remove pop popitem clear copy count "
    "reverse sorted list dict keys values items get setdefault update len str ord chr hex oct bin "
    "format percentFormat join find rfind startswith endswith strip lstrip rstrip lower upper "
    "title capitalize isdigit isalpha isalnum isspace islower isupper rsplit splitlines partition "
    "rpartition divmod floordiv fabs gcd degrees radians frexp modf mathremainder factorial gamma "
    "warn is_scripting is_grad_enabled is_autocast_enabled is_autocast_cpu_enabled "
    "has_torch_function";

constexpr const char* kPrim =
    "Constant Param Return If Loop LoopContinuation GetAttr SetAttr CallFunction CallMethod "
    "Closure "
    "ListConstruct ListUnpack TupleConstruct TupleUnpack TupleIndex TupleSlice DictConstruct "
    "CreateObject RaiseException Uninitialized unchecked_cast unchecked_unwrap_optional isinstance "
    "annotate NumToTensor ConstantChunk StringIndex ModuleContainerIndex abs add_optional data "
    "device dtype layout grad requires_grad index is_cpu is_cuda is_meta is_mkldnn is_mps "
    "is_nested "
    "is_ort is_quantized is_sparse is_sparse_csr is_vulkan is_xpu is_ipu is_xla is_mtia "
    "itemsize max min name nbytes rangelist shape tolist type id "
    "tensor_shape EnumName EnumValue IfThenElse fork awaitable awaitable_wait Enter Exit "
    "profile_ivalue";

constexpr const char* kQuantized =
    "add add_relu add_scalar add_scalar_relu mul mul_relu mul_scalar mul_scalar_relu cat cat_relu "
    "batch_norm batch_norm1d batch_norm2d batch_norm2d_relu batch_norm3d clamp conv1d conv1d_relu "
    "conv1d_prepack conv1d_unpack conv2d conv2d_relu conv2d_prepack conv2d_unpack conv2d_stride "
    "conv2d_padding conv2d_dilation conv2d_groups conv2d_transpose conv2d_output_padding conv3d "
    "conv3d_relu conv3d_prepack conv3d_unpack dropout elu hardswish leaky_relu linear linear_relu "
    "linear_dynamic linear_relu_dynamic linear_prepack linear_unpack linear_dynamic_fp16 "
    "linear_prepack_fp16 linear_unpack_fp16 conv_transpose1d conv_transpose1d_prepack "
    "conv_transpose1d_unpack conv_transpose2d conv_transpose2d_prepack conv_transpose2d_unpack "
    "conv_transpose3d conv_transpose3d_prepack conv_transpose3d_unpack relu6 sigmoid softmax "
    "layer_norm group_norm instance_norm max_pool2d prelu threshold celu";

std::set<std::string, std::less<>> make_list() {
  std::set<std::string, std::less<>> list;
  const auto add = [&](const char* space, const char* names, bool in_place) {
    std::istringstream words(names);
    for (std::string word; words >> word;) {
      list.insert(std::string(space) + word);
      if (in_place) list.insert(std::string(space) + word + "_");
    }
  };
  add("aten::", kPointwise, true);
  add("aten::", kTensors, false);
  add("aten::", kLanguage, false);
  add("aten::", "wait", false);  // for what prim::fork began
  add("prim::", kPrim, false);
  add("quantized::", kQuantized, false);
  add("axmul::", "lut_conv2d lut_linear", false);
  return list;
}

}  // namespace

bool is_allowed_operator(std::string_view name) {
  static const auto list = make_list();
  return list.contains(name);
}

bool is_allowed_native_class(std::string_view name) {
  constexpr std::array kClasses = {"__torch__.torch.classes.quantized.Conv2dPackedParamsBase",
                                   "__torch__.torch.classes.quantized.Conv3dPackedParamsBase",
                                   "__torch__.torch.classes.quantized.LinearPackedParamsBase"};
  return std::any_of(kClasses.begin(), kClasses.end(),
                     [&](const char* known) { return name == known; });
}

}  // namespace axmul::train
