// Computes all metrics of a set, and judges what they rest on.
#include "metrics/quality.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "training/class_names.h"

namespace adadiff::detail {
namespace {

void compare_sets(const Features& real, const Features& generated, const QualityOptions& options,
                  Quality& quality) {
  KernelSubsets drawn = options.subsets;
  drawn.size = subset_size(real.rows(), generated.rows(), options.subsets);
  // Subsets as large as a set all hold the same samples of it, so how much they deviate from each
  // other says nothing about that set.
  const bool is_whole = drawn.size == std::min(real.rows(), generated.rows());
  if (is_whole && real.rows() == generated.rows()) drawn.count = 1;
  const auto subsets = draw_kernel_subsets(real.rows(), generated.rows(), drawn, options.seed);
  quality.subset_size = drawn.size;
  quality.kernel = kernel_distance(real, generated, subsets);
  if (is_whole) quality.kernel->deviation = std::numeric_limits<double>::quiet_NaN();
  if (std::min(real.rows(), generated.rows()) > options.neighbours) {
    quality.manifold = precision_recall(real, generated, options.neighbours);
  }
  if (options.groups > 0)
    quality.grouped_kernel = grouped_kernel_distance(real, generated, options.groups);
}

}  // namespace

void check_quality(const RealFeatures& real, std::int64_t samples, const QualityOptions& options) {
  if (real.features && real.features->rows() < 2) {
    raise({"reference", "be of at least 2 images",
           "is of " + show(std::int64_t{real.features->rows()})});
  }
  if ((real.features || real.gaussian) && samples < 2)
    raise({"samples", "be at least 2 for a distance", "are " + show(samples)});
  if (options.groups == 0) return;
  if (samples < 2 * kFewestGroups) {
    raise({"samples", "be at least " + show(2 * kFewestGroups) + " for groups of them",
           "are " + show(samples)});
  }
  require_range<InvalidArgument, std::int64_t>("groups", options.groups, kFewestGroups,
                                               samples / 2);
}

Quality measure_quality(const RealFeatures& real, const Features& generated,
                        const QualityOptions& options) {
  check_quality(real, generated.rows(), options);
  Quality quality;
  if (real.gaussian) {
    quality.frechet = real.gaussian->distance(generated);
    if (options.groups > 0)
      quality.grouped_frechet = grouped_frechet_distance(*real.gaussian, generated, options.groups);
  }
  if (real.features) compare_sets(*real.features, generated, options, quality);
  return quality;
}

std::vector<std::string> doubts(const Evidence& evidence) {
  constexpr std::int64_t kFewImages = 500;
  constexpr double kLowAccuracy = 0.8;
  std::vector<std::string> all;
  const auto [samples, references, dimensions, accuracy] = evidence;
  if (references > 0 && std::min(samples, references) < kFewImages) {
    all.push_back("distances, precision and recall of " + show(samples) + " generated and " +
                  show(references) + " real images say little; a few thousand of each are usual");
  }
  if (references > 0 && samples <= dimensions) {
    all.push_back("with fewer generated images than the " + show(dimensions) +
                  " features the Fréchet distance is too large");
  }
  if (accuracy && *accuracy < kLowAccuracy) {
    all.push_back("the classifier knows the class of " + show(std::lround(100 * *accuracy)) +
                  " % of its test images only, so what it sees says little");
  }
  return all;
}

std::optional<std::vector<std::int64_t>> classes_of_labels(
    const std::vector<std::int64_t>& labels, const std::vector<std::string>& model_names,
    const std::vector<std::string>& classifier_names) {
  if (model_names.empty() || classifier_names.empty()) return labels;
  std::vector<std::int64_t> classes;
  classes.reserve(labels.size());
  for (const std::int64_t label : labels) {
    if (label < 0 || label >= std::ssize(model_names)) return std::nullopt;
    const std::optional<std::int64_t> found = find_class(
        classifier_names, model_names[static_cast<std::size_t>(label)]);
    if (!found) return std::nullopt;
    classes.push_back(*found);
  }
  return classes;
}

double class_agreement(const std::vector<std::int64_t>& classes,
                       const std::vector<std::int64_t>& labels) {
  if (classes.empty() || labels.empty())
    raise({"class_agreement", "be given classes and labels", "one of them is empty"});
  std::int64_t right = 0;
  for (std::size_t i = 0; i < classes.size(); ++i)
    right += classes[i] == labels[i % labels.size()] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(classes.size());
}

}  // namespace adadiff::detail
