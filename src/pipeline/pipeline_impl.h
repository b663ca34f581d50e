// What stands behind a Pipeline: a network, how to use it, and what is derived from both once.
#pragma once

#include <memory>
#include <string>

#include <adadiff/network.h>
#include <adadiff/pipeline.h>
#include <adadiff/sampler.h>

#include "plans/compile.h"

namespace adadiff {

struct Pipeline::Impl {
  std::shared_ptr<const Network> network;
  SamplerModel model;
  detail::ModelFacts facts;
  ModelSummary summary;
};

namespace detail {

/// Checks network and description against each other and derives the rest; what only a file knows
/// stays empty in the summary. Throws InvalidArgument.
std::shared_ptr<Pipeline::Impl> make_pipeline_impl(std::shared_ptr<const Network> network,
                                                   SamplerModel model);
/// The same for a model file, read once. Throws FileError, ModelError, DeviceError.
std::shared_ptr<Pipeline::Impl> open_pipeline_impl(const std::string& path);

}  // namespace detail
}  // namespace adadiff
