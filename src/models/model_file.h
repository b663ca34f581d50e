// A model file: one .safetensors whose metadata key "adadiff" holds a JSON description
// (docs/model_format.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <adadiff/sampler.h>

#include "networks/trainable.h"

namespace adadiff::detail {

/// A model as its file describes it, network loaded.
struct Model {
  std::shared_ptr<TrainableNetwork> network;
  SamplerModel sampler;  ///< prediction, schedule, time, image range, solver, default plan, id
  std::vector<std::string> class_names;  ///< may be empty
  std::string license, origin;           ///< of the weights
  std::string training;  ///< JSON text of how it was trained, carried along; may be empty
};

/// Refuses what it does not understand by name. Throws FileError, ModelError.
Model read_model(const std::string& path);
/// Writes float32 tensors and description; an id that is stated is kept, an empty one computed. The
/// file is replaced in one piece. Throws FileError.
void write_model(const Model& model, const std::string& path);

}  // namespace adadiff::detail
