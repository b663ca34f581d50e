// The state of a training as one .safetensors file. Random draws have no state, since the step
// number determines all of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/training.h>

#include "training/optimiser.h"

namespace adadiff::detail {

/// The number of steps of the longest training.
constexpr std::int64_t kMostSteps = std::int64_t{1} << 31;

/// The tensors of a training. They are shared with network, optimiser and average; reading a
/// checkpoint fills them in place.
struct TrainingState {
  const Parameters& parameters;
  const std::vector<at::Tensor>& averages;
  const std::vector<at::Tensor>& first_moments;
  const std::vector<at::Tensor>& second_moments;  ///< undefined tensors are left out
};

/// What a model file says in words.
struct ModelTexts {
  std::vector<std::string> class_names;
  std::string license, origin;
};

/// Everything in a checkpoint besides the tensors.
struct CheckpointFacts {
  std::int64_t step = 0;    ///< steps done
  double simple_loss = 0;   ///< running mean
  std::string options;      ///< to_json(TrainingOptions)
  std::string network;      ///< config_json of the network
  std::string base = {};    ///< id of the model that the training started from; empty: none
  std::string images = {};  ///< the number of images and their fingerprint; empty: not known
  ModelTexts texts = {};    ///< the texts in `options`; set only by reading
};

/// Writes a checkpoint and replaces the file atomically once it is safely on disk: a kill at any
/// moment leaves the old file or the new one. Throws FileError.
void write_checkpoint(const std::string& path, const TrainingState& state,
                      const CheckpointFacts& facts);
/// Fills the tensors of `state`, but only after the options and the names, shapes and types of all
/// tensors are found to fit. Options that differ from those in `now` and would change the
/// training's numbers are refused by name. Throws FileError, ModelError, InvalidArgument.
CheckpointFacts read_checkpoint(const std::string& path, const TrainingState& state,
                                const CheckpointFacts& now);

}  // namespace adadiff::detail
