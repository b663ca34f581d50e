// What the tests of UNets share: weights that a function gives, and inputs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <ATen/ATen.h>

#include "networks/unet/unet.h"

namespace adadiff::detail {

UNetConfig unet_config(const std::string& json);

/// Every exit but exit 0 where the network has heads per exit, else none.
NetworkSettings unet_settings(const UNetConfig& config);

/// The weight of that name and shape, as weight() in tests/golden/record_unet.py gives it.
at::Tensor unet_weight(const std::string& name, at::IntArrayRef shape);

/// A network with these weights.
std::shared_ptr<UNet> unet_with_weights(const UNetConfig& config);

/// Inputs of an evaluation, which must outlive the view.
struct UNetInputs {
  at::Tensor x, time, labels, pooled;
  mutable at::Tensor entries = {};  ///< made by view()
  PassInputs view() const;
};

/// Of `rows` rows, drawn at random.
UNetInputs unet_inputs(const UNetConfig& config, std::int64_t rows);

/// The largest difference as a share of the largest value.
double relative_error(const at::Tensor& found, const at::Tensor& expected);

/// What the pass predicts for all of `rows` rows.
at::Tensor predict_rows(const ForwardPass& pass, const NetworkInfo& info, std::int64_t rows);

}  // namespace adadiff::detail
