// Opens checkpoints and finds the network within them.
#include "convert/foreign_weights.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <ATen/ATen.h>

#include "convert/onnx_file.h"
#include "convert/torch_file.h"
#include "core/check.h"
#include "io/mapped_file.h"
#include "io/safetensors.h"

namespace adadiff::detail {
namespace {

std::optional<at::ScalarType> scalar_type_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::F64:
      return at::kDouble;
    case Dtype::F32:
      return at::kFloat;
    case Dtype::F16:
      return at::kHalf;
    case Dtype::BF16:
      return at::kBFloat16;
    default:
      return std::nullopt;
  }
}

ForeignTensor safetensor(const std::shared_ptr<const SafetensorsFile>& file,
                         const TensorView& view) {
  const auto load = [file, &view] {
    const auto type = scalar_type_of(view.dtype);
    if (!type) {
      raise<ModelError>({file->path() + ": tensor " + show(view.name), "be F64, F32, F16 or BF16",
                         "is " + name_of(view.dtype)});
    }
    at::Tensor tensor = at::empty(view.shape, *type);
    if (!view.bytes.empty())
      std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    return tensor;
  };
  return {view.shape, name_of(view.dtype), load};
}

ForeignTensors read_safetensors(const std::string& path) {
  const auto file = std::make_shared<const SafetensorsFile>(SafetensorsFile::open(path));
  ForeignTensors tensors;
  for (const TensorView& view : file->tensors()) tensors[view.name] = safetensor(file, view);
  return tensors;
}

bool is_zip(const std::string& path) {
  const MappedFile file(path);
  constexpr char kZip[] = {'P', 'K', 3, 4};
  return file.bytes().size() >= sizeof(kZip) &&
         std::memcmp(file.bytes().data(), kZip, sizeof(kZip)) == 0;
}

/// What stands before the anchor in a name: "" or "model." or "state.ema.".
std::vector<std::string> prefixes_of(const ForeignTensors& tensors, const std::string& anchor) {
  std::vector<std::string> prefixes;
  for (const auto& [name, tensor] : tensors) {
    if (!name.ends_with(anchor)) continue;
    std::string prefix = name.substr(0, name.size() - anchor.size());
    if (prefix.empty() || prefix.back() == '.') prefixes.push_back(std::move(prefix));
  }
  return prefixes;
}

bool is_averaged(const std::string& prefix) { return prefix.find("ema") != std::string::npos; }

bool comes_before(const std::string& left, const std::string& right) {
  if (is_averaged(left) != is_averaged(right)) return is_averaged(left);
  return left.size() < right.size();
}

}  // namespace

ForeignWeights read_foreign_weights(const std::string& path) {
  if (path.ends_with(".onnx")) return {path, read_onnx_file(path), {}};  // has no first bytes
  return {path, is_zip(path) ? read_torch_file(path) : read_safetensors(path), {}};
}

ForeignWeights unwrapped(ForeignWeights weights, const std::string& anchor) {
  std::vector<std::string> prefixes = prefixes_of(weights.tensors, anchor);
  if (prefixes.empty()) return weights;
  const std::string prefix = *std::min_element(prefixes.begin(), prefixes.end(), comes_before);
  if (prefix.empty() && prefixes.size() == 1) return weights;
  ForeignWeights inner{weights.source, {}, weights.taken_from + prefix};
  for (auto& [name, tensor] : weights.tensors) {
    if (name.starts_with(prefix)) {
      inner.tensors[name.substr(prefix.size())] = std::move(tensor);
    } else if (name.starts_with(kUnnamedNorm)) {
      inner.tensors[name] = std::move(tensor);
    }
  }
  return inner;
}

std::int64_t count_values(const ForeignWeights& weights) {
  std::int64_t values = 0;
  for (const auto& [name, tensor] : weights.tensors) {
    std::int64_t own = 1;
    for (const std::int64_t extent : tensor.shape) own *= extent;
    values += own;
  }
  return values;
}

}  // namespace adadiff::detail
