// Noise, and start images with noise added.
#include "sampling/start_values.h"

#include <algorithm>

#include "core/kernel_status.h"
#include "core/noise_purpose.h"
#include "kernels/noise.h"
#include "sampling/update.h"

namespace adadiff::detail {

void fill_noise(const SampleJob& job, std::uint32_t purpose, int evaluation, std::int64_t sample,
                float* out) {
  const kernels::NoiseKey key{job.seed, static_cast<std::uint32_t>(evaluation), purpose,
                              static_cast<std::uint32_t>(sample)};
  require_ok(kernels::fill_normal(key, out, job.image_values()), "fill_normal");
}

void write_start(const SampleJob& job, std::int64_t sample, float* out) {
  const std::int64_t values = job.image_values();
  if (job.initial_noise.empty()) {
    fill_noise(job, noise_purpose::kInitialNoise, 0, sample, out);
  } else {
    std::copy_n(job.initial_noise.data() + sample * values, values, out);
  }
  if (job.start_image.empty()) {
    if (job.start_sigma == 1) return;
    const Term noise[] = {{job.start_sigma, out}};
    combine(noise, out, values);
    return;
  }
  const Term terms[] = {{job.start_alpha, job.start_image.data() + sample * values},
                        {job.start_sigma, out}};
  combine(terms, out, values);
}

}  // namespace adadiff::detail
