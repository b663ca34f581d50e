// Pipelines around test networks.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <adadiff/error.h>
#include <adadiff/pipeline.h>

#include "support/pyramid_network.h"

namespace adadiff::test {

inline PyramidOptions labelled(int blocks = 4) {
  PyramidOptions options;
  options.blocks = blocks;
  options.channels = 1;
  options.classes = 4;
  options.null_label = 3;
  return options;
}

/// A network that the test can look into, and a pipeline around it: velocity, cosine schedule, 6
/// DDIM steps.
struct Sampled {
  std::shared_ptr<const PyramidNetwork> network;
  Pipeline pipeline;
};

inline SamplerModel six_steps() {
  SamplerModel model;
  model.process.prediction = Prediction::Velocity;
  model.solver.steps = 6;
  return model;
}

inline Sampled make_sampled(PyramidOptions options = labelled(), SamplerModel model = six_steps()) {
  auto network = std::make_shared<const PyramidNetwork>(std::move(options));
  return {network, make_pipeline(network, std::move(model))};
}

/// What `call` throws as InvalidArgument says.
template <class Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace adadiff::test
