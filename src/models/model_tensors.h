// Moves a network's parameters from and to safetensors files.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "io/safetensors.h"
#include "networks/trainable.h"

namespace adadiff::detail {

/// One float32 tensor of a file, copied. Refuses other types and shapes by name, and numbers that
/// are not finite. Throws ModelError.
at::Tensor load_tensor(const SafetensorsFile& file, const std::string& name, at::IntArrayRef shape,
                       const std::string& source);

/// Numbers in all tensors of a file.
std::int64_t count_values(const SafetensorsFile& file);

/// Fills every parameter from the file; missing tensors, and ones that the network does not have,
/// are refused by name.
void load_parameters(TrainableNetwork& network, const SafetensorsFile& file,
                     const std::string& source);

/// The parameters in visiting order, contiguous float32.
std::vector<std::pair<std::string, at::Tensor>> parameters_of(TrainableNetwork& network);

/// Writes named tensors and metadata. Throws FileError.
void save_tensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                  const std::vector<std::pair<std::string, at::Tensor>>& tensors);

}  // namespace adadiff::detail
