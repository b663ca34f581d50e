// The sizes and options of a U-ViT, and the JSON object that holds them in a model file.
#pragma once

#include <cstdint>
#include <string>

#include "io/json_reader.h"
#include "nn/uncertainty.h"

namespace adadiff::detail {

/// The defaults are those of the official constructor where it has one (Bao et al. 2023,
/// libs/uvit.py).
struct UViTConfig {
  std::int64_t image_size = 32;  ///< pixels, square; a multiple of patch_size
  std::int64_t channels = 3;
  std::int64_t patch_size = 4;
  std::int64_t patch_overlap = 0;  ///< pixels by which the patch embedding reaches beyond each side
                                   ///< of its patch, at most patch_size
  std::int64_t width = 512;        ///< D, a multiple of heads
  /// The number of in-blocks and out-blocks together, which is even; there is one more block in the
  /// middle.
  std::int64_t depth = 12;
  std::int64_t heads = 8;
  double mlp_ratio = 4;
  bool qkv_bias = false;
  /// Rows of the label embedding, including that of the null label; 0: unconditional.
  std::int64_t label_rows = 0;
  bool time_mlp = false;        ///< an MLP on the sinusoid
  bool final_conv = true;       ///< 3x3 convolution after unpatchify
  bool skip = true;             ///< long skip connections
  bool heads_per_exit = false;  ///< a separate norm, linear layer and final convolution for every
                                ///< exit
  bool norm_per_exit = false;   ///< only a separate norm for every exit
  UncertaintyForm uncertainty = UncertaintyForm::TimedMap;

  std::int64_t blocks() const { return depth + 1; }
  std::int64_t patches() const { return (image_size / patch_size) * (image_size / patch_size); }
  std::int64_t patch_values() const { return patch_size * patch_size * channels; }
  UncertaintySizes uncertainty_sizes() const { return {patches(), width, width, patch_values()}; }
  std::int64_t extra_tokens() const { return label_rows > 0 ? 2 : 1; }
  std::int64_t tokens() const { return extra_tokens() + patches(); }
  UViTConfig with_exit_heads() const;  ///< leaves norms per exit as they are
  /// The number of values in all tensors; a double, since hostile sizes overflow integers.
  double parameter_count() const;
  std::int64_t mlp_width() const {
    return static_cast<std::int64_t>(static_cast<double>(width) * mlp_ratio);
  }
};

/// Reads and checks every field; unknown fields are refused. Throws the reader's error type.
UViTConfig parse_uvit_config(const JsonReader& json);
/// The object that parse_uvit_config reads back.
std::string to_json(const UViTConfig& config);

}  // namespace adadiff::detail
