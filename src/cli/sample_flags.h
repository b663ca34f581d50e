// The flags of verbs that sample, and the request they amount to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <adadiff/error.h>
#include <adadiff/pipeline.h>

namespace CLI {
class App;
}

namespace adadiff::cli {

struct SampleFlags {
  std::string model;
  // What to draw.
  std::optional<std::int64_t> count;
  std::uint64_t seed = 0;
  std::string conditions;  ///< a file of vectors that condition the samples
  std::string classes;  ///< "", "all", or labels and class names, separated by commas
  std::optional<double> guidance;
  std::string noise;
  // How to walk from noise to image.
  std::string solver, grid;
  std::optional<std::int64_t> steps;
  std::optional<double> eta;
  bool clamp = false, keep_noise = false, to_min_time = false;
  // What to compute.
  std::optional<double> threshold;
  std::string plan;
  bool full_depth = false;
  std::optional<std::int64_t> guide_exit, guide_before;
  std::optional<double> guide_weight;
  // On what.
  std::int64_t batch = 0;
  std::int64_t threads = 0;
  std::string device = "cpu";
  // What to write.
  std::string out, images, trace, depth_map;
  std::int64_t columns = 0;
  bool compare = false;
  std::int64_t repeats = 7;
  bool json = false;
};

inline constexpr std::int64_t kMostSamples = 1'000'000;

/// All flags of `sample`.
void add_flags(CLI::App& verb, SampleFlags& flags);
/// The model, what to draw of it, and how to walk from noise to image. `default_class`: what the
/// verb draws without --class.
void add_solver_flags(CLI::App& verb, SampleFlags& flags, const std::string& default_class);
/// What to compute: --threshold, --plan or --full-depth, and the guide that takes the place of the
/// plan's own.
void add_depth_flags(CLI::App& verb, SampleFlags& flags);

/// A request and what the summary calls its plan.
struct PlannedRequest {
  Request request;
  std::string plan_name;
  std::string note;  ///< why it is not the model's default plan; empty: nothing to say
};

/// Does the work, naming the plan's file in what a run says of a plan that does not fit.
template <class Work>
auto naming_plan(const SampleFlags& flags, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const InvalidArgument& error) {
    const std::string text = error.what();
    const bool is_of_plan = text.starts_with("rules") || text.starts_with("solver.") ||
                            text.starts_with("model:") || text.starts_with("times[");
    if (flags.plan.empty() || !is_of_plan) throw;
    throw InvalidArgument(flags.plan + ": " + text);
  }
}

/// Reads the files that flags name. Throws InvalidArgument, FileError, ModelError.
PlannedRequest make_request(const SampleFlags& flags, const ModelSummary& model);

}  // namespace adadiff::cli
