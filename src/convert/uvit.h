// Checkpoints of the official U-ViT and AdaDiff code, for conversion.
#pragma once

#include "convert/families.h"

namespace adadiff::detail {

/// State dicts with the names of the official U-ViT (github.com/baofff/U-ViT). Those of AdaDiff
/// also have certainty modules (lte_classifer.K.lte), which become uncertainty modules with weight
/// and bias negated.
ForeignFamily uvit_family();

}  // namespace adadiff::detail
