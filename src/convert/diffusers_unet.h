// Checkpoints of diffusers' UNet2DModel, for conversion.
#pragma once

#include "convert/families.h"

namespace adadiff::detail {

ForeignFamily diffusers_unet_family();

}  // namespace adadiff::detail
