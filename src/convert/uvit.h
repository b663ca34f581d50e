// Converts the official U-ViT and AdaDiff state dicts, saved as plain safetensors, to model files
// and back.
#pragma once

#include <string>

#include "models/model_file.h"

namespace adadiff::detail {

/// Reads the weights at `weights_path`; `config_path` holds a model description as in
/// docs/model_format.md. The official certainty modules (lte_classifer.K.lte) become uncertainty
/// modules with weight and bias negated. Throws FileError, ModelError.
Model import_uvit(const std::string& weights_path, const std::string& config_path);

/// Writes the model's state dict under its official names. Networks without uncertainty modules or
/// with the untimed map can be written; other forms and heads per exit are refused by name. Throws
/// ModelError, FileError.
void export_uvit(const std::string& model_path, const std::string& weights_path);

}  // namespace adadiff::detail
