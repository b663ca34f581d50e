// What a training says about its images before it begins.
#pragma once

#include <string>

#include <adadiff/training.h>

namespace adadiff::cli {

/// One line: how many, of which shape and classes, what is done to pictures, and what is odd.
std::string describe(const TrainingImages& found);

}  // namespace adadiff::cli
