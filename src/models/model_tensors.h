// Moves a network's parameters from and to safetensors files.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/trainable_network.h>

#include "io/safetensors.h"

namespace adadiff::detail {

/// Copies one float32 tensor from a file. Refuses, by name, tensors of another type or shape and
/// tensors with numbers that are not finite. Throws ModelError.
at::Tensor load_tensor(const SafetensorsFile& file, const std::string& name, at::IntArrayRef shape,
                       const std::string& source);

/// The number of values in all tensors of a file.
std::int64_t count_values(const SafetensorsFile& file);

/// Fills every tensor that `visit` shows from the file. Tensors that are missing, and tensors that
/// nobody asks for, are refused by name; `owner` is whose tensors they should be. Throws
/// ModelError.
void load_tensors(const SafetensorsFile& file, const std::string& source,
                  const std::function<void(const TensorVisitor&)>& visit,
                  const std::string& owner = "the network that the description names");

/// The parameters in visiting order, contiguous float32.
std::vector<std::pair<std::string, at::Tensor>> parameters_of(TrainableNetwork& network);

/// Writes named tensors and metadata. Throws FileError.
void save_tensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                  const std::vector<std::pair<std::string, at::Tensor>>& tensors);

}  // namespace adadiff::detail
