// The training loop over any trainable network.
#pragma once

#include <memory>

#include <adadiff/training.h>

#include "networks/trainable.h"
#include "training/data.h"

namespace adadiff::detail {

/// Refuses options out of range, by field. Throws InvalidArgument.
void check_options(const TrainingOptions& options);
/// The file of the checkpoint: its own path, or beside the model.
std::string checkpoint_path(const TrainingOptions& options);

/// adadiff::train after files and network are read: network fresh from its initial weights.
TrainingResult train_network(const TrainingOptions& options, const std::shared_ptr<TrainableNetwork>& network, const ImageSet& set,
                             const TrainingObserver& observer = {}, const std::stop_token& stop = {});

}  // namespace adadiff::detail
