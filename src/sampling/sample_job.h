// What a run executes: a request that has been checked and joined with a model.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include <adadiff/exit_policy.h>
#include <adadiff/network.h>
#include <adadiff/trace.h>

#include "plans/compile.h"
#include "sampling/conditions.h"

namespace adadiff::detail {

struct SampleJob {
  std::shared_ptr<const Network> network;
  ExecutablePlan plan;
  std::shared_ptr<const ExitPolicy> policy;
  std::int64_t count = 1, batch = 1;  ///< batch <= count
  std::uint64_t seed = 0;
  int threads = 0;  ///< ThreadLimit's
  Conditions conditions;
  double guidance = 1;               ///< other than 1: two branches
  std::int64_t guided_channels = 0;  ///< the first channels, which guidance acts on
  Process process;
  std::vector<float> initial_noise;  ///< [count, C, H, W] or empty
  std::vector<float> start_image;    ///< [count, C, H, W] or empty
  /// The first state = start_alpha * start image + start_sigma * noise.
  double start_alpha = 0, start_sigma = 1;
  std::stop_token stop;
  std::function<bool(const Progress&)> observer;

  int branches() const { return guidance == 1 ? 1 : 2; }
  std::int64_t image_values() const {
    const NetworkInfo& info = network->info();
    return info.channels * info.height * info.width;
  }
};

}  // namespace adadiff::detail
