// The sizes and options of a UNet, and the JSON object that holds them in a model file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/names.h"
#include "io/json_reader.h"
#include "nn/uncertainty.h"

namespace adadiff::detail {

/// How features change their resolution between two levels.
enum class UNetResampling {
  Convolution,  ///< a convolution of stride 2; nearest neighbours, then a convolution
  Plain,        ///< the mean of 2x2 cells; nearest neighbours
  Residual      ///< as Plain, inside a residual block of its own
};

inline constexpr Named<UNetResampling> kUNetResamplings[] = {
    {UNetResampling::Convolution, "convolution"},
    {UNetResampling::Plain, "plain"},
    {UNetResampling::Residual, "residual"}};

/// The defaults are those of ADM (Dhariwal & Nichol 2021, guided_diffusion/unet.py) where it has
/// one. Level l has 1 / 2^l of the image's height and width.
struct UNetConfig {
  std::int64_t image_height = 32, image_width = 32;  ///< multiples of 2^(levels - 1)
  std::int64_t channels = 3;
  std::int64_t width = 128;                    ///< channels after the first convolution
  std::vector<std::int64_t> multipliers = {};  ///< [levels] of `width`
  std::int64_t blocks_per_level = 2;
  std::vector<std::int64_t> attention_levels = {};  ///< levels whose blocks have attention
  bool middle_attention = true;
  std::int64_t heads = 1;        ///< of every attention, where head_width is 0
  std::int64_t head_width = 0;   ///< channels of a head
  bool heads_outermost = false;  ///< QkvOrder::ByHead, as "legacy" attention of the official code
  std::int64_t norm_groups = 32;
  double norm_eps = 1e-5;
  bool scale_shift = false;  ///< the time scales and shifts the second norm; else it is added
                             ///< before that norm
  UNetResampling resampling = UNetResampling::Convolution;
  bool pads_one_side = false;  ///< the convolution of stride 2 pads the right and bottom edge alone
  double middle_scale = 1;     ///< outputs of the middle's layers are divided by it (diffusers)
  std::int64_t label_rows = 0;       ///< rows of the label embedding; 0: no labels
  std::int64_t pooled_width = 0;     ///< numbers of the vector that conditions; 0: none
  std::int64_t frequency_shift = 0;  ///< shift of the sinusoid, 1 in diffusers' DDPM models
  bool sine_first = false;           ///< the sinusoid's sines come before its cosines
  bool centers_input = false;        ///< the network sees 2 x - 1
  bool learned_variance = false;     ///< the head also gives variances, which DDPM uses
  bool heads_per_exit = false;       ///< a separate head for every exit
  UncertaintyForm uncertainty = UncertaintyForm::TimedMap;

  std::int64_t levels() const { return static_cast<std::int64_t>(multipliers.size()); }
  std::int64_t blocks() const;
  std::int64_t time_width() const { return 4 * width; }  ///< E, of the time embedding
  std::int64_t head_channels() const { return learned_variance ? 2 * channels : channels; }
  UNetConfig with_exit_heads() const;
  double parameter_count() const;  ///< a double, since hostile sizes overflow integers
};

/// Reads and checks every field; unknown fields are refused. Throws the reader's error type.
UNetConfig parse_unet_config(const JsonReader& json);
/// The object that parse_unet_config reads back.
std::string to_json(const UNetConfig& config);

}  // namespace adadiff::detail
