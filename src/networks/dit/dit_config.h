// The sizes and options of a DiT, and the JSON object that holds them in a model file.
#pragma once

#include <cstdint>
#include <string>

#include "io/json_reader.h"
#include "nn/uncertainty.h"

namespace adadiff::detail {

/// The defaults are those of the official constructor where it has one (Peebles & Xie 2023,
/// models.py).
struct DiTConfig {
  std::int64_t image_size = 32;  ///< pixels, square; a multiple of patch_size
  std::int64_t channels = 4;
  std::int64_t patch_size = 2;
  std::int64_t width = 1152;  ///< D, a multiple of heads and of 4
  std::int64_t depth = 28;    ///< blocks
  std::int64_t heads = 16;
  double mlp_ratio = 4;
  std::int64_t label_rows = 0;          ///< rows of the label embedding; 0: unconditional
  std::int64_t time_frequencies = 256;  ///< width of the sinusoid before its MLP
  std::int64_t frequency_shift = 0;     ///< shift of the sinusoid: 0 in the official code, 1 in
                                        ///< diffusers
  double attention_norm_eps = 1e-6, mlp_norm_eps = 1e-6;  ///< diffusers has 1e-5 for the second
  bool learned_variance = false;  ///< the head also gives variances, which DDPM uses
  bool heads_per_exit = false;    ///< a separate final layer for every exit
  UncertaintyForm uncertainty = UncertaintyForm::TimedMap;

  std::int64_t patches() const { return (image_size / patch_size) * (image_size / patch_size); }
  std::int64_t patch_values() const { return patch_size * patch_size * channels; }
  UncertaintySizes uncertainty_sizes() const { return {patches(), width, width, patch_values()}; }
  std::int64_t head_channels() const { return learned_variance ? 2 * channels : channels; }
  std::int64_t head_values() const { return patch_size * patch_size * head_channels(); }
  std::int64_t mlp_width() const {
    return static_cast<std::int64_t>(static_cast<double>(width) * mlp_ratio);
  }
  std::int64_t blocks() const { return depth; }
  DiTConfig with_exit_heads() const;
  double parameter_count() const;  ///< a double, since hostile sizes overflow integers
};

/// Reads and checks every field; unknown fields are refused. Throws the reader's error type.
DiTConfig parse_dit_config(const JsonReader& json);
/// The object that parse_dit_config reads back.
std::string to_json(const DiTConfig& config);

}  // namespace adadiff::detail
