// What the searches for a budget share: what they draw, how thresholds are rounded, and how many
// full-depth steps a budget pays for.
#pragma once

#include <adadiff/pipeline.h>

namespace adadiff::detail {

/// Rounds to four digits, so that a plan shows exactly the threshold that was measured.
float rounded_threshold(double threshold);
/// The largest middle threshold with which the ends of the ramp stay below 1.
float largest_threshold(double tilt);

/// A plan whose thresholds rise by equal ratios from the first of `evaluations` evaluations to the
/// last. `threshold` is the geometric mean of the first threshold and the last one, and `tilt` is
/// the last one divided by the first one. A threshold of 0 means full depth. Throws InvalidArgument
/// where a threshold would not be in [0, 1].
Plan tilted_plan(float threshold, double tilt, int evaluations);

/// What a search draws: `samples` samples, of all classes in turn unless the request has labels, by
/// the model's solver unless the request has one. It has neither plan nor policy.
Request search_request(Request request, std::int64_t samples, const ModelSummary& model);
/// The same request for its first samples: noise belongs to a sample's number, so they stay the
/// same.
Request first_samples(Request request, std::int64_t count, const ModelSummary& model);

/// Raises InvalidArgument where a model has no uncertainty modules.
void require_uncertainty(const ModelSummary& model);
/// The most steps that a search tries: `most_steps`, or three times the budget where that is 0.
/// Raises InvalidArgument where these are fewer than the `first` steps that it begins with.
int steps_limit(int most_steps, double budget, int first);

/// The request's solver settings, or the default ones, with `steps` steps on their grid.
SolverSettings with_steps(const Request& request, int steps);
/// Whether `steps` full-depth steps cost at most `budget` evaluations of the network.
bool pays_for_full_depth(const Request& request, double budget, int steps);
/// The most full-depth steps that the budget pays for; at least 1.
int full_steps(const Request& request, double budget);

}  // namespace adadiff::detail
