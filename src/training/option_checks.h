// What a training's options refuse by themselves, before any file is opened.
#pragma once

#include <adadiff/training.h>

namespace adadiff::detail {

/// Throws InvalidArgument with field and value.
void check_options(const TrainingOptions& options);

}  // namespace adadiff::detail
