// adadiff::train: opens the files that the options name, and trains.
#include <adadiff/training.h>

#include "core/check.h"
#include "device/torch_errors.h"
#include "training/option_checks.h"
#include "training/trainer.h"

namespace adadiff {
namespace {

void require_path(const char* field, const std::string& path) {
  if (path.empty())
    detail::raise({std::string("TrainingOptions.") + field, "name a file", "is empty"});
}

}  // namespace

TrainingImages describe_images(const TrainingOptions& options) {
  require_path("images", options.images);
  const auto images = detail::open_images(options);
  return detail::training_images(*images);
}

TrainingResult train(const TrainingOptions& options, const TrainingObserver& observer,
                     const std::stop_token& stop) {
  detail::check_options(options);
  require_path("images", options.images);
  require_path("model", options.model);
  if (options.trained == Trained::Exits && options.from.empty()) {
    detail::raise(
        {"TrainingOptions.from", "name a trained model where exits alone are trained", "is empty"});
  }
  try {
    const auto images = detail::open_images(options);
    return detail::train_task(options, detail::make_task(options, *images), *images, observer,
                              stop);
  } catch (const c10::Error& error) {
    detail::raise_torch_failure<Error>("train", error);
  }
}

}  // namespace adadiff
