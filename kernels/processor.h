// What the processor at hand can do.
#pragma once

namespace adadiff::kernels {

/// Whether the loops compiled for AVX2 and FMA may be called: the build has them and the processor does too.
bool has_avx2_and_fma();

}  // namespace adadiff::kernels
