// Opens features and reference once, and compares every set of images with them.
#include "cli/tune_objective.h"

#include <memory>
#include <utility>

#include "cli/bundled_model.h"
#include "core/check.h"
#include "features/feature_extractor.h"
#include "tuning/feature_measure.h"

namespace adadiff::cli {
namespace {

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

ImageMeasure open_objective(const ObjectiveFlags& flags, const ModelSummary& model,
                            std::int64_t samples) {
  const std::shared_ptr<const detail::FeatureExtractor> extractor = detail::open_features(
      features_path(flags.features));
  detail::RealFeatures real = open_reference(flags, *extractor, model);
  detail::check_quality(real, samples, {.groups = detail::kMeasureGroups});
  const auto extract = [extractor](const Images& images) {
    return extractor->extract(images).features;
  };
  const bool is_kernel = flags.name == "kid";
  return detail::feature_measure(std::move(real), extract,
                                 is_kernel ? ImageDistance::Kernel : ImageDistance::Frechet);
}

}  // namespace adadiff::cli
