// What a trained model's file says beside its weights.
#pragma once

#include <cstdint>
#include <memory>

#include <adadiff/training.h>

#include "networks/trainable.h"
#include "pipeline/model_file.h"
#include "training/data.h"

namespace adadiff::detail {

/// A training as far as it came.
struct TrainedSoFar {
  const TrainingOptions& options;
  const std::shared_ptr<TrainableNetwork>& network;
  std::int64_t steps = 0;
  double data_std = 0.5;
};

/// The model around the network as it is: prediction, schedule, time scale, image range, names, licence and recipe.
Model model_card(const TrainedSoFar& training);
/// How such a model's network is fed while it trains.
BatchForm batch_form(const TrainingOptions& options, const TrainableNetwork& network);

}  // namespace adadiff::detail
