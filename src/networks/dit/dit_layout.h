// The parameters of a DiT: their shapes, official names, first values, and what they cost.
#pragma once

#include "networks/dit/dit.h"

namespace adadiff::detail {

DiTParameters make_parameters(const DiTConfig& config);
void visit_parameters(DiTParameters& parameters, const TensorVisitor& visitor);

}  // namespace adadiff::detail
