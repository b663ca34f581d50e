// The official names are ours; only what the official files cannot hold has to be refused.
#include "convert/dit.h"

#include "core/check.h"
#include "io/safetensors.h"
#include "io/text_file.h"
#include "models/model_description.h"
#include "models/model_tensors.h"
#include "networks/dit/dit.h"

namespace adadiff::detail {
namespace {

constexpr std::size_t kMaxDescription = 16 << 20;

void require_official(const Model& model, const std::string& where) {
  const auto* network = dynamic_cast<const DiT*>(model.network.get());
  if (network == nullptr)
    raise<ModelError>({where, "hold a DiT", "is " + show(model.network->info().kind)});
  const DiTConfig& config = network->config();
  if (config.uncertainty != UncertaintyForm::None) {
    raise<ModelError>({where + ": network.uncertainty", "be none, as in the official files",
                       "is " + to_string(config.uncertainty)});
  }
  if (config.heads_per_exit) {
    raise<ModelError>({where + ": network.heads_per_exit",
                       "be false, since the official files have one head", "is true"});
  }
}

}  // namespace

Model import_dit(const std::string& weights_path, const std::string& config_path) {
  const auto file = SafetensorsFile::open(weights_path);
  Model model = parse_description(read_text(config_path, kMaxDescription), config_path,
                                  count_values(file));
  require_official(model, config_path);
  load_tensors(file, weights_path,
               [&](const TensorVisitor& visitor) { model.network->visit(visitor); },
               {.may_be_wrapped = true,
                .owner = "the network that " + config_path + " describes",
                .advice = "compare depth, labels and options"});
  return model;
}

void export_dit(const std::string& model_path, const std::string& weights_path) {
  const Model model = read_model(model_path);
  require_official(model, model_path);
  save_tensors(weights_path, {{"format", "pt"}}, parameters_of(*model.network));
}

}  // namespace adadiff::detail
