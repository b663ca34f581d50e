// Lists of row numbers as tensors.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include <ATen/ATen.h>

namespace adadiff::detail {

/// A copy of `values` on `device`, [n] int64.
inline at::Tensor index_tensor(std::span<const std::int64_t> values, const at::Device& device) {
  at::Tensor indices = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  if (!values.empty())
    std::memcpy(indices.data_ptr<std::int64_t>(), values.data(), values.size_bytes());
  return indices.to(device);
}

}  // namespace adadiff::detail
