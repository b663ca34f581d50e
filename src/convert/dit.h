// Converts official DiT weights (github.com/facebookresearch/DiT) to model files and back.
#pragma once

#include <string>

#include "models/model_file.h"

namespace adadiff::detail {

/// Joins weights with the official names (.safetensors) with the JSON description of a model
/// (docs/model_format.md), whose network must be a DiT without exits of its own. All names in the
/// weights may share one prefix. Throws FileError, ModelError.
Model import_dit(const std::string& weights_path, const std::string& config_path);
/// Writes the weights of a model with the official names. Refuses a model with UEMs or heads per
/// exit, which the official files cannot hold. Throws FileError, ModelError.
void export_dit(const std::string& model_path, const std::string& weights_path);

}  // namespace adadiff::detail
