// Official DiT weights (github.com/facebookresearch/DiT) as model files and back.
#pragma once

#include <string>

#include "models/model_file.h"

namespace adadiff::detail {

/// Weights with the official names as .safetensors, joined with a model's description in JSON
/// (docs/model_format.md), whose network must be a DiT without exits of its own. All names may have
/// one prefix. Throws FileError, ModelError.
Model import_dit(const std::string& weights_path, const std::string& config_path);
/// Writes the weights with the official names. Refuses a model with UEMs or heads per exit, which
/// the official files cannot hold. Throws FileError, ModelError.
void export_dit(const std::string& model_path, const std::string& weights_path);

}  // namespace adadiff::detail
