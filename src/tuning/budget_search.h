// The best steps and thresholds for a budget, by the paired error.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <adadiff/pipeline.h>

namespace adadiff::detail {

struct BudgetSearch {
  double budget = 0;  ///< compute per sample, in full-depth evaluations of the network; at least 1
  Request request;  ///< what to draw while searching: samples, seed, labels, guidance, solver (its
                    ///< steps are replaced)
  int reference_steps = 0;     ///< of the full-depth run that images are compared with, above
                               ///< most_steps; 0: 50, or twice most_steps
  int most_steps = 0;          ///< that are tried; 0: three times the budget
  double tolerance = 0.02;     ///< of the budget that a threshold may miss it by, downwards
  int most_trials = 10;        ///< thresholds per number of steps and tilt
  bool one_threshold = false;  ///< the same at all times: no tilts
};

/// What was tried, and what it gave.
struct BudgetTrial {
  int steps = 0;
  float threshold = 0;  ///< 0: full depth; with a tilt the geometric mean of the first evaluation's
                        ///< and the last one's
  double tilt = 1;      ///< the last one's over the first one's
  double cost = 0;      ///< full-depth evaluations per sample
  double mse = 0;       ///< to the reference, in units of the image range squared
};

struct BudgetResult {
  int reference_steps = 0;
  std::vector<BudgetTrial> trials;  ///< for each number of steps and tilt the best threshold within
                                    ///< the budget; both rising
  BudgetTrial best;                 ///< the smallest error
  Plan plan;                        ///< best as a plan with its solver settings and the model's id
};

/// Runs a request to its end; what it throws ends the search. `note` says what for.
using Runner = std::function<Result(const Request& request, const std::string& note)>;

/// For each number of steps, halves the range of thresholds until the compute meets the budget. A
/// lower threshold never needs less compute, up to noise between runs that take other paths. From
/// the best of those that leave early it goes on to twice and half its tilt, up to 4 and down to
/// 1/4, and one step more and less, as long as one of them is better. Throws InvalidArgument.
BudgetResult search_budget(const BudgetSearch& search, const ModelSummary& model,
                           const Runner& run);

}  // namespace adadiff::detail
