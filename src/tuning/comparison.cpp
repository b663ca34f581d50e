// Runs pairs and takes the medians of their times.
#include "tuning/comparison.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>

#include "metrics/paired_error.h"

namespace adadiff::detail {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kLeastSkipped = 0.05;  // if less is skipped, the efficiency would be noise divided
                                        // by nearly nothing

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

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return kNaN;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double Comparison::time_saved() const {
  std::vector<double> ratios;
  for (std::size_t pair = 0; pair < wall_ms.size(); ++pair)
    ratios.push_back(wall_ms[pair] / full_wall_ms[pair]);
  return 1 - median(std::move(ratios));
}

double Comparison::exit_efficiency() const {
  return compute_skipped() < kLeastSkipped ? kNaN : time_saved() / compute_skipped();
}

Comparison compare(const Request& request, int repeats, const ModelSummary& model,
                   const Runner& run) {
  Request full = request;
  full.plan = full_depth();
  full.policy = nullptr;
  Comparison comparison;
  for (int pair = 0; pair <= repeats; ++pair) {
    const bool is_warm_up = pair == 0;
    const std::string note = is_warm_up ? "warm-up"
                                        : "pair " + std::to_string(pair) + " of " +
                                              std::to_string(repeats);
    Timed adaptive, reference;
    if (pair % 2 == 0) adaptive = timed(run, request, note);
    reference = timed(run, full, note + ", full depth");
    if (pair % 2 == 1) adaptive = timed(run, request, note);
    comparison.adaptive = std::move(adaptive.result);
    comparison.full = std::move(reference.result);
    if (is_warm_up) continue;
    comparison.wall_ms.push_back(adaptive.wall_ms);
    comparison.full_wall_ms.push_back(reference.wall_ms);
  }
  comparison.psnr_db = psnr_between(comparison.adaptive, comparison.full, model);
  return comparison;
}

}  // namespace adadiff::detail
