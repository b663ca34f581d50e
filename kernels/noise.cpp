// Checks, and the choice of the loop that fits the processor.
#include "kernels/noise.h"

#include "kernels/noise_loop.h"
#include "kernels/processor.h"

namespace adadiff::kernels {
namespace {

const NoiseLoops& loops() {
  static const NoiseLoops chosen = has_avx2_and_fma() ? avx2_noise_loops() : portable_noise_loops();
  return chosen;
}

template <class T>
Status fill(void (*loop)(const NoiseKey&, T*, std::int64_t), const NoiseKey& key, T* out,
            std::int64_t count) {
  if (count < 0 || count > kLongestNoise || (out == nullptr && count > 0))
    return Status::InvalidArgument;
  loop(key, out, count);
  return Status::Ok;
}

}  // namespace

NoiseLoops portable_noise_loops() { return loops_compiled_here(); }

Status fill_normal(const NoiseKey& key, float* out, std::int64_t count) {
  return fill(loops().normal, key, out, count);
}

Status fill_uniform(const NoiseKey& key, float* out, std::int64_t count) {
  return fill(loops().uniform, key, out, count);
}

Status fill_bits(const NoiseKey& key, std::uint32_t* out, std::int64_t count) {
  return fill(loops().bits, key, out, count);
}

}  // namespace adadiff::kernels
