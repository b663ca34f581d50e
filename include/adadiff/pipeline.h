// The front door: open a model file, ask for images.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <adadiff/exit_policy.h>
#include <adadiff/image.h>
#include <adadiff/plan.h>
#include <adadiff/trace.h>

namespace adadiff {

class Network;
struct SamplerModel;

/// What to draw. Everything has a default.
struct Request {
  std::int64_t count = 1;  ///< images, in [1, 1'000'000]; all of them and the trace within 64 GiB
  std::uint64_t seed = 0;
  /// Cycled through; empty: the "no label" class, or labels 0, 1, ... without one.
  std::vector<std::int64_t> labels = {};
  /// W of none + w (label - none), in [0, 100]; 1: a single pass without guidance; unset: the
  /// model's default. Where no label but the null label is given, 1 is taken.
  std::optional<double> guidance = {};
  std::optional<Plan> plan = {};  ///< unset: the model's default plan unless it was made for other
                                  ///< solver settings, else full depth
  std::shared_ptr<const ExitPolicy> policy = {};  ///< replaces the plan's thresholds
  /// Unset: the plan's, else the model's; other settings than the plan's own are refused.
  std::optional<SolverSettings> solver = {};
  std::int64_t batch = 0;  ///< samples per batch, whose working tensors take at most 8 GiB; 0:
                           ///< min(count, 64)
  std::vector<float> initial_noise = {};  ///< [count, C, H, W]; empty: drawn from the seed
  /// [count, C, H, W] in the model's image range; needs start_time.
  std::vector<float> start_image = {};
  /// In (0, 1]: where a start image is noised to and the run begins.
  std::optional<double> start_time = {};
  std::stop_token stop = {};  ///< ends the run between two blocks, from any thread
  /// Called after each step, on the run's thread. False stops the run; what it throws comes out of
  /// advance. It may ask its run for status() and preview(), and may drop or replace it, which
  /// stops it; advance() and finish() are refused there with InvalidArgument.
  std::function<bool(const Progress&)> observer = {};
};

/// What came of it. Images of unfinished samples are the last predictions of their clean image
/// (their start, before the first step).
struct Result {
  Status status = Status::Completed;
  Images images;
  Trace trace;
  double wall_ms = 0;
};

/// One generation in progress. Owned by one thread; movable. Dropping it at any point is safe, also
/// from within its own advance(). A run that was moved from refuses all calls with InvalidArgument.
class Run {
 public:
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;
  ~Run();
  /// Works for about `budget`: at least one block, and no new block after the budget is spent.
  /// Rethrows once what a network, policy or observer threw: the run is then Failed and stays at
  /// its last whole step. What torch throws comes out as InvalidArgument where memory ran out, else
  /// as DeviceError.
  Status advance(std::chrono::nanoseconds budget);
  Status status() const;
  /// The clean image that sample `index` looks like now. Does not advance the run. Refused after
  /// finish().
  Images preview(std::int64_t index) const;
  /// Takes the result out; images and trace as far as the run came. Called once: afterwards only
  /// status() and advance(), which does nothing, are left. Throws InvalidArgument.
  Result finish();

  struct Impl;
  explicit Run(std::unique_ptr<Impl> impl);

 private:
  std::shared_ptr<Impl>
      impl_;  ///< shared with an advance() in progress, from which the run may be dropped
};

/// What a model file says of itself.
struct ModelSummary {
  std::string id, network, prediction, schedule, uncertainty, license, origin;
  int blocks = 0;
  std::int64_t channels = 0, height = 0, width = 0, classes = 0, parameters = 0;
  std::vector<int> exits;                ///< where a pass may end
  std::vector<std::string> class_names;  ///< may be empty
  std::string training;                  ///< JSON text of how the weights came about; may be empty
  Plan default_plan;
  double default_guidance = 1;
  SolverSettings default_solver;        ///< used where neither request nor plan says otherwise
  float image_min = -1, image_max = 1;  ///< range of Images::values that shows as black to white
  double macs_full_depth = 0;  ///< multiply-accumulates of one full-depth evaluation of one row
};

/// A loaded model. Immutable and cheap to copy; copies share the weights, and threads may share one
/// pipeline. Uses torch's intra-op threads as they are set, and changes no global setting.
class Pipeline {
 public:
  /// Reads a model file (docs/model_format.md). Throws FileError, ModelError, DeviceError.
  static Pipeline open(const std::string& path);
  const ModelSummary& model() const;
  /// Checks the request and sets a run up; no network runs yet. Throws InvalidArgument,
  /// DeviceError.
  Run start(const Request& request) const;
  /// start, advance until done, finish.
  Result generate(const Request& request) const;

  struct Impl;
  explicit Pipeline(std::shared_ptr<const Impl> impl);

 private:
  std::shared_ptr<const Impl> impl_;
};

/// A pipeline around a network that the caller made (network.h, sampler.h). Throws InvalidArgument
/// where info() or the description is inconsistent.
Pipeline make_pipeline(std::shared_ptr<const Network> network, SamplerModel model);

}  // namespace adadiff
