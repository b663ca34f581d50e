// Moves a network's parameters from and to safetensors files.
#pragma once

#include <cstddef>
#include <functional>
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

/// Where a file keeps the tensors that are asked for.
struct TensorNames {
  /// The file's name of a tensor; empty: its own.
  std::function<std::string(const std::string&)> in_file = {};
  bool may_be_wrapped = false;  ///< all of the file's names may have a prefix, such as "module."
  std::string owner = "the network that the description names";  ///< whose tensors they are
  std::string advice = {};  ///< what to do about tensors that nobody asks for
};

/// Fills every tensor that `visit` shows from the file. Missing tensors, and ones that nobody asks
/// for, are refused by name. Throws ModelError.
void load_tensors(const SafetensorsFile& file, const std::string& source,
                  const std::function<void(const TensorVisitor&)>& visit,
                  const TensorNames& names = {});

/// The parameters in visiting order, contiguous float32.
std::vector<std::pair<std::string, at::Tensor>> parameters_of(TrainableNetwork& network);

/// Writes named tensors and metadata. Throws FileError.
void save_tensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                  const std::vector<std::pair<std::string, at::Tensor>>& tensors);

}  // namespace adadiff::detail
