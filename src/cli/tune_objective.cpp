// Opens features and reference once, and compares every set of images with them.
#include "cli/tune_objective.h"

#include <memory>
#include <utility>

#include "cli/bundled_model.h"
#include "core/check.h"
#include "metrics/precision_recall.h"

namespace adadiff::cli {
namespace {

constexpr int kGroups = 10;  // of images, for the interval of a difference

struct Yardstick {
  std::unique_ptr<detail::FeatureExtractor> extractor;
  detail::RealFeatures real;
};

detail::RealFeatures open_reference(const ObjectiveFlags& flags,
                                    const detail::FeatureExtractor& extractor,
                                    const ModelSummary& model) {
  detail::RealFeatures real = reference_features(flags.reference, extractor,
                                                 feature_dimensions(extractor, model), model)
                                  .seen;
  if (!real.features) {
    detail::raise({"--reference", "have images, or features of each, for the recall",
                   flags.reference.path + " has statistics only"});
  }
  return real;
}

}  // namespace

detail::Measure open_objective(const ObjectiveFlags& flags, const ModelSummary& model,
                               std::int64_t samples) {
  const bool is_kernel = flags.name == "kid";
  const auto yardstick = std::make_shared<Yardstick>();
  yardstick->extractor = detail::open_features(features_path(flags.features));
  yardstick->real = open_reference(flags, *yardstick->extractor, model);
  detail::check_quality(yardstick->real, samples, {.groups = kGroups});
  return [yardstick, is_kernel](const Images& images) {
    const detail::Features generated = yardstick->extractor->extract(images).features;
    const detail::Features& real = *yardstick->real.features;
    return detail::MeasuredImages{
        .distance = is_kernel ? detail::grouped_kernel_distance(real, generated, kGroups)
                              : detail::grouped_frechet_distance(*yardstick->real.gaussian,
                                                                 generated, kGroups),
        .recall = detail::recall(real, generated)};
  };
}

}  // namespace adadiff::cli
