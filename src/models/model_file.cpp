// Reads and writes model files.
#include "models/model_file.h"

#include <ATen/ATen.h>

#include <cstdio>
#include <utility>

#include "core/check.h"
#include "io/safetensors.h"
#include "models/model_description.h"
#include "models/model_tensors.h"

namespace adadiff::detail {
namespace {

constexpr const char* kMetadataKey = "adadiff";

/// 64-bit FNV-1a: tells models apart, guards against nothing.
class Fingerprint {
 public:
  void add(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (std::size_t i = 0; i < size; ++i) hash_ = (hash_ ^ bytes[i]) * 1099511628211ull;
  }
  std::string text() const {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash_));
    return digits;
  }

 private:
  std::uint64_t hash_ = 14695981039346656037ull;
};

std::string id_of(const Model& model) {
  Fingerprint fingerprint;
  const auto description = identity_json(model);
  fingerprint.add(description.data(), description.size());
  for (const auto& [name, tensor] : parameters_of(*model.network)) {
    fingerprint.add(name.data(), name.size());
    fingerprint.add(tensor.const_data_ptr(), tensor.nbytes());
  }
  return fingerprint.text();
}

}  // namespace

Model read_model(const std::string& path) {
  const auto file = SafetensorsFile::open(path);
  const auto description = file.metadata().find(kMetadataKey);
  if (description == file.metadata().end()) {
    raise<ModelError>({path, "have a model description under the metadata key \"adadiff\"",
                       "has none",
                       "for the official U-ViT's weights see `adadiff convert --from uvit`"});
  }
  auto model = parse_description(description->second, path, count_values(file));
  load_tensors(file, path, [&](const TensorVisitor& visitor) { model.network->visit(visitor); });
  if (model.sampler.id.empty()) model.sampler.id = id_of(model);
  return model;
}

void write_model(const Model& model, const std::string& path) {
  auto labelled = model;
  if (labelled.sampler.id.empty()) labelled.sampler.id = id_of(model);
  save_tensors(path, {{kMetadataKey, to_json(labelled)}, {"format", "pt"}},
               parameters_of(*model.network));
}

}  // namespace adadiff::detail
