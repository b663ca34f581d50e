// adadiff::train: opens the files that the options name, and trains.
#include <adadiff/training.h>

#include <adadiff/trainable_network.h>

#include "core/check.h"
#include "device/torch_errors.h"
#include "training/option_checks.h"
#include "training/task_checks.h"
#include "training/trainer.h"

namespace adadiff {
namespace {

void require_path(const char* field, const std::string& path) {
  if (path.empty())
    detail::raise({std::string("TrainingOptions.") + field, "name a file", "is empty"});
}

/// Torch's errors as errors of the training.
template <class Work>
TrainingResult translated(Work work) {
  try {
    return work();
  } catch (const c10::Error& error) {
    detail::raise_torch_failure<Error>("train", error);
  }
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
  return translated([&] {
    const auto images = detail::open_images(options);
    return detail::train_task(options, detail::make_task(options, *images), *images, observer,
                              stop);
  });
}

TrainingResult train(const TrainingOptions& options,
                     const std::shared_ptr<TrainableNetwork>& network,
                     const TrainingObserver& observer, const std::stop_token& stop) {
  detail::check_options(options);
  require_path("images", options.images);
  require_path("model", options.model);
  if (!network) detail::raise({"train.network", "be set", "is null"});
  if (!options.from.empty()) {
    detail::raise({"TrainingOptions.from", "be left out with a network that the caller made",
                   "is given", "read the weights into the network before"});
  }
  if (options.trained == Trained::Exits) {
    detail::raise(
        {"TrainingOptions.trained", "be all with a network that the caller made", "is exits"});
  }
  return translated([&] {
    check_network(*network);
    const NetworkInfo& info = network->info();
    detail::require_saved_facts(*network);
    const auto images = detail::open_images(options, {info.channels, info.height, info.width});
    TrainingOptions settled = options;
    settled.network = network->config_json();
    return detail::train_task(settled, detail::task_around(settled, network, *images), *images,
                              observer, stop);
  });
}

}  // namespace adadiff
