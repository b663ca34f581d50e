// Copies parameters between networks and safetensors files, every name and shape checked.
#include "models/model_tensors.h"

#include <ATen/ATen.h>

#include <cstring>
#include <set>

#include "core/check.h"

namespace adadiff::detail {
at::Tensor load_tensor(const SafetensorsFile& file, const std::string& name, at::IntArrayRef shape,
                       const std::string& source) {
  const auto where = source + ": tensor \"" + name + "\"";
  const auto* entry = file.find(name);
  if (entry == nullptr) raise<ModelError>({where, "be F32 " + show_shape(shape), "is missing"});
  if (entry->dtype != Dtype::F32 || at::IntArrayRef(entry->shape) != shape) {
    raise<ModelError>({where, "be F32 " + show_shape(shape),
                       "is " + name_of(entry->dtype) + " " + show_shape(entry->shape)});
  }
  auto tensor = at::empty(shape, at::kFloat);
  std::memcpy(tensor.mutable_data_ptr(), entry->bytes.data(), entry->bytes.size());
  if (!tensor.sum().isfinite().item<bool>() && !tensor.isfinite().all().item<bool>()) {
    raise<ModelError>({where, "hold finite numbers",
                       "has NaN or infinity; the file is damaged or its training diverged"});
  }
  return tensor;
}

std::int64_t count_values(const SafetensorsFile& file) {
  std::int64_t values = 0;
  for (const auto& entry : file.tensors())
    values += static_cast<std::int64_t>(entry.bytes.size() / size_of(entry.dtype));
  return values;
}

namespace {

/// Refuses tensors that are not in `known`, naming the first few.
void refuse_others(const SafetensorsFile& file, const std::string& source,
                   const std::set<std::string>& known, const std::string& owner) {
  constexpr int kMostShown = 3;
  std::string others;
  int count = 0;
  for (const auto& entry : file.tensors()) {
    if (known.contains(entry.name)) continue;
    if (++count > kMostShown) continue;
    others += (count > 1 ? ", " : "") + show(entry.name) + " " + show_shape(entry.shape);
  }
  if (count == 0) return;
  if (count > kMostShown) others += " and " + show(count - kMostShown) + " more";
  raise<ModelError>({source, "hold no tensors but those of " + owner, "also holds " + others});
}

}  // namespace

void load_tensors(const SafetensorsFile& file, const std::string& source,
                  const std::function<void(const TensorVisitor&)>& visit,
                  const std::string& owner) {
  std::set<std::string> known;
  visit([&](const std::string& name, at::Tensor& tensor) {
    tensor.copy_(load_tensor(file, name, tensor.sizes(), source));
    known.insert(name);
  });
  refuse_others(file, source, known, owner);
}

std::vector<std::pair<std::string, at::Tensor>> parameters_of(TrainableNetwork& network) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  network.visit([&](const std::string& name, at::Tensor& tensor) {
    tensors.emplace_back(name, tensor.detach().to(at::kCPU, at::kFloat).contiguous());
  });
  return tensors;
}

void save_tensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                  const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  std::vector<TensorView> entries;
  entries.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) {
    entries.push_back({name,
                       Dtype::F32,
                       tensor.sizes().vec(),
                       {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  write_safetensors(path, metadata, entries);
}

}  // namespace adadiff::detail
