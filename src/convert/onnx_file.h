// The weights within ONNX files. The graph itself is not run: it is read only for the order of its
// norms, whose weights exporters leave without names.
#pragma once

#include <string>

#include "convert/foreign_weights.h"

namespace adadiff::detail {

/// What begins the names of a norm's weight and bias that have none in the file:
/// "unnamed_norm.0.weight" is that of the first norm that the graph applies.
inline constexpr const char* kUnnamedNorm = "unnamed_norm.";

/// The initializers whose names have a dot, as parameters have (the constants that exporters make
/// have none), and the weights and biases of the graph's norms in the order in which they are
/// applied. Weights in files of their own are refused. Throws FileError, ModelError.
ForeignTensors read_onnx_file(const std::string& path);

}  // namespace adadiff::detail
