// What a training works on: a new network as the options describe it, or a model that it starts
// from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <adadiff/training.h>

#include "models/model_file.h"
#include "training/batches.h"

namespace adadiff::detail {

struct TrainingTask {
  Model model;  ///< the network with its first weights, and all that its file will say but for the
                ///< recipe
  std::string base;  ///< id of the model that the training starts from; empty for a new network
  /// The model's labels of the images' classes; empty: the same numbers.
  std::vector<std::int64_t> label_of_class = {};
};

/// The training images: an IDX file, or a folder brought to the size that the options or the
/// network say. Throws FileError, ModelError, InvalidArgument.
std::unique_ptr<ImageSource> open_images(const TrainingOptions& options);

/// From TrainingOptions::from where it is set, else a new network with weights from the seed. Exits
/// of their own are added to a model that has none: its head copied for each, UEMs at u = 1/2.
/// Throws FileError, ModelError, InvalidArgument.
TrainingTask make_task(const TrainingOptions& options, const ImageSource& set);
/// Around a network that the caller made, with its weights as they are.
TrainingTask task_around(const TrainingOptions& options,
                         const std::shared_ptr<TrainableNetwork>& network, const ImageSource& set);

/// How the task's batches are made.
BatchForm batch_form(const TrainingTask& task);
/// The model as its file has it after `steps` steps.
Model trained_model(const TrainingTask& task, const TrainingOptions& options, std::int64_t steps);

}  // namespace adadiff::detail
