// Layers as plain structs of tensors, and the functions that apply them. The same code runs with
// and without gradients.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <ATen/core/Tensor.h>

namespace adadiff::detail {

using ParameterVisitor = std::function<void(const std::string& name, at::Tensor& tensor)>;

struct Linear {
  at::Tensor weight;  ///< [out, in]
  at::Tensor bias;    ///< [out] or undefined
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
};

struct LayerNorm {
  at::Tensor weight, bias;  ///< [width]
  double eps = 1e-5;
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
};

struct GroupNorm {
  at::Tensor weight, bias;  ///< [channels]
  std::int64_t groups = 32;
  double eps = 1e-5;
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
};

struct Conv2d {
  at::Tensor weight;  ///< [out, in, kernel, kernel]
  at::Tensor bias;    ///< [out]
  void visit(const std::string& prefix, const ParameterVisitor& visitor);
};

/// Make layers of these shapes; their numbers come from a file or from initialise().
Linear make_linear(std::int64_t in, std::int64_t out, bool bias = true);
LayerNorm make_layer_norm(std::int64_t width);
GroupNorm make_group_norm(std::int64_t channels, std::int64_t groups, double eps);
Conv2d make_conv(std::int64_t in, std::int64_t out, std::int64_t kernel);

at::Tensor apply(const Linear& layer, const at::Tensor& x);     ///< [..., in] -> [..., out]
at::Tensor apply(const LayerNorm& layer, const at::Tensor& x);  ///< over the last dimension
at::Tensor apply(const GroupNorm& layer, const at::Tensor& x);  ///< [B, channels, H, W]
at::Tensor apply(const Conv2d& layer,
                 const at::Tensor& x);  ///< [B, in, H, W] -> [B, out, H, W], zero padding, stride 1

/// layer(concat(left, right)) without the concatenation: [..., in/2] twice -> [..., out].
at::Tensor apply_to_pair(const Linear& layer, const at::Tensor& left, const at::Tensor& right);

/// The exact (erf) GELU; it works in place where no gradient is wanted.
at::Tensor exact_gelu(at::Tensor x);
/// GELU by its tanh approximation; in place where no gradient is wanted.
at::Tensor tanh_gelu(at::Tensor x);

/// The rows of a fused projection to queries, keys and values.
enum class QkvOrder {
  ByPart,  ///< all queries, then all keys, then all values, each head-major
  ByHead   ///< the queries, keys and values of the first head, then those of the next
};

/// Self-attention over [B, L, D] from a fused projection. Returns [B, L, D], before the output
/// projection.
at::Tensor attention(const Linear& qkv, const at::Tensor& x, std::int64_t heads,
                     QkvOrder order = QkvOrder::ByPart);

/// [cos(t f_0..), sin(t f_0..)] with f_i = 10000^(-i / (half - shift)), half = width / 2, padded
/// with a zero for odd widths: [B] -> [B, width]. The shift is 1 in diffusers and 0 elsewhere.
at::Tensor sinusoid(const at::Tensor& time, std::int64_t width, std::int64_t shift = 0);

/// Brings each token of x [B, L, D] to mean 0 and variance 1, multiplies it by 1 + scale and adds
/// shift; scale and shift are [B, 1, D].
at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale,
                          double eps);

/// [B, C, H, W] -> [B, (H/p)(W/p), C p p], in the input order of a patch convolution's weight
/// [D, C, p, p].
at::Tensor patchify(const at::Tensor& x, std::int64_t patch);
/// [B, (H/p)(W/p), p p C] with value order (p1, p2, C) -> [B, C, H, W], for a square image of
/// `size` pixels.
at::Tensor unpatchify(const at::Tensor& tokens, std::int64_t channels, std::int64_t patch,
                      std::int64_t size);
/// The same for an image of `height` x `width` pixels.
at::Tensor unpatchify(const at::Tensor& tokens, std::int64_t channels, std::int64_t patch,
                      std::int64_t height, std::int64_t width);

/// Draw every number of a tensor uniformly from [-bound, bound], or normally with a standard
/// deviation, as a pure function of (seed, name).
void fill_uniform_(at::Tensor& tensor, double bound, std::uint64_t seed, const std::string& name);
void fill_normal_(at::Tensor& tensor, double deviation, std::uint64_t seed,
                  const std::string& name);

}  // namespace adadiff::detail
