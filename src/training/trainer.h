// The training loop over any trainable network.
#pragma once

#include <memory>

#include <adadiff/training.h>

#include <adadiff/trainable_network.h>

#include "training/batches.h"
#include "training/task.h"

namespace adadiff::detail {

/// The path of the checkpoint file: the path that the options give, or one beside the model.
std::string checkpoint_path(const TrainingOptions& options);

/// What adadiff::train does after its files are read.
TrainingResult train_task(const TrainingOptions& options, const TrainingTask& task,
                          const ImageSource& set, const TrainingObserver& observer = {},
                          const std::stop_token& stop = {});
/// The same with a network that the caller made, whose weights are taken as they are; the network
/// is moved to the device.
TrainingResult train_network(const TrainingOptions& options,
                             const std::shared_ptr<TrainableNetwork>& network,
                             const ImageSource& set, const TrainingObserver& observer = {},
                             const std::stop_token& stop = {});

}  // namespace adadiff::detail
