// The exit score's loops compiled for AVX-512; called only where the processor has it.
#include "kernels/exit_score_loop.h"
#include "kernels/loops.h"

namespace adadiff::kernels {

ExitScoreLoop avx512_exit_score_loop() { return score_rows; }

}  // namespace adadiff::kernels
