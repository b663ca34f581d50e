// What a training refuses before its first step.
#pragma once

#include <adadiff/training.h>

#include "training/image_source.h"
#include "training/task.h"

namespace adadiff::detail {

/// Images and labels that the network does not take, texts that a model file could not hold, a
/// precision that the processor lacks. Throws InvalidArgument.
void check_task(const TrainingOptions& options, const TrainingTask& task, const ImageSource& set);

}  // namespace adadiff::detail
