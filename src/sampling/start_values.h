// The numbers that a sample starts from.
#pragma once

#include <cstdint>

#include "sampling/sample_job.h"

namespace adadiff::detail {

/// Writes standard normal noise, image_values() of it, as a pure function of the job's seed, the
/// purpose (core/noise_purpose.h), the evaluation and the sample.
void fill_noise(const SampleJob& job, std::uint32_t purpose, int evaluation, std::int64_t sample,
                float* out);

/// Writes the state that a sample starts from: its noise, or its start image with noise added.
void write_start(const SampleJob& job, std::int64_t sample, float* out);

}  // namespace adadiff::detail
