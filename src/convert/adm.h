// Checkpoints of the official ADM code and of its relatives, for conversion.
#pragma once

#include "convert/families.h"

namespace adadiff::detail {

/// State dicts of github.com/openai/guided-diffusion, improved-diffusion and consistency_models.
ForeignFamily adm_family();

}  // namespace adadiff::detail
