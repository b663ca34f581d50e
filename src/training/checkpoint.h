// The state of a training as one .safetensors file. Random draws have no state: the step number
// says them all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/training.h>

#include "training/optimiser.h"

namespace adadiff::detail {

/// Steps of the longest training.
constexpr std::int64_t kMostSteps = std::int64_t{1} << 31;

/// Tensors are shared with network, optimiser and average; reading fills them in place.
struct TrainingState {
  const Parameters& parameters;
  const std::vector<at::Tensor>& averages;
  const std::vector<at::Tensor>& first_moments;
  const std::vector<at::Tensor>& second_moments;  ///< undefined ones are left out
};

/// What a model file says in words.
struct ModelTexts {
  std::vector<std::string> class_names;
  std::string license, origin;
};

/// The rest of a checkpoint.
struct CheckpointFacts {
  std::int64_t step = 0;    ///< steps done
  double simple_loss = 0;   ///< running mean
  std::string options;      ///< to_json(TrainingOptions)
  std::string network;      ///< config_json of the network
  std::string base = {};    ///< id of the model that the training started from; empty: none
  std::string images = {};  ///< how many there are, and their fingerprint; empty: not known
  ModelTexts texts = {};    ///< of `options`; only read
};

/// Replaces the file in one piece after it is safely on disk: a kill at any moment leaves the old
/// one or the new one. Throws FileError.
void write_checkpoint(const std::string& path, const TrainingState& state,
                      const CheckpointFacts& facts);
/// Fills the state's tensors, after names, shapes and types of all of them and the options are
/// found to fit: other options than `now`'s that would change the training's numbers are refused by
/// name. Throws FileError, ModelError, InvalidArgument.
CheckpointFacts read_checkpoint(const std::string& path, const TrainingState& state,
                                const CheckpointFacts& now);

}  // namespace adadiff::detail
