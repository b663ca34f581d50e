// Runs pairs and takes the medians of their times.
#include "tuning/comparison.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include "metrics/paired_error.h"

namespace adadiff {
namespace detail {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Timed {
  Result result;
  double wall_ms = 0;
};

Timed timed(const Runner& run, const Request& request, const std::string& note) {
  const auto start = std::chrono::steady_clock::now();
  Result result = run(request, note);
  const auto passed = std::chrono::steady_clock::now() - start;
  return {std::move(result), std::chrono::duration<double, std::milli>(passed).count()};
}

double psnr_between(const Result& adaptive, const Result& full, const ModelSummary& model) {
  return psnr_db(mean_square({.first = adaptive.images.values,
                              .second = full.images.values,
                              .channels = model.channels,
                              .height = model.height,
                              .width = model.width,
                              .low = model.image_min,
                              .high = model.image_max}));
}

/// The same request without plan and policy, on the path that the request's own plan takes.
Request at_full_depth(Request request, const ModelSummary& model) {
  if (!request.solver) {
    const Plan& plan = request.plan ? *request.plan : model.default_plan;
    request.solver = plan.solver.value_or(model.default_solver);
  }
  request.plan = full_depth();
  request.policy = nullptr;
  return request;
}

/// A request, and the same at full depth.
struct Rivals {
  const Request& adaptive;
  Request full;
};

/// Runs both of pair number `pair`, or the warm-up, which is number 0, and adds what they gave.
void run_pair(const Rivals& rivals, int pair, const std::string& note, const Runner& run,
              Comparison& comparison) {
  Timed adaptive, reference;
  if (pair % 2 == 0) adaptive = timed(run, rivals.adaptive, note);
  reference = timed(run, rivals.full, note + ", full depth");
  if (pair % 2 == 1) adaptive = timed(run, rivals.adaptive, note);
  comparison.adaptive = std::move(adaptive.result);
  comparison.full = std::move(reference.result);
  if (pair == 0) return;
  comparison.wall_ms.push_back(adaptive.wall_ms);
  comparison.full_wall_ms.push_back(reference.wall_ms);
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return kNaN;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Comparison compare(const Request& request, int pairs, const ModelSummary& model,
                   const Runner& run) {
  const Rivals rivals{request, at_full_depth(request, model)};
  Comparison comparison;
  try {
    for (int pair = 0; pair <= pairs; ++pair) {
      const std::string note = "pair " + std::to_string(pair) + " of " + std::to_string(pairs);
      run_pair(rivals, pair, pair == 0 ? "warm-up" : note, run, comparison);
    }
  } catch (const Stopped&) {
    comparison.status = Status::Cancelled;
  }
  if (!comparison.wall_ms.empty())
    comparison.psnr_db = psnr_between(comparison.adaptive, comparison.full, model);
  return comparison;
}

}  // namespace detail

double Comparison::compute_skipped() const { return adaptive.trace.compute.skipped(); }

double Comparison::time_saved() const {
  std::vector<double> ratios;
  for (std::size_t pair = 0; pair < wall_ms.size(); ++pair)
    ratios.push_back(wall_ms[pair] / full_wall_ms[pair]);
  return 1 - detail::median(std::move(ratios));
}

double Comparison::exit_efficiency() const {
  constexpr double kLeastSkipped = 0.05;  // if less is skipped, the efficiency would be noise
                                          // divided by nearly nothing
  return compute_skipped() < kLeastSkipped ? detail::kNaN : time_saved() / compute_skipped();
}

double Comparison::median_wall_ms() const { return detail::median(wall_ms); }

double Comparison::median_full_wall_ms() const { return detail::median(full_wall_ms); }

}  // namespace adadiff
