// The parameters of a U-ViT: their shapes, official names, first values, and what they cost.
#pragma once

#include <cstdint>
#include <vector>

#include "networks/uvit/uvit.h"

namespace adadiff::detail {

UViTParameters make_parameters(const UViTConfig& config);
void visit_parameters(UViTParameters& parameters, const TensorVisitor& visitor);
NetworkInfo describe(const UViTConfig& config, NetworkSettings settings);

}  // namespace adadiff::detail
