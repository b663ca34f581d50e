// Tensors of recorded files.
#pragma once

#include <cstring>
#include <string>

#include <ATen/ATen.h>

#include "io/safetensors.h"

namespace adadiff::detail {

/// A float32 or int64 tensor of the file; undefined where there is none of that name.
inline at::Tensor stored_tensor(const SafetensorsFile& file, const std::string& name) {
  const TensorView* view = file.find(name);
  if (view == nullptr) return {};
  at::Tensor tensor = at::empty(view->shape, view->dtype == Dtype::I64 ? at::kLong : at::kFloat);
  std::memcpy(tensor.mutable_data_ptr(), view->bytes.data(), view->bytes.size());
  return tensor;
}

}  // namespace adadiff::detail
