// The named tensors of a foreign checkpoint, whatever container holds them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace adadiff::detail {

struct ForeignTensor {
  std::vector<std::int64_t> shape;
  std::string type;  ///< "F32", "BF16", ...
  /// Reads the numbers, in the file's type. Throws ModelError.
  std::function<at::Tensor()> load;
};
using ForeignTensors = std::map<std::string, ForeignTensor>;

struct ForeignWeights {
  std::string source;  ///< the file, for errors
  ForeignTensors tensors;
  std::string taken_from;  ///< the part of the file that the tensors come from, such as "ema."; it
                           ///< is no longer in their names. Empty: the whole file.
};

/// Opens a .safetensors file, a .pt or .pth file that torch.save has written (torch_file.h), or an
/// .onnx file (onnx_file.h). The tensors of a dictionary within the dictionary are called
/// "outer.inner". Throws FileError, ModelError.
ForeignWeights read_foreign_weights(const std::string& path);

/// The tensors whose names begin with a prefix behind which `anchor` stands, without the prefix. Of
/// several such prefixes, the averaged weights ("ema") come first, then the shortest. Returns the
/// weights unchanged where there is no such prefix.
ForeignWeights unwrapped(ForeignWeights weights, const std::string& anchor);

/// The number of values in all tensors.
std::int64_t count_values(const ForeignWeights& weights);

}  // namespace adadiff::detail
