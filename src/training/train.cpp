// adadiff::train: from files to a training.
#include <adadiff/training.h>

#include <numeric>
#include <optional>

#include <c10/util/Exception.h>

#include "core/check.h"
#include "io/json_reader.h"
#include "networks/registry.h"
#include "networks/uvit_config.h"
#include "training/data.h"
#include "training/trainer.h"

namespace adadiff {
namespace {

using detail::ImageSet;

/// Parameters of the largest network. Weights, gradients, two moments and averages are five float32 copies: 40 GiB for this many.
constexpr std::int64_t kMostParameters = std::int64_t{1} << 31;

/// The U-ViT that the sizes in the options describe: a time MLP, heads per exit, the timed map as UEM, one label row more than classes.
std::string described_network(const TrainingOptions& options, const ImageSet& set) {
  if (set.height != set.width) {
    detail::raise(
        {"TrainingOptions.images", "be square for a U-ViT", "are " + detail::show(set.height) + " by " + detail::show(set.width)});
  }
  detail::UViTConfig config;
  config.image_size = set.height;
  config.channels = set.channels;
  config.patch_size = options.patch;
  config.width = options.width;
  config.depth = options.depth;
  config.heads = options.heads;
  config.label_rows = set.classes > 0 ? set.classes + 1 : 0;
  config.time_mlp = true;
  config.heads_per_exit = true;
  return to_json(config);
}

/// The label embedding's last row means "no label" where the data has no class for it.
std::int64_t null_label(const detail::JsonReader& network, const ImageSet& set) {
  const auto rows = network.optional("label_rows");
  return rows && rows->as_int(0, 1'000'000) > set.classes ? rows->as_int(0, 1'000'000) - 1 : -1;
}

std::shared_ptr<detail::TrainableNetwork> fresh_network(const TrainingOptions& options, const ImageSet& set) {
  const std::string text = options.network.empty() ? described_network(options, set) : options.network;
  const detail::JsonReader document(text, "TrainingOptions.network");
  std::vector<int> every_exit(static_cast<std::size_t>(detail::count_blocks(document)));
  std::iota(every_exit.begin(), every_exit.end(), 0);  // exit 0 too: the data's standard deviation is known here
  auto network =
      detail::make_network(document, {.exits = every_exit, .null_label = null_label(document, set), .most_values = kMostParameters});
  network->initialise(options.seed);
  return network;
}

/// Torch's messages go on with stacks and places in its sources.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

void require_path(const char* field, const std::string& path) {
  if (path.empty()) detail::raise({std::string("TrainingOptions.") + field, "name a file", "is empty"});
}

}  // namespace

TrainingResult train(const TrainingOptions& options, const TrainingObserver& observer, const std::stop_token& stop) {
  detail::check_options(options);
  require_path("images", options.images);
  require_path("model", options.model);
  try {
    const ImageSet set = detail::read_image_set(options.images, options.labels);
    return detail::train_network(options, fresh_network(options, set), set, observer, stop);
  } catch (const c10::Error& error) {
    detail::raise<Error>({"train", "get through torch", "it failed: " + first_line(error.what_without_backtrace())});
  }
}

}  // namespace adadiff
