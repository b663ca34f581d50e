// Golden cases, small random U-ViTs and the comparisons that the network tests share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "networks/uvit/uvit.h"
#include "networks/uvit_reference.h"

namespace adadiff::testing {

/// One file of tests/golden, official names.
struct GoldenCase {
  detail::UViTConfig config;
  TensorMap weights;  ///< without the prefix `net.`
  TensorMap golden;   ///< without the prefix `golden.`: x, network_time, labels, predictions,
                      ///< uncertainties, uncertainty_maps
  at::Tensor labels() const {
    return golden.count("labels") != 0 ? golden.at("labels") : at::Tensor();
  }
};

/// The stems of the golden files.
std::vector<std::string> golden_names();
GoldenCase load_golden(const std::string& name);

/// AdaDiff's certainty modules as our uncertainty modules: other names, opposite sign; all else as
/// it is.
TensorMap to_our_names(const TensorMap& official);

ReferenceSizes sizes_of(const detail::UViTConfig& config);
/// A network with these weights, all exits open; every parameter must be among them.
std::shared_ptr<detail::UViT> make_uvit(const detail::UViTConfig& config, const TensorMap& weights);
/// Weights at 1/sqrt(fan_in), norms around 1, biases around 0.
TensorMap random_weights(const detail::UViTConfig& config, std::uint64_t seed);

/// What a pass is begun with, kept alive.
struct Inputs {
  at::Tensor x, time, labels;
  mutable at::Tensor entries = {};
  PassInputs view() const {
    const bool has = labels.defined();
    entries = has ? at::arange(labels.size(0), at::kLong) : at::Tensor();
    return {x, time, entries, {.labels = has ? &labels : nullptr}};
  }
  Inputs rows(const std::vector<std::int64_t>& which) const;
};
Inputs random_inputs(const detail::UViTConfig& config, std::int64_t rows, std::uint64_t seed);

at::Tensor indices(const std::vector<std::int64_t>& values);
/// Predictions of all rows still in the pass.
at::Tensor predict_all(const ForwardPass& pass, std::int64_t rows,
                       const detail::UViTConfig& config);
at::Tensor score_all(const ForwardPass& pass, std::int64_t rows);
/// Largest difference as a share of the largest expected value.
double relative_error(const at::Tensor& found, const at::Tensor& expected);

}  // namespace adadiff::testing
