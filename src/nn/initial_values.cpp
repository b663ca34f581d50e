// Initial weights as a pure function of seed and name, so that a new network is the same on every
// machine.
#include <ATen/ATen.h>

#include "core/fnv.h"
#include "core/kernel_status.h"
#include "core/noise_purpose.h"
#include "kernels/noise.h"
#include "nn/layers.h"

namespace adadiff::detail {
namespace {

/// The hash of a parameter's name spreads names over the noise generator's sample counter.
kernels::NoiseKey key_of(std::uint64_t seed, const std::string& name) {
  return {.seed = seed,
          .evaluation = 0,
          .purpose = noise_purpose::kInitialWeights,
          .sample = fnv32(name)};
}

}  // namespace

void fill_uniform_(at::Tensor& tensor, double bound, std::uint64_t seed, const std::string& name) {
  auto values = at::empty(tensor.sizes(), at::kFloat);
  require_ok(kernels::fill_uniform(key_of(seed, name), values.data_ptr<float>(), values.numel()),
             "fill_uniform");
  tensor.copy_(values.mul_(2 * bound).sub_(bound));
}

void fill_normal_(at::Tensor& tensor, double deviation, std::uint64_t seed,
                  const std::string& name) {
  auto values = at::empty(tensor.sizes(), at::kFloat);
  require_ok(kernels::fill_normal(key_of(seed, name), values.data_ptr<float>(), values.numel()),
             "fill_normal");
  tensor.copy_(values.mul_(deviation));
}

}  // namespace adadiff::detail
