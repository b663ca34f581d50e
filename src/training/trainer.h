// The training loop over any trainable network.
#pragma once

#include <memory>

#include <adadiff/training.h>

#include "networks/trainable.h"
#include "training/batches.h"
#include "training/task.h"

namespace adadiff::detail {

/// The file of the checkpoint: its own path, or beside the model.
std::string checkpoint_path(const TrainingOptions& options);

/// adadiff::train after its files are read.
TrainingResult train_task(const TrainingOptions& options, const TrainingTask& task,
                          const ImageSource& set, const TrainingObserver& observer = {},
                          const std::stop_token& stop = {});
/// The same around a network that the caller made, with its weights as they are; it moves to the
/// device.
TrainingResult train_network(const TrainingOptions& options,
                             const std::shared_ptr<TrainableNetwork>& network,
                             const ImageSource& set, const TrainingObserver& observer = {},
                             const std::stop_token& stop = {});

}  // namespace adadiff::detail
