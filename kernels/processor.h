// What the processor at hand can do.
#pragma once

namespace adadiff::kernels {

/// Whether the loops compiled for AVX2 and FMA may be called: the build has them and the processor
/// does too.
bool has_avx2_and_fma();
/// The same for AVX-512 (its foundation, F).
bool has_avx512();
/// Whether the processor has instructions for products of bfloat16. True where there is no way to
/// ask.
bool has_bfloat16();

}  // namespace adadiff::kernels
