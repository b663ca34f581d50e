// The parameters of a U-ViT: their shapes, official names, first values, and what they cost.
#pragma once

#include <cstdint>
#include <vector>

#include "networks/uvit/uvit.h"

namespace adadiff::detail {

UViTParameters make_parameters(const UViTConfig& config);
void visit_parameters(UViTParameters& parameters, const TensorVisitor& visitor);
/// A copy whose weights have that type; it shares those that have it already.
UViTBlock in_type(const UViTBlock& block, at::ScalarType type);
NetworkInfo describe(const UViTConfig& config, NetworkSettings settings);

}  // namespace adadiff::detail
