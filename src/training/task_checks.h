// The checks that a training makes before its first step.
#pragma once

#include <adadiff/training.h>

#include "training/image_source.h"
#include "training/task.h"

namespace adadiff::detail {

/// Throws InvalidArgument for images and labels that the network does not take, for texts that a
/// model file could not hold, and for a precision that the processor lacks.
void check_task(const TrainingOptions& options, const TrainingTask& task, const ImageSource& set);

/// Throws InvalidArgument where a network that the caller made could not be opened again from what
/// its model file would say.
void require_saved_facts(const TrainableNetwork& network);

}  // namespace adadiff::detail
