// Ranges of training options.
#include "training/option_checks.h"

#include <cstdint>
#include <string>

#include <adadiff/noise_schedule.h>
#include <adadiff/solver.h>

#include "core/check.h"
#include "training/checkpoint.h"
#include "training/own_runs.h"

namespace adadiff::detail {
namespace {

/// Range checks that name the field.
template <class T>
void require_field(const char* field, T value, T low, T high) {
  require_range(std::string("TrainingOptions.") + field, value, low, high);
}

}  // namespace

void check_options(const TrainingOptions& o) {
  constexpr std::int64_t kMany = std::int64_t{1} << 31;
  require_field<std::int64_t>("checkpoint_every", o.checkpoint_every, 1, kMany);
  require_field<std::int64_t>("size", o.size, 0, 4096);
  require_field<std::int64_t>("run_steps", o.run_steps, 0, kMostRunSteps);
  if (!o.run_solver.empty()) find_solver(o.run_solver);
  if (o.images != kNoImages && !o.conditions.empty()) {
    raise({"TrainingOptions.conditions", "go with images \"none\"", "goes with " + show(o.images)});
  }
  if (o.images == kNoImages && o.trained != Trained::Exits) {
    raise({"TrainingOptions.images", "be given where more than the exits is trained",
           "is " + show(o.images), "train the exits alone, or name images"});
  }
  if (o.channels != 0 && o.channels != 1 && o.channels != 3) {
    raise({"TrainingOptions.channels", "be 0, 1 or 3", "is " + show(o.channels)});
  }
  require_field("label_drop", o.label_drop, 0.0, 1.0);
  require_field("lambda", o.loss.lambda, 0.0, 1000.0);
  require_field("beta", o.loss.beta, 0.0, 1000.0);
  require_field("distillation", o.loss.distillation, 0.0, 1.0);
  if (o.loss.distillation > 0 && o.loss.weights == LayerWeights::Normalised) {
    raise({"TrainingOptions.distillation",
           "be 0 with normalised weights, which take the last exit in",
           "is " + show(o.loss.distillation)});
  }
  if (o.loss.distilled_exits == DistilledExits::One && o.loss.distillation == 0) {
    raise({"TrainingOptions.distilled_exits", "be all where distillation is 0", "is one",
           "give distillation a share in (0, 1]"});
  }
  require_field<std::int64_t>("batch", o.batch, 1, 65536);
  require_field("learning_rate", o.learning_rate, 0.0, 100.0);
  require_field("uncertainty_learning_rate", o.uncertainty_learning_rate, 0.0, 100.0);
  require_field("matrix_learning_rate", o.matrix_learning_rate, 0.0, 100.0);
  require_field<std::int64_t>("warmup", o.warmup, 0, kMany);
  require_field("beta1", o.beta1, 0.0, 0.999999);
  require_field("beta2", o.beta2, 0.0, 0.999999);
  require_field("weight_decay", o.weight_decay, 0.0, 100.0);
  require_field("clip", o.clip, 0.0, 1e6);
  if (o.precision != Precision::Float32 && o.precision != Precision::BFloat16) {
    raise({"TrainingOptions.precision", "be Float32 or BFloat16", "is another"});
  }
  require_field("ema", o.ema, 0.0, 0.999999999);
  require_field<std::int64_t>("steps", o.steps, 1, kMostSteps);
  require_field("minutes", o.minutes, 0.0, 1e6);
  find_schedule(o.schedule);
}

}  // namespace adadiff::detail
