// From training options to a model description.
#include "training/model_card.h"

#include <nlohmann/json.hpp>

namespace adadiff::detail {
namespace {

constexpr double kTimeScale = 1000;

std::string recipe_json(const TrainedSoFar& training) {
  const auto json =
      nlohmann::ordered_json{{"steps_done", training.steps}, {"recipe", nlohmann::ordered_json::parse(to_json(training.options))}};
  return json.dump();
}

}  // namespace

Model model_card(const TrainedSoFar& training) {
  Model model;
  model.network = training.network;
  model.sampler.prediction = training.options.prediction;
  model.sampler.schedule = find_schedule(training.options.schedule);
  model.sampler.time_scale = kTimeScale;
  model.sampler.data_std = training.data_std;
  model.class_names = training.options.class_names;
  model.license = training.options.license;
  model.origin = training.options.origin;
  model.training = recipe_json(training);
  return model;
}

BatchForm batch_form(const TrainingOptions& options, const TrainableNetwork& network) {
  const NetworkInfo& info = network.info();
  return {find_schedule(options.schedule), kTimeScale, info.null_label, info.classes > 0};
}

}  // namespace adadiff::detail
