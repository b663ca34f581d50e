// Searches for the steps and thresholds that are best for a budget, judged by the paired error.
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
  int reference_steps = 0;     ///< steps of the full-depth run that images are compared with, more
                               ///< than most_steps; 0: 50, or twice most_steps if that is more
  int most_steps = 0;          ///< most steps that are tried; 0: three times the budget
  double tolerance = 0.02;     ///< how far the cost of a threshold may stay below the budget, as a
                               ///< share of it
  int most_trials = 10;        ///< most thresholds tried per number of steps and tilt
  bool one_threshold = false;  ///< true: the same threshold at all times, no tilts
};

/// What was tried in one trial, and what it gave.
struct BudgetTrial {
  int steps = 0;
  float threshold = 0;  ///< 0: full depth; with a tilt, the geometric mean of the thresholds at the
                        ///< first and the last evaluation
  double tilt = 1;      ///< threshold at the last evaluation divided by that at the first
  double cost = 0;      ///< full-depth evaluations per sample
  double mse = 0;       ///< mean square difference from the reference, in units of the image range
                        ///< squared
};

struct BudgetResult {
  int reference_steps = 0;
  /// The best threshold within the budget for each number of steps and tilt, in rising order of
  /// both.
  std::vector<BudgetTrial> trials;
  BudgetTrial best;  ///< the trial with the smallest error
  Plan plan;         ///< best as a plan with its solver settings and the model's id
};

/// Runs a request to its end; `note` says what the run is for. An exception ends the search.
using Runner = std::function<Result(const Request& request, const std::string& note)>;

/// For each number of steps, halves the range of thresholds until the compute meets the budget. A
/// lower threshold never needs less compute, up to noise between runs that take other paths. The
/// search then goes on from the best trial that leaves early: it tries twice and half its tilt, up
/// to 4 and down to 1/4, and one step more and less, as long as one of these is better. Throws
/// InvalidArgument.
BudgetResult search_budget(const BudgetSearch& search, const ModelSummary& model,
                           const Runner& run);

}  // namespace adadiff::detail
