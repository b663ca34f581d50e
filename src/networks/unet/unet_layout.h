// The parameters of a UNet: their shapes, official names, first values, and what they cost.
#pragma once

#include "networks/unet/unet.h"

namespace adadiff::detail {

UNetParameters make_parameters(const UNetConfig& config, const std::vector<UNetBlockShape>& shapes);
void visit_parameters(UNetParameters& parameters, const std::vector<UNetBlockShape>& shapes,
                      const TensorVisitor& visitor);

/// A copy whose weights have that type; it shares those that have it already.
UNetBlock in_type(const UNetBlock& block, at::ScalarType type);

}  // namespace adadiff::detail
