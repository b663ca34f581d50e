// Stands in for processors and compilers without AVX2 loops: the portable ones are taken.
#include "kernels/processor.h"

namespace adadiff::kernels {

bool has_avx2_and_fma() { return false; }

}  // namespace adadiff::kernels
