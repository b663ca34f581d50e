// What a training works on: a new network as the options describe it, or the model that the
// training starts from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <adadiff/training.h>

#include "models/model_file.h"
#include "training/batches.h"
#include "training/image_folder.h"

namespace adadiff::detail {

struct TrainingTask {
  Model model;       ///< the network with its first weights, and everything that its file will say
                     ///< except the recipe
  std::string base;  ///< id of the model that the training starts from; empty for a new network
  /// The model's label for each of the images' classes; empty: the same numbers.
  std::vector<std::int64_t> label_of_class = {};
};

/// Opens the training images: an IDX file, or a folder brought to the size that the options or the
/// network ask for. Throws FileError, ModelError, InvalidArgument.
std::unique_ptr<ImageSource> open_images(const TrainingOptions& options);
/// The same for a network of that shape.
std::unique_ptr<ImageSource> open_images(const TrainingOptions& options, const ImageShape& shape);

/// Makes the task from TrainingOptions::from where it is set, else from a new network whose weights
/// are drawn from the seed. A model that has no exits of its own gets them: a copy of its head for
/// each, and UEMs at u = 1/2. Throws FileError, ModelError, InvalidArgument.
TrainingTask make_task(const TrainingOptions& options, const ImageSource& set);
/// Makes a task around a network that the caller made, with its weights as they are.
TrainingTask task_around(const TrainingOptions& options,
                         const std::shared_ptr<TrainableNetwork>& network, const ImageSource& set);

/// How the task's batches are made.
BatchForm batch_form(const TrainingTask& task);
/// The model as it is written to its file after `steps` steps.
Model trained_model(const TrainingTask& task, const TrainingOptions& options, std::int64_t steps);

}  // namespace adadiff::detail
