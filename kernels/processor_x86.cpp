// Asks an x86 processor.
#include "kernels/processor.h"

namespace adadiff::kernels {

bool has_avx2_and_fma() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

bool has_avx512() { return __builtin_cpu_supports("avx512f") != 0 && has_avx2_and_fma(); }

bool has_bfloat16() { return __builtin_cpu_supports("avx512bf16") != 0; }

}  // namespace adadiff::kernels
