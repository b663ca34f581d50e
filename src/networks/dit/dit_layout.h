// The parameters of a DiT: their shapes, official names, first values, and what they cost.
#pragma once

#include "networks/dit/dit.h"

namespace adadiff::detail {

DiTParameters make_parameters(const DiTConfig& config);
void visit_parameters(DiTParameters& parameters, const TensorVisitor& visitor);

/// A copy whose weights have that type, except for the modulation's; it shares those that have it
/// already.
DiTBlock in_type(const DiTBlock& block, at::ScalarType type);

}  // namespace adadiff::detail
