// Renames and negates between the official state dicts and model files.
#include "convert/uvit.h"

#include <ATen/ATen.h>

#include <optional>

#include "core/check.h"
#include "io/safetensors.h"
#include "io/text_file.h"
#include "models/model_description.h"
#include "models/model_file.h"
#include "models/model_tensors.h"
#include "networks/uvit/uvit.h"

namespace adadiff::detail {
namespace {

constexpr std::size_t kMaxDescription = 16 << 20;

/// uem.K.weight <-> lte_classifer.K.lte.weight (the official spelling); nothing for the backbone,
/// whose names are the same.
std::optional<std::string> official_uncertainty_name(const std::string& name) {
  if (!name.starts_with("uem.")) return std::nullopt;
  const auto dot = name.find('.', 4);
  return "lte_classifer." + name.substr(4, dot - 4) + ".lte" + name.substr(dot);
}

UViTConfig config_of(const Model& model, const std::string& where) {
  const auto* network = dynamic_cast<const UViT*>(model.network.get());
  if (network == nullptr)
    raise<ModelError>({where, "hold a U-ViT", "is " + show(model.network->info().kind)});
  return network->config();
}

void refuse_what_is_not_official(const UViTConfig& config, const std::string& where) {
  if (config.uncertainty != UncertaintyForm::None && config.uncertainty != UncertaintyForm::Map) {
    raise<ModelError>({where + ": network.uncertainty",
                       "be none or map, the forms that the official files have",
                       "is " + to_string(config.uncertainty)});
  }
  if (config.heads_per_exit)
    raise<ModelError>({where + ": network.heads_per_exit",
                       "be false, since the official files share one head", "is true"});
  if (config.norm_per_exit)
    raise<ModelError>({where + ": network.norm_per_exit",
                       "be false, since the official files share one head", "is true"});
  if (config.patch_overlap != 0)
    raise<ModelError>({where + ": network.patch_overlap", "be 0, as in the official files",
                       "is " + show(config.patch_overlap)});
}

}  // namespace

Model import_uvit(const std::string& weights_path, const std::string& config_path) {
  const auto file = SafetensorsFile::open(weights_path);
  auto model = parse_description(read_text(config_path, kMaxDescription), config_path,
                                 count_values(file));
  refuse_what_is_not_official(config_of(model, config_path), config_path);
  const auto in_file = [](const std::string& name) {
    return official_uncertainty_name(name).value_or(name);
  };
  load_tensors(file, weights_path,
               [&](const TensorVisitor& visitor) { model.network->visit(visitor); },
               {.in_file = in_file,
                .may_be_wrapped = true,
                .owner = "the network that " + config_path + " describes",
                .advice = "compare depth, labels and options"});
  model.network->visit([](const std::string& name, at::Tensor& tensor) {
    // Certainty becomes uncertainty: sigmoid(-z) = 1 - sigmoid(z).
    if (official_uncertainty_name(name)) tensor.neg_();
  });
  return model;
}

void export_uvit(const std::string& model_path, const std::string& weights_path) {
  const Model model = read_model(model_path);
  refuse_what_is_not_official(config_of(model, model_path), model_path);
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, tensor] : parameters_of(*model.network)) {
    const auto official = official_uncertainty_name(name);
    tensors.emplace_back(official.value_or(name), official ? tensor.neg() : tensor);
  }
  save_tensors(weights_path, {{"format", "pt"}}, tensors);
}

}  // namespace adadiff::detail
