// The exit score's loops compiled for AVX2 and FMA; called only where the processor has both.
#include "kernels/exit_score_loop.h"
#include "kernels/loops.h"

namespace adadiff::kernels {

ExitScoreLoop avx2_exit_score_loop() { return score_rows; }

}  // namespace adadiff::kernels
