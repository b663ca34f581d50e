// Checks of a training's options that need no file to be opened.
#pragma once

#include <adadiff/training.h>

namespace adadiff::detail {

/// Throws an InvalidArgument that names field and value.
void check_options(const TrainingOptions& options);

}  // namespace adadiff::detail
