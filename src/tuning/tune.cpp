// The functions of tuning.h: a pipeline's runs, told to an observer, for a comparison or a search.
#include <adadiff/tuning.h>

#include <string>
#include <utility>

#include "core/check.h"
#include "tuning/budget_search.h"
#include "tuning/comparison.h"
#include "tuning/distance_search.h"
#include "tuning/observed_run.h"

namespace adadiff {

Comparison compare_with_full_depth(const Pipeline& pipeline, const Request& request, int pairs,
                                   const TuningObserver& observer) {
  detail::require_range("pairs", pairs, 1, 1000);
  const double runs = 2 * (pairs + 1);
  return detail::compare(request, pairs, pipeline.model(),
                         detail::counting_runner(pipeline, observer, runs));
}

PairedTuningResult tune_by_paired_error(const Pipeline& pipeline,
                                        const PairedTuningOptions& options,
                                        const TuningObserver& observer) {
  return detail::search_budget(options, pipeline.model(),
                               detail::counting_runner(pipeline, observer, 0));
}

/// Trials are counted where their images are measured; a run that draws fewer samples only fits a
/// threshold.
DistanceTuningResult tune_by_distance(const Pipeline& pipeline, const ImageMeasure& measure,
                                      const DistanceTuningOptions& options,
                                      const TuningObserver& observer) {
  if (!measure) detail::raise({"tune_by_distance.measure", "be set", "is empty"});
  double done = 0;
  const ImageMeasure counted = [&](const Images& images) {
    ImageQuality found = measure(images);
    ++done;
    return found;
  };
  const detail::Runner run = [&](const Request& request, const std::string& note) {
    const bool draws_all = request.count == options.samples;
    return detail::run_observed(pipeline, request, [&](const Progress& progress) {
      const double share = draws_all ? detail::share_done(progress) : 0;
      return !observer || observer({.note = note,
                                    .run = progress,
                                    .done = done + share,
                                    .total = static_cast<double>(options.most_trials)});
    });
  };
  return detail::search_distance(options, pipeline.model(), run, counted);
}

}  // namespace adadiff
