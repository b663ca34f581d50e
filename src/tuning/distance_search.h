// Searches for the plan, with a guide, that is best for a budget, judged by how far its images are
// from real ones. Steps, thresholds, tilt, guide and weight are chosen together.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <adadiff/pipeline.h>

#include "metrics/grouped_distance.h"
#include "tuning/budget_search.h"

namespace adadiff::detail {

/// How good the images of one trial are.
struct MeasuredImages {
  GroupedDistance distance;  ///< from real images; smaller is better
  double recall = 0;         ///< share of real images that the generated ones cover
};
using Measure = std::function<MeasuredImages(const Images& images)>;

struct DistanceSearch {
  double budget = 0;  ///< compute per sample, in full-depth evaluations of the network; at least 1
  /// What to draw: samples, seed, labels, guidance, solver (its steps are replaced).
  Request request;
  /// The lowest recall allowed, in [0, 1]; unset: the recall of plain full depth at the budget.
  std::optional<double> recall_floor = {};
  int most_steps = 0;               ///< most steps that are tried; 0: three times the budget
  bool guides = true;               ///< whether plans may have a guide
  int most_trials = 40;             ///< most sets of images that are measured
  std::int64_t cost_samples = 150;  ///< how many of the request's samples are drawn to fit a
                                    ///< threshold to the budget
  double tolerance = 0.025;         ///< how far the cost of a threshold may stay below the budget,
                                    ///< as a share of it
};

/// What was tried in one trial, and what it gave.
struct DistanceTrial {
  int steps = 0;
  float threshold = 0;  ///< 0: full depth; with a tilt, the geometric mean of the thresholds at the
                        ///< first and the last evaluation
  double tilt = 1;      ///< threshold at the last evaluation divided by that at the first
  int guide = 0;        ///< Guide::exit; 0: no guide
  double weight = 1;    ///< Guide::weight
  double cost = 0;      ///< full-depth evaluations per sample
  MeasuredImages found;
};

struct DistanceResult {
  DistanceTrial full_depth;  ///< plain full depth with as many steps as the budget pays for
  double recall_floor = 0;
  std::vector<DistanceTrial> trials;  ///< in the order in which they were tried
  /// The best of the trials that cost at most 1.003 times the budget (a guide adds one head to the
  /// cost of full depth) and do not fall below the floor. Chance decides between distances that are
  /// within one standard error of the smallest, so among those trials the one with the largest
  /// recall is the best. Equals full_depth where there is none.
  DistanceTrial best;
  bool keeps_floor = true;     ///< false: no trial kept the floor, and best is plain full depth
  double gain_half_width = 0;  ///< half the width of the 95 % interval around the difference
                               ///< between the distances of full_depth and best
  Plan plan;                   ///< best as a plan with its solver settings and the model's id
};

/// Starts at about half the depth, guided with weight 1.8 by the exit after a third of the depth,
/// and descends along one coordinate after the other as long as a move makes the distance smaller.
/// All trials start from the same noise. The search prefers distances that are small by chance, so
/// the plan must be judged anew on other noise. Throws InvalidArgument.
DistanceResult search_distance(const DistanceSearch& search, const ModelSummary& model,
                               const Runner& run, const Measure& measure);

/// Half the width of the 95 % interval around the difference of two distances of images from the
/// same noise. Throws InvalidArgument unless both have the same number of groups.
double difference_half_width(const GroupedDistance& first, const GroupedDistance& second);

}  // namespace adadiff::detail
