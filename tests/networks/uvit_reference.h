// A second U-ViT, written from docs/model_format.md in double and without our layers, that can also
// make each classic mistake on purpose.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace adadiff::testing {

using TensorMap = std::map<std::string, at::Tensor>;

/// The keys of a model file's "network" that the arithmetic needs.
struct ReferenceSizes {
  std::int64_t image = 0, channels = 0, patch = 0, width = 0, depth = 0, heads = 0;
  bool skip = true;
};

enum class QkvRows { QueryKeyValue, KeyQueryValue, HeadMajorOutside };

/// What the reference does; the defaults are right, every other value is a mistake that a port
/// could make.
struct ReferenceChoices {
  double norm_eps = 1e-5;
  bool tanh_gelu = false;
  bool sine_first = false;
  bool divisor_half_minus_one = false;
  bool channel_first_patches = false;
  QkvRows qkv_rows = QkvRows::QueryKeyValue;
  bool skip_first = false;         ///< concat(skip, x) in place of concat(x, skip)
  bool skips_in_order = false;     ///< first in, first out
  bool time_before_label = false;  ///< token order time, label, patches
};

struct ReferenceOutputs {
  std::vector<at::Tensor> predictions;    ///< [blocks] of [B, C, H, W] double
  std::vector<at::Tensor> uncertainties;  ///< [blocks] of [B, C, H, W] double ([B] for the scalar
                                          ///< form) where there are `uem.*` or `lte_classifer.*`
};

/// `tensors` carry official names (either UEM naming). time [B] float32; labels [B] int64 or
/// undefined.
ReferenceOutputs run_reference(const TensorMap& tensors, const ReferenceSizes& sizes,
                               const ReferenceChoices& choices, const at::Tensor& x,
                               const at::Tensor& time, const at::Tensor& labels);

}  // namespace adadiff::testing
