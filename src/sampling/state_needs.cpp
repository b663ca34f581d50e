// What a job's samples take in memory.
#include <algorithm>

#include "sampling/state_backend.h"

namespace adadiff::detail {
namespace {

bool needs(const ExecutablePlan& plan, double Evaluation::*coefficient) {
  return std::any_of(plan.evaluations.begin(), plan.evaluations.end(),
                     [coefficient](const auto& e) { return e.update.*coefficient != 0; });
}

bool scales_input(const ExecutablePlan& plan) {
  return std::any_of(plan.evaluations.begin(), plan.evaluations.end(),
                     [](const auto& e) { return e.prediction.input_scale != 1; });
}

/// Enough for what updates look back on, and for the prediction of the last whole step to outlive
/// the step in progress.
int clean_images(const ExecutablePlan& plan) {
  int images = 1;
  for (const CompiledEvaluation& evaluation : plan.evaluations) {
    for (int back = 0; back < kPredictionHistory; ++back) {
      if (evaluation.update.prediction[static_cast<std::size_t>(back)] != 0)
        images = std::max(images, back + 1);
    }
    images = std::max(images, evaluation.update.stage + 1);
  }
  return images + 1;
}

}  // namespace

StateNeeds needs_of(const SampleJob& job) {
  return {.clean_images = clean_images(job.plan),
          .base = needs(job.plan, &Evaluation::base),
          .noise = needs(job.plan, &Evaluation::noise),
          .unclamped = needs(job.plan, &Evaluation::unclamped),
          .input = job.branches() == 2 || scales_input(job.plan)};
}

std::int64_t batch_bytes(const SampleJob& job) {
  const NetworkInfo& info = job.network->info();
  const StateNeeds needs = needs_of(job);
  const int branches = job.branches();
  const int predictions = 1 + job.plan.guide_slots();  // those of guides are held by the execution
  std::int64_t channels = info.channels * (1 + needs.clean_images) +
                          info.out_channels() * branches * predictions;
  for (const bool has : {needs.base, needs.unclamped}) channels += has ? info.channels : 0;
  if (needs.input) channels += info.channels * branches;
  channels *= job.batch;
  if (needs.noise) channels += info.channels;
  return channels * info.height * info.width * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t image_bytes(const SampleJob& job) {
  return job.count * job.image_values() * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace adadiff::detail
