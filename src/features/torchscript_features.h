// Features from a TorchScript file that the user has, such as the Inception network of published
// Fréchet distances.
#pragma once

#include <memory>
#include <string>

#include "features/feature_extractor.h"

namespace adadiff::detail {

/// Opens a TorchScript file. The script takes images as float32 [B, 3, H, W] with values 0 to 255,
/// grey ones with three equal channels. It returns features [B, D] or [B, D, 1, 1], or a tuple that
/// begins with them. If its `forward` has an argument `return_features`, that is set to true
/// (NVIDIA's Inception files). Whether images are resized is up to the script. Throws FileError,
/// ModelError.
std::unique_ptr<FeatureExtractor> open_torchscript(const std::string& path);

}  // namespace adadiff::detail
