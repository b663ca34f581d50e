// Stands in for processors and compilers without AVX loops: the portable ones are taken.
#include "kernels/processor.h"

namespace adadiff::kernels {

bool has_avx2_and_fma() { return false; }

bool has_avx512() { return false; }

bool has_bfloat16() { return true; }

}  // namespace adadiff::kernels
