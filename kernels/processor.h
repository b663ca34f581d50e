// What the processor that runs this code can do.
#pragma once

namespace adadiff::kernels {

/// Whether the loops compiled for AVX2 and FMA may be called: the build has these loops, and the
/// processor has the instructions.
bool has_avx2_and_fma();
/// The same for AVX-512F, the foundation of AVX-512.
bool has_avx512();
/// Whether the processor has instructions for products of bfloat16; true where there is no way to
/// find out.
bool has_bfloat16();

}  // namespace adadiff::kernels
