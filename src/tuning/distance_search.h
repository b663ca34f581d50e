// The best plan with a guide for a budget, by how far its images are from real ones: steps,
// thresholds, tilt, guide and weight together.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <adadiff/pipeline.h>

#include "metrics/grouped_distance.h"
#include "tuning/budget_search.h"

namespace adadiff::detail {

/// What the images of one trial are worth.
struct MeasuredImages {
  GroupedDistance distance;  ///< from real images; smaller is better
  double recall = 0;         ///< share of real images that the generated ones cover
};
using Measure = std::function<MeasuredImages(const Images& images)>;

struct DistanceSearch {
  double budget = 0;  ///< compute per sample, in full-depth evaluations of the network; at least 1
  Request
      request;  ///< what to draw: samples, seed, labels, guidance, solver (its steps are replaced)
  /// In [0, 1]; unset: the recall of plain full depth at the budget.
  std::optional<double> recall_floor = {};
  int most_steps = 0;               ///< that are tried; 0: three times the budget
  bool guides = true;               ///< whether plans may have one
  int most_trials = 40;             ///< sets of images that are measured, at most
  std::int64_t cost_samples = 150;  ///< how many of the request's samples are drawn to fit a
                                    ///< threshold to the budget
  double tolerance = 0.025;         ///< of the budget that a threshold may miss it by, downwards
};

/// What was tried, and what it gave.
struct DistanceTrial {
  int steps = 0;
  float threshold = 0;  ///< 0: full depth; with a tilt the geometric mean of the first evaluation's
                        ///< and the last one's
  double tilt = 1;      ///< the last one's over the first one's
  int guide = 0;        ///< Guide::exit; 0: no guide
  double weight = 1;    ///< Guide::weight
  double cost = 0;      ///< full-depth evaluations per sample
  MeasuredImages found;
};

struct DistanceResult {
  DistanceTrial full_depth;  ///< plain, as many steps as the budget pays for
  double recall_floor = 0;
  std::vector<DistanceTrial> trials;  ///< in the order in which they were tried
  /// Of the trials within 1.003 times the budget (a guide costs full depth one head more) and not
  /// below the floor: the one with the largest recall among those whose distance is within one
  /// standard error of the smallest, since chance decides among these; full_depth where there is
  /// none.
  DistanceTrial best;
  bool keeps_floor = true;     ///< false: no trial did, and best is plain full depth
  double gain_half_width = 0;  ///< of the 95 % interval around the difference of distances between
                               ///< full_depth and best
  Plan plan;                   ///< best as a plan with its solver settings and the model's id
};

/// Descends from about half the depth, guided by the exit after a third of it with weight 1.8, one
/// coordinate after the other, as long as a step makes the distance smaller. All trials start from
/// the same noise. The search prefers small distances by chance: judge the plan anew on other
/// noise. Throws InvalidArgument.
DistanceResult search_distance(const DistanceSearch& search, const ModelSummary& model,
                               const Runner& run, const Measure& measure);

/// Half the width of the 95 % interval around the difference of two distances of images from the
/// same noise. Throws InvalidArgument unless both have the same number of groups.
double difference_half_width(const GroupedDistance& first, const GroupedDistance& second);

}  // namespace adadiff::detail
