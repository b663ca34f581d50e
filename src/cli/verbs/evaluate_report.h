// What `adadiff evaluate` found, as JSON and as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <adadiff/pipeline.h>

#include "features/texture_features.h"
#include "metrics/paired_error.h"
#include "metrics/quality.h"

namespace adadiff::cli {

/// Errors of predictions at one time over full depth's on the same input.
struct PredictionError {
  double time = 0;            ///< as the network embeds it
  double mse = 0;             ///< of those that were taken
  std::vector<double> exits;  ///< of every exit, whether taken or not
};

struct PairedReport {
  std::int64_t samples = 0;
  int steps = 0;  ///< of the full-depth run
  detail::PairedError images;
  std::int64_t prediction_samples = 0;       ///< that `predictions` are means over
  std::vector<PredictionError> predictions;  ///< from noise to image
};

/// How the grain of images differs from that of real ones (features/texture_features.h).
struct TextureReport {
  detail::Quality quality;  ///< distances between the texture of both sets
  detail::TextureLevels levels;
};

struct EvaluationReport {
  std::string model, plan, solver;
  std::int64_t samples = 0;
  std::uint64_t seed = 0;
  Trace trace;
  double wall_ms = 0;    ///< NaN where it means nothing
  std::string features;  ///< the extractor; empty: none
  std::int64_t references = 0;
  detail::Quality quality;
  std::optional<double> class_agreement;
  std::optional<TextureReport> texture;
  std::optional<PairedReport> paired;
  std::vector<std::string> doubts;  ///< why some of these numbers say little
};

/// Mean over evaluations of the standard deviation of exits between samples.
double exit_spread(const Trace& trace);

nlohmann::ordered_json to_json(const EvaluationReport& report);
std::string to_text(const EvaluationReport& report);

}  // namespace adadiff::cli
