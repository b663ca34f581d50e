// Reads and writes model files.
#include "models/model_file.h"

#include <ATen/ATen.h>

#include <cstdio>
#include <utility>

#include "core/check.h"
#include "core/fnv.h"
#include "io/safetensors.h"
#include "models/model_description.h"
#include "models/model_tensors.h"

namespace adadiff::detail {
namespace {

constexpr const char* kMetadataKey = "adadiff";

std::uint64_t add(std::uint64_t hash, const void* data, std::size_t size) {
  return fnv64(hash, {static_cast<const std::uint8_t*>(data), size});
}

std::string id_of(const Model& model) {
  const auto description = identity_json(model);
  std::uint64_t hash = add(kFnv64Start, description.data(), description.size());
  for (const auto& [name, tensor] : parameters_of(*model.network)) {
    hash = add(hash, name.data(), name.size());
    hash = add(hash, tensor.const_data_ptr(), tensor.nbytes());
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

}  // namespace

Model read_model(const std::string& path, std::span<const NetworkKind> kinds) {
  const auto file = SafetensorsFile::open(path);
  const auto description = file.metadata().find(kMetadataKey);
  if (description == file.metadata().end()) {
    raise<ModelError>({path, "have a model description under the metadata key \"adadiff\"",
                       "has none", "`adadiff convert` makes a model file of a checkpoint"});
  }
  auto model = parse_description(description->second, path, count_values(file), kinds);
  load_tensors(file, path, [&](const TensorVisitor& visitor) { model.network->visit(visitor); });
  if (model.sampler.id.empty()) model.sampler.id = id_of(model);
  return model;
}

bool is_model_file(const std::string& path) {
  try {
    return SafetensorsFile::open(path).metadata().contains(kMetadataKey);
  } catch (const ModelError&) {
    return false;
  }
}

void write_model(const Model& model, const std::string& path) {
  auto labelled = model;
  if (labelled.sampler.id.empty()) labelled.sampler.id = id_of(model);
  save_tensors(path, {{kMetadataKey, to_json(labelled)}, {"format", "pt"}},
               parameters_of(*model.network));
}

}  // namespace adadiff::detail
