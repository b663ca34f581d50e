// The main entry to the library: open a model file, then ask it for images.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include <adadiff/device.h>
#include <adadiff/exit_policy.h>
#include <adadiff/image.h>
#include <adadiff/network.h>
#include <adadiff/plan.h>
#include <adadiff/trace.h>

namespace adadiff {

namespace detail {
struct Access;
struct PipelineState;
struct RunState;
}  // namespace detail

/// A condition that is no label, for networks that take such ones (NetworkInfo::condition). A list
/// that the network does not take is empty.
struct Condition {
  std::vector<float> tokens = {};       ///< [L, D]
  std::vector<std::uint8_t> mask = {};  ///< [L], 1: the token counts; empty: all count
  std::vector<float> pooled = {};       ///< [P]
};

/// What to generate. Every field has a default.
struct Request {
  std::int64_t count = 1;  ///< number of images, in [1, 1'000'000]; all of them and the trace
                           ///< together take at most 64 GiB
  std::uint64_t seed = 0;
  /// The samples' labels, which are cycled through. Empty: every sample has the null label, or, for
  /// a network without one, the labels are 0, 1, ...
  std::vector<std::int64_t> labels = {};
  /// The samples' conditions, which are cycled through. They are needed by networks that take other
  /// conditions than labels; where a network takes both, there are as many of one as of the other.
  std::vector<Condition> conditions = {};
  /// The condition that stands for "none" in guidance.
  std::optional<Condition> no_condition = {};
  /// The weight w of none + w (label - none), in [0, 100]; 1: a single pass without guidance;
  /// unset: the model's default. A request without any label other than the null label always uses
  /// 1.
  std::optional<double> guidance = {};
  std::optional<Plan> plan = {};  ///< unset: the model's default plan, or full depth where that
                                  ///< plan was made for other solver settings
  std::shared_ptr<const ExitPolicy> policy = {};  ///< replaces the plan's thresholds
  /// Unset: the plan's settings, or the model's where the plan has none. Settings that differ from
  /// the plan's own are refused.
  std::optional<SolverSettings> solver = {};
  std::int64_t batch = 0;  ///< samples per batch; the working tensors of a batch take at most 8
                           ///< GiB. 0: min(count, 64)
  /// How many of torch's intra-op threads the run uses, in [0, 1024]; 0: as many as torch is set to
  /// use. An application whose other threads are busy should ask for 1: the threads of a run wait
  /// for each other, and would then also wait for the busy ones.
  int threads = 0;
  std::vector<float> initial_noise = {};  ///< [count, C, H, W]; empty: drawn from the seed
  /// [count, C, H, W] in the model's image range; needs start_time.
  std::vector<float> start_image = {};
  /// The time, in (0, 1], to which the start image is noised and at which the run begins.
  std::optional<double> start_time = {};
  std::stop_token stop = {};  ///< ends the run between two blocks, from any thread
  /// Called after each step, on the run's thread. Returning false stops the run; an exception of
  /// the observer is rethrown by advance(). The observer may call status() and preview() of its
  /// run, and may destroy or replace the run, which stops it. advance() and finish() refuse to be
  /// called from the observer and throw InvalidArgument.
  std::function<bool(const Progress&)> observer = {};
};

/// The outcome of a run. The image of a sample that is not finished is the last prediction of its
/// clean image or, before the first step, what the sample starts from.
struct Result {
  Status status = Status::Completed;
  Images images;
  Trace trace;
  double wall_ms = 0;
};

/// One generation in progress. A run is owned by one thread and is movable. It may be destroyed at
/// any point, even from within its own advance(). A run that was moved from refuses all calls with
/// InvalidArgument.
class Run {
 public:
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;
  ~Run();
  /// Works for about `budget`: it runs at least one block, and starts no block after the budget is
  /// spent. Rethrows, once, what a network, policy or observer threw; the run is then Failed and
  /// stays at its last whole step. What torch throws arrives as InvalidArgument where memory ran
  /// out, and as DeviceError otherwise.
  Status advance(std::chrono::nanoseconds budget);
  Status status() const;
  /// The clean image of sample `index` as the run predicts it now. Does not advance the run.
  /// Refused after finish().
  Images preview(std::int64_t index) const;
  /// Takes the result out of the run, with images and trace as far as the run came. It can be
  /// called once; afterwards only status() and advance() may be called, and advance() does nothing.
  /// Throws InvalidArgument.
  Result finish();

 private:
  friend struct detail::Access;
  explicit Run(std::shared_ptr<detail::RunState> state);

  /// Shared with an advance() in progress, during which the run may be destroyed.
  std::shared_ptr<detail::RunState> state_;
};

/// What a model file says about itself.
struct ModelSummary {
  std::string id, network, prediction, schedule, uncertainty, license, origin;
  int blocks = 0;
  std::int64_t channels = 0, height = 0, width = 0, classes = 0, parameters = 0;
  std::vector<int> exits;                ///< where a pass may end
  std::vector<std::string> class_names;  ///< may be empty
  std::string training;                  ///< JSON text that says how the weights were made; may be
                                         ///< empty
  Plan default_plan;
  double default_guidance = 1;
  SolverSettings default_solver;        ///< used where neither the request nor the plan says
                                        ///< otherwise
  float image_min = -1, image_max = 1;  ///< range of Images::values that is shown as black to white
  double macs_full_depth = 0;  ///< multiply-accumulates of one full-depth evaluation of one row
};

/// How a model is opened.
struct PipelineOptions {
  /// Where the network runs. States and solver stay on the CPU in this build: inputs are copied to
  /// the device and predictions back, and the uncertainties there are computed by torch. The first
  /// use of a CUDA device loads libtorch_cuda from beside libtorch_cpu, and no other thread may run
  /// torch meanwhile. Not yet run on a GPU.
  Device device = {};
  /// Families of networks beside those of the library (trainable_network.h).
  std::span<const NetworkKind> kinds = {};
};

/// A loaded model. A pipeline is immutable and cheap to copy; copies share the weights, and threads
/// may share one pipeline. It uses torch's intra-op threads as they are set, and changes no global
/// setting.
class Pipeline {
 public:
  /// Reads a model file (docs/model_format.md). Throws FileError, ModelError, DeviceError.
  static Pipeline open(const std::string& path, const PipelineOptions& options = {});
  const ModelSummary& model() const;
  /// Checks the request and sets up a run; the network does not run yet. Throws InvalidArgument,
  /// DeviceError.
  Run start(const Request& request) const;
  /// Starts a run, advances it until it is done, and returns its result.
  Result generate(const Request& request) const;

 private:
  friend struct detail::Access;
  explicit Pipeline(std::shared_ptr<const detail::PipelineState> state);

  std::shared_ptr<const detail::PipelineState> state_;
};

/// A pipeline around a network that the caller made (network.h), and how to sample from it
/// (plan.h). Throws InvalidArgument where info() or `model` is inconsistent.
Pipeline make_pipeline(std::shared_ptr<const Network> network, SamplerModel model);

}  // namespace adadiff
