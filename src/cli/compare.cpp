// The honest comparison: a plan against full depth on the same noise, runs interleaved, medians.
#include "cli/compare.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "cli/sampling_loop.h"
#include "metrics/paired_error.h"

namespace adadiff::cli {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kLeastSkipped = 0.05;  // below, the efficiency is noise over nothing

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

Comparison compare(const Pipeline& pipeline, const Request& request, int repeats) {
  Request full = request;
  full.plan = full_depth();
  full.policy = nullptr;
  Comparison comparison;
  TerminalProgress progress("sample", "steps");
  for (int pair = 0; pair <= repeats; ++pair) {
    const std::string note = pair == 0 ? "warm-up"
                                       : "pair " + std::to_string(pair) + " of " +
                                             std::to_string(repeats);
    // Which of the two goes first alternates, so that neither profits from a machine that warms up
    // or slows down.
    TimedResult adaptive, reference;
    if (pair % 2 == 0) adaptive = run_to_end(pipeline, request, progress, note);
    reference = run_to_end(pipeline, full, progress, note + ", full depth");
    if (pair % 2 == 1) adaptive = run_to_end(pipeline, request, progress, note);
    comparison.adaptive = std::move(adaptive.result);
    comparison.full = std::move(reference.result);
    if (pair == 0) continue;
    comparison.wall_ms.push_back(adaptive.wall_ms);
    comparison.full_wall_ms.push_back(reference.wall_ms);
  }
  const ModelSummary& model = pipeline.model();
  comparison.psnr_db = detail::psnr_db(
      detail::mean_square({.first = comparison.adaptive.images.values,
                           .second = comparison.full.images.values,
                           .channels = model.channels,
                           .height = model.height,
                           .width = model.width,
                           .low = model.image_min,
                           .high = model.image_max}));
  return comparison;
}

}  // namespace adadiff::cli
