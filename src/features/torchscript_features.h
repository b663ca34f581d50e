// Features from a TorchScript file that the user has, such as the Inception network of published
// Fréchet distances.
#pragma once

#include <memory>
#include <string>

#include "features/feature_extractor.h"

namespace adadiff::detail {

/// Images go in as float32 [B, 3, H, W] with values 0 to 255, grey ones with three equal channels;
/// out come features [B, D], [B, D, 1, 1] or a tuple that begins so. Where `forward` has an
/// argument `return_features` it is true (NVIDIA's Inception files). The script decides about
/// resizing. Throws FileError, ModelError.
std::unique_ptr<FeatureExtractor> open_torchscript(const std::string& path);

}  // namespace adadiff::detail
