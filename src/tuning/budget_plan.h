// What searches for a budget share: how thresholds are written down, and which steps full depth can
// pay for.
#pragma once

#include <adadiff/pipeline.h>

namespace adadiff::detail {

/// To four digits: what a plan shows is what was measured.
float rounded_threshold(double threshold);
/// The largest threshold in the middle for which the ends of the ramp stay below 1.
float largest_threshold(double tilt);

/// Thresholds that rise from the first of so many evaluations to the last by equal ratios;
/// `threshold` is the geometric mean of the two, `tilt` the last one's ratio to the first one's. A
/// threshold of 0: full depth. Throws InvalidArgument where a threshold would not be in [0, 1].
Plan tilted_plan(float threshold, double tilt, int evaluations);

/// The request's solver, or the default one, with so many steps on its grid.
SolverSettings with_steps(const Request& request, int steps);
/// Whether `steps` full-depth steps cost at most `budget` evaluations of the network.
bool pays_for_full_depth(const Request& request, double budget, int steps);
/// The most steps that full depth can make within the budget; at least 1.
int full_steps(const Request& request, double budget);

}  // namespace adadiff::detail
