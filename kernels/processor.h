// What the processor at hand can do.
#pragma once

namespace adadiff::kernels {

/// Whether the loops compiled for AVX2 and FMA may be called: the build has them and the processor does too.
bool has_avx2_and_fma();
/// The same for AVX-512 (its foundation, F).
bool has_avx512();

}  // namespace adadiff::kernels
