// The compiled copies of the CPU loops, for the code that chooses between them and for tests.
// Arguments are checked by the caller.
#pragma once

#include <cstdint>

#include "kernels/exit_score.h"
#include "kernels/noise.h"

namespace adadiff::kernels {

struct NoiseLoops {
  void (*normal)(const NoiseKey&, float*, std::int64_t) = nullptr;
  void (*uniform)(const NoiseKey&, float*, std::int64_t) = nullptr;
  void (*bits)(const NoiseKey&, std::uint32_t*, std::int64_t) = nullptr;
};
using ExitScoreLoop = void (*)(const ExitScore&);

NoiseLoops portable_noise_loops();
ExitScoreLoop portable_exit_score_loop();

/// To be called only where has_avx2_and_fma() (kernels/processor.h).
NoiseLoops avx2_noise_loops();
ExitScoreLoop avx2_exit_score_loop();
/// To be called only where has_avx512().
ExitScoreLoop avx512_exit_score_loop();

}  // namespace adadiff::kernels
