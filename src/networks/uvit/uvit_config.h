// The sizes and options of a U-ViT, and the JSON object that holds them in a model file.
#pragma once

#include <cstdint>
#include <string>

#include "io/json_reader.h"
#include "nn/uncertainty.h"

namespace adadiff::detail {

/// Defaults are the official constructor's where it has one (Bao et al. 2023, libs/uvit.py).
struct UViTConfig {
  std::int64_t image_size = 32;  ///< pixels, square; a multiple of patch_size
  std::int64_t channels = 3;
  std::int64_t patch_size = 4;
  std::int64_t patch_overlap = 0;  ///< pixels by which the patch embedding looks over each side of
                                   ///< its patch, at most patch_size
  std::int64_t width = 512;        ///< D, a multiple of heads
  std::int64_t
      depth = 12;  ///< in- and out-blocks together, even; there is one block more, in the middle
  std::int64_t heads = 8;
  double mlp_ratio = 4;
  bool qkv_bias = false;
  std::int64_t
      label_rows = 0;  ///< rows of the label embedding, the null label's included; 0: unconditional
  bool time_mlp = false;        ///< an MLP on the sinusoid
  bool final_conv = true;       ///< 3x3 convolution after unpatchify
  bool skip = true;             ///< long skip connections
  bool heads_per_exit = false;  ///< norm, linear layer and final convolution of their own for every
                                ///< exit
  bool norm_per_exit = false;   ///< only the norm
  UncertaintyForm uncertainty = UncertaintyForm::TimedMap;

  std::int64_t blocks() const { return depth + 1; }
  std::int64_t patches() const { return (image_size / patch_size) * (image_size / patch_size); }
  std::int64_t patch_values() const { return patch_size * patch_size * channels; }
  std::int64_t extra_tokens() const { return label_rows > 0 ? 2 : 1; }
  std::int64_t tokens() const { return extra_tokens() + patches(); }
  double parameter_count()
      const;  ///< numbers in all tensors; a double, since hostile sizes overflow integers
  std::int64_t mlp_width() const {
    return static_cast<std::int64_t>(static_cast<double>(width) * mlp_ratio);
  }
};

/// Reads and checks every field; unknown ones are refused. Throws the reader's error type.
UViTConfig parse_uvit_config(const JsonReader& json);
/// The object that parse_uvit_config reads back.
std::string to_json(const UViTConfig& config);

}  // namespace adadiff::detail
