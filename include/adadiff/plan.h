// Plans: what to compute at each evaluation of the network, as data. A plan is written by hand, by
// a builder below or by `adadiff tune`, stored as JSON (docs/plans.md), and joined with a solver
// and a model before a run.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <adadiff/device.h>
#include <adadiff/noise_schedule.h>

namespace adadiff {

/// Which samples decide together: each one for itself, or the batch by its mean uncertainty (as in
/// the official AdaDiff code).
enum class Scope : std::uint8_t { Sample, Batch };
/// With guidance, whether the two branches of a sample leave together or each for itself.
enum class Branches : std::uint8_t { Together, Independent };
/// Which uncertainty stands for a pair of branches that leaves together.
enum class PairUncertainty : std::uint8_t { Larger, Mean, Conditional };
/// How agreeing exits are counted: only consecutive ones, or all so far. An exit whose threshold is
/// kNever has no vote and does not interrupt a sequence.
enum class Counting : std::uint8_t { Consecutive, Cumulative };
/// Whether rules hold for ranges of time or for evaluations by number.
enum class RuleKey : std::uint8_t { Time, Evaluation };

/// The threshold with which no sample leaves. A sample leaves at an exit iff its uncertainty (in
/// [0, 1], 0 = sure) is smaller than `below`; NaN never makes it leave.
inline constexpr float kNever = 0;
/// The threshold with which every sample leaves, without a look at its uncertainty.
inline constexpr float kAlways = 2;

/// What happens to a sample that leaves where its guide has no prediction yet: at or before
/// `Guide::exit`, or with fewer than `Guide::before` exits before its own.
enum class GuideFallback : std::uint8_t {
  None,       ///< the sample is not guided
  ExitBefore  ///< the last of the network's exits before the sample's own guides it, with the same
              ///< weight; where there is no such exit, the sample is not guided
};

/// An earlier exit as a guide (Internal Guidance, arXiv 2512.24176): a sample that leaves with
/// prediction g takes g + (weight - 1) (g - g_guide), where g_guide is what the guide's exit
/// predicted for it in the same evaluation. A guide costs one head at each exit whose prediction
/// may still be needed: a single head if samples leave at a fixed exit, and one at each exit they
/// pass if thresholds decide. With classifier-free guidance, each branch is first guided by its own
/// exit, and the results are then combined. A default-constructed Guide guides nothing.
struct Guide {
  /// The exit that guides, in [0, 254]; the network must have an exit there.
  std::optional<int> exit = {};
  int before = 0;     ///< used where `exit` is unset: how many of the network's exits the guide
                      ///< lies before the sample's own, in [1, 254]
  double weight = 1;  ///< in [0, 100]; 1: no guide, below 1: towards the guide
  GuideFallback fallback = GuideFallback::None;
  friend bool operator==(const Guide&, const Guide&) = default;
};

/// One row of a plan. A list has either one entry, for those of the exits 1..blocks-1 that the
/// network has, or one entry per exit 0..blocks-1. Names and ids are printable ASCII of at most 200
/// bytes.
struct Rule {
  double until = 0;  ///< with RuleKey::Time, the rule holds for times > until (the last rule for
                     ///< times >= 0); 1 = noise, 0 = clean
  std::vector<float> below{kNever};  ///< threshold per exit; exit 0 takes only kNever and kAlways
  std::vector<std::uint8_t> hits = {};  ///< how many exits must agree before a sample leaves, this
                                        ///< one included, in [1, 255]; empty: 1
  std::string network = "main";         ///< weight set; this build runs only "main"
  /// The number type of the network's blocks. A run refuses types that the network does not run in
  /// here, or only more slowly than in float32.
  Precision precision = Precision::Float32;
  /// The parts that each block leaves out, as bits: 1 attention, 2 MLP; one entry per block, or
  /// one for all blocks; empty: none. A run refuses parts that the network cannot leave out.
  std::vector<std::uint8_t> skip = {};
  Guide guide = {};  ///< an earlier exit whose prediction guides the one that is taken
  friend bool operator==(const Rule&, const Rule&) = default;
};

/// What scales the noise that DDPM adds in a step.
enum class Variance : std::uint8_t {
  Network,  ///< what the network says, where it predicts variances; else as Fixed
  Fixed     ///< beta-tilde of the schedule (Ho et al. 2020, eq. 7)
};

/// How a run gets from noise to an image.
struct SolverSettings {
  std::string solver = "ddim";   ///< ddim, ddpm, euler-maruyama, dpmpp-2m, heun, heun-edm
  std::string grid = "uniform";  ///< a name that time_grid knows; unused when `times` is given
  int steps = 50;                ///< in [1, 10000]; unused when `times` is given
  /// An explicit time grid: 2 to 10001 strictly falling times, the last of them 0 or at least the
  /// smallest time that the network can be evaluated at. Empty: the times come from `grid`.
  std::vector<double> times = {};
  LastStep last = LastStep::Clean;  ///< unused when `times` is given
  double eta = 0;                   ///< share of fresh noise in DDIM, in [0, 1]; must be 0 for
                                    ///< other solvers
  bool clamp = false;               ///< clamp the predicted clean image to the model's image range
  /// With `clamp` and DDIM: a step goes on with the noise of the prediction before it was clamped,
  /// instead of the noise that agrees with the clamped image.
  bool keep_noise = false;
  /// Where the variance of a step's noise comes from; only DDPM takes it from the network.
  Variance variance = Variance::Network;
  friend bool operator==(const SolverSettings&, const SolverSettings&) = default;
};

/// What to compute. A plan is a plain value; a default-constructed one runs every block of every
/// evaluation.
struct Plan {
  /// By time: `until` falls strictly from rule to rule and ends at 0. By evaluation: there is one
  /// rule per evaluation.
  std::vector<Rule> rules{Rule{}};
  RuleKey key = RuleKey::Time;
  Scope scope = Scope::Sample;
  Branches branches = Branches::Together;
  PairUncertainty pair = PairUncertainty::Larger;
  Counting counting = Counting::Consecutive;
  /// The settings the plan was made for; a run refuses others.
  std::optional<SolverSettings> solver = {};
  std::string model = {};  ///< id of the model that the plan was made for; empty: any model that
                           ///< its lists fit
  /// JSON text of a calibration certificate, which is carried along without being read; may be
  /// empty. It is kept without spaces and with its keys in order, as parse_plan leaves it.
  std::string certificate = {};
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// A plan that runs every block of every evaluation.
Plan full_depth();
/// Each sample leaves at the first exit (from 1 on) whose uncertainty is below `threshold`. Throws
/// InvalidArgument for a threshold outside [0, 1].
Plan exit_below(float threshold);
/// The same with one threshold per evaluation: `first` at the first one, `last` at the last one,
/// and a constant ratio from each to the next. Thresholds that rise spend more blocks near noise.
/// Throws InvalidArgument unless both thresholds are in [1e-30, 1] and `evaluations` is in
/// [1, 20000].
Plan exit_below_ramp(float first, float last, int evaluations);
/// Each sample leaves when `hits` exits agree, the current one included. Throws InvalidArgument
/// unless `hits` is in [1, 255].
Plan exit_when_agreed(float threshold, int hits, Counting counting = Counting::Consecutive);
/// Every sample leaves after `blocks_run` blocks of a network with `blocks` blocks. `blocks_run`
/// must be in [0, blocks], and 1 where `blocks` is 1.
Plan fixed_exit(int blocks_run, int blocks);
/// Evaluation i runs blocks_run[i] blocks of a network with `blocks` blocks.
Plan fixed_exits(std::span<const int> blocks_run, int blocks);
/// The same plan with this guide in every rule. Throws InvalidArgument for a guide that no plan can
/// have.
Plan guided(Plan plan, const Guide& guide);

/// How the exits of several samples become one: the deepest, the median (the deeper of the middle
/// two) or the mean (rounded, halves up).
enum class Reduction : std::uint8_t { Deepest, Median, Mean };
/// A plan with one depth per evaluation, made from recorded exits. exits[evaluation][sample] is in
/// [0, blocks], or -1 where a run had ended before. Entries of -1 do not count, and an evaluation
/// that no sample reached runs in full. To repeat the exits of each sample instead, use
/// replay_policy.
Plan recorded_exits(std::span<const std::vector<int>> exits, int blocks, Reduction reduction);

/// Reads the JSON of docs/plans.md; error messages name `source`. Unknown keys, wrong types and
/// values out of range are refused with field, rule and value. Throws InvalidArgument.
Plan parse_plan(std::string_view json, std::string_view source = "plan");
/// The same from a file of at most 16 MiB. Throws FileError, InvalidArgument.
Plan read_plan(const std::string& path);
/// The plan as JSON in its short form; parse_plan(to_json(p)) == p. Throws InvalidArgument for a
/// plan that parse_plan would refuse.
std::string to_json(const Plan& plan);

/// How to sample from a network: what a model file says about it, or what the author of a custom
/// network says instead. make_pipeline (pipeline.h) takes it.
struct SamplerModel {
  Process process;
  SolverSettings solver;  ///< used where neither the request nor the plan says otherwise
  Plan default_plan;
  double default_guidance = 1;
  /// The first channels, to which guidance is applied; the others keep the conditional prediction.
  /// 0: all channels.
  std::int64_t guided_channels = 0;
  std::string id;  ///< id of the model, compared with Plan::model; may be empty
};

}  // namespace adadiff
