// What a kind of pass needs to have prepared of a network's weights, made once and shared.
#pragma once

#include <adadiff/trainable_network.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/device.h>

namespace adadiff::detail {

/// The type of numbers of that precision. Throws InvalidArgument for those that no network of this
/// build runs in.
at::ScalarType scalar_type(Precision precision);

/// The number types that blocks made of products run in on a device without being slower than in
/// float32: bfloat16 only where the processor multiplies it.
std::vector<Precision> block_precisions(const Device& device);

/// Changes whenever a parameter is replaced, or written to in place by an operator of torch or by
/// this library's optimisers. Writes to inference tensors are not seen.
std::uint64_t version_of(const std::function<void(const TensorVisitor&)>& visit);

/// The prepared weights of one network by precision. Safe to use from any thread.
template <class Weights>
class PreparedWeights {
 public:
  /// What make(precision) gave for these versions of the parameters, made anew where there is none.
  template <class Make>
  std::shared_ptr<const Weights> get(Precision precision, std::uint64_t version, Make make) {
    const std::scoped_lock lock(mutex_);
    auto& [made_for, weights] = weights_[precision];
    if (!weights || made_for != version) {
      weights = make(precision);
      made_for = version;
    }
    return weights;
  }

 private:
  std::mutex mutex_;
  std::map<Precision, std::pair<std::uint64_t, std::shared_ptr<const Weights>>> weights_;
};

}  // namespace adadiff::detail
