// Checkpoints of the official DiT and SiT code, for conversion.
#pragma once

#include "convert/families.h"

namespace adadiff::detail {

/// State dicts of github.com/facebookresearch/DiT; of a training's file, the averaged weights.
ForeignFamily dit_family();
/// The same tensors, trained as a flow (github.com/willisma/SiT).
ForeignFamily sit_family();

}  // namespace adadiff::detail
