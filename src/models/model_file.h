// A model file: one .safetensors whose metadata key "adadiff" holds a JSON description
// (docs/model_format.md).
#pragma once

#include <adadiff/trainable_network.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <adadiff/plan.h>

namespace adadiff::detail {

/// A model as its file describes it, with its network loaded.
struct Model {
  std::shared_ptr<TrainableNetwork> network;
  SamplerModel sampler;  ///< prediction, schedule, time, image range, solver, default plan, id
  std::vector<std::string> class_names;  ///< may be empty
  std::string license, origin;           ///< about the weights
  std::string training;  ///< JSON text that says how it was trained, carried along as it is; may be
                         ///< empty
};

/// Reads a model file. Refuses, by name, what it does not understand. Throws FileError, ModelError.
/// `kinds` are families beside those of the library.
Model read_model(const std::string& path, std::span<const NetworkKind> kinds = {});
/// Whether the file is a safetensors file that holds a description, whatever the description says.
/// Throws FileError where it cannot be read.
bool is_model_file(const std::string& path);
/// Writes the float32 tensors and the description of a model. An id that is set is kept, and an
/// empty one is computed. The file is replaced atomically. Throws FileError.
void write_model(const Model& model, const std::string& path);

}  // namespace adadiff::detail
