// The noise loops compiled for AVX2 and FMA; called only where the processor has both.
#include "kernels/noise_loop.h"

namespace adadiff::kernels {

NoiseLoops avx2_noise_loops() { return loops_compiled_here(); }

}  // namespace adadiff::kernels
