// Judging and choosing plans (library adadiff::training): what a plan saves and changes against
// full depth, and which plan draws the best images within a budget.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <adadiff/image.h>
#include <adadiff/pipeline.h>
#include <adadiff/plan.h>
#include <adadiff/trace.h>

namespace adadiff {

/// How far a comparison or a search has come. Both consist of many runs, one after the other.
struct TuningProgress {
  std::string note = {};  ///< what the run in progress is for, e.g. "pair 3 of 7, full depth"
  Progress run = {};      ///< how far that run has come; its `steps` is 0 before the first step
  /// How many parts of the work are done, the share of the run in progress included. The parts of a
  /// comparison and of a search by the paired error are runs, those of a search by a distance are
  /// sets of images to measure.
  double done = 0;
  double total = 0;  ///< how many parts there are, or may be in a search by a distance; 0 in a
                     ///< search by the paired error, where nobody knows
};
/// Called on the caller's thread after each step of each run, and between two blocks about every 50
/// ms where a step takes longer. If it returns false, the work stops, as it does when the request's
/// stop token or its own observer stops a run. An exception ends the work and is rethrown.
using TuningObserver = std::function<bool(const TuningProgress&)>;

/// A plan beside full depth, on the same noise.
struct Comparison {
  Status status = Status::Completed;  ///< Cancelled: it was stopped before its last pair
  Result adaptive = {}, full = {};    ///< results of the last pair that ended, be it the warm-up
  std::vector<double> wall_ms = {};   ///< time of the plan's run in each pair that ended, in
                                      ///< ms, set-up included
  std::vector<double> full_wall_ms = {};  ///< the same of full depth
  /// The plan's images against those of full depth, with values clamped to the image range; NaN
  /// where they are identical, and where no pair ended.
  double psnr_db = std::numeric_limits<double>::quiet_NaN();

  /// The share of full depth's multiply-accumulates that the plan left out.
  double compute_skipped() const;
  /// 1 - the median over pairs of wall_ms / full_wall_ms; NaN where no pair ended. What slows the
  /// machine down for a while slows down both runs of a pair.
  double time_saved() const;
  /// Time saved divided by compute skipped; NaN where less than 0.05 is skipped.
  double exit_efficiency() const;
  /// The medians of wall_ms and of full_wall_ms, in ms; NaN where no pair ended.
  double median_wall_ms() const;
  double median_full_wall_ms() const;
};

/// Compares a request with the same request at full depth: same noise, same solver, no plan and no
/// policy. Runs a warm-up of each, then `pairs` pairs, in [1, 1000], whose two runs take turns in
/// going first, so that neither profits from a machine that warms up or slows down. Takes as long
/// as these 2 (pairs + 1) runs together. Throws InvalidArgument for another number of pairs, and
/// what Pipeline::generate throws.
Comparison compare_with_full_depth(const Pipeline& pipeline, const Request& request, int pairs = 7,
                                   const TuningObserver& observer = {});

/// What to tune for, by the error to many full-depth steps on the same noise. The defaults are
/// those of `adadiff tune`.
struct PairedTuningOptions {
  double budget = 6;  ///< compute per sample, in full-depth evaluations of the network (with
                      ///< guidance: of both branches), in [1, 10000]
  std::int64_t samples = 128;  ///< samples of each run, in [1, 1'000'000]; takes the place of the
                               ///< request's count
  /// What to draw: seed, labels (empty: all classes in turn), guidance, solver (unset: the
  /// model's), batch and threads. The search sets plan, policy and the number of steps, and takes
  /// times from the solver's grid. Solvers that draw noise on the way are refused.
  Request request = {};
  int reference_steps = 0;  ///< full-depth steps of the images to come near, in [0, 10000], more
                            ///< than are tried; 0: 50, or twice most_steps if that is more
  int most_steps = 0;       ///< most steps that are tried, in [0, 10000]; 0: three times the budget
  bool one_threshold = false;  ///< true: the same threshold at all times, no tilts
  double tolerance = 0.02;     ///< how far the cost of a threshold may stay below the budget, as a
                               ///< share of it, in [0, 1]
  int most_thresholds = 10;    ///< most thresholds that are tried per number of steps and tilt, in
                               ///< [1, 1000]
};

/// What was tried in one trial, and what it gave.
struct PairedTrial {
  int steps = 0;
  float threshold = 0;  ///< 0: full depth; with a tilt, the geometric mean of the thresholds at the
                        ///< first and the last evaluation
  double tilt = 1;      ///< threshold at the last evaluation divided by that at the first
  double cost = 0;      ///< full-depth evaluations per sample
  double mse = 0;       ///< mean square difference from the reference, in units of the image range
                        ///< squared
  double psnr_db() const;  ///< the same as a peak signal-to-noise ratio; NaN for 0
};

struct PairedTuningResult {
  Status status = Status::Completed;  ///< Cancelled: it was stopped, and the rest holds what was
                                      ///< found by then
  int reference_steps = 0;
  /// The best threshold within the budget for each number of steps and tilt, in rising order of
  /// both. Empty where the search was stopped before its first trial; best and plan then say
  /// nothing.
  std::vector<PairedTrial> trials = {};
  PairedTrial best = {};  ///< the trial with the smallest error
  Plan plan = {};         ///< best as a plan with its solver settings and the model's id
};

/// Finds the number of steps and the thresholds that draw, within the budget, what many full-depth
/// steps would draw (docs/evaluation.md). For each number of steps, it halves the range of
/// thresholds until the compute meets the budget; from the best trial that leaves early, it goes on
/// to tilted thresholds as long as these are better. Makes some dozens of runs. Throws
/// InvalidArgument where the options cannot be met or the model has no uncertainty modules, and
/// what Pipeline::generate throws.
PairedTuningResult tune_by_paired_error(const Pipeline& pipeline,
                                        const PairedTuningOptions& options = {},
                                        const TuningObserver& observer = {});

/// How good a set of images is.
struct ImageQuality {
  double distance = 0;  ///< from real images; smaller is better; finite
  /// The same distance without each of at least 5 groups of the images (delete-group jackknife),
  /// from which intervals come; as many groups for every set. Empty: the distance counts as exact.
  std::vector<double> distance_without = {};
  double recall = 0;  ///< share of real images that the images cover, in [0, 1]
  /// Half the width of the 95 % interval around the distance, by the jackknife and Student's t; NaN
  /// without groups. The real images count as exact.
  double half_width() const;
};
/// Judges all images of one trial. Called on the caller's thread; may take its time. An exception
/// ends the search and is rethrown.
using ImageMeasure = std::function<ImageQuality(const Images& images)>;

/// Numbers that describe images, such as those of an Inception network: [images, dimensions].
struct FeatureTable {
  std::int64_t dimensions = 0;
  std::vector<double> values = {};  ///< row by row
};
/// Turns images into features, one row per image, always of the same dimensions.
using FeatureFunction = std::function<FeatureTable(const Images& images)>;
enum class ImageDistance : std::uint8_t {
  Kernel,  ///< KID: the squared maximum mean discrepancy (Binkowski et al. 2018), unbiased
  Frechet  ///< of Gaussians fitted to the features (Heusel et al. 2017); compare only sets of equal
           ///< size
};
/// A measure of images by features of the caller's own: the distance from the features of real
/// images, leaving out each of 10 groups in turn, and the recall (Kynkäänniemi et al. 2019, 3
/// neighbours). The measure refuses fewer than 20 images. Throws InvalidArgument where `real` has
/// fewer than 4 rows, or numbers that are not finite.
ImageMeasure distance_from(const FeatureTable& real, FeatureFunction features,
                           ImageDistance distance = ImageDistance::Kernel);

/// What to tune for, by the distance from real images. The defaults are those of `adadiff tune
/// --objective`.
struct DistanceTuningOptions {
  double budget = 6;            ///< as in PairedTuningOptions
  std::int64_t samples = 1000;  ///< samples of each trial, in [1, 1'000'000]
  Request request = {};         ///< what to draw, as in PairedTuningOptions; any solver will do
  /// The lowest recall allowed, in [0, 1]; unset: the recall of plain full depth at the budget.
  std::optional<double> recall_floor = {};
  int most_steps = 0;    ///< most steps that are tried, in [0, 10000]; 0: three times the budget
  bool guides = true;    ///< whether plans may have a guide
  int most_trials = 40;  ///< most trials, in [2, 10000]
  std::int64_t cost_samples = 150;  ///< how many of the samples are drawn to fit a threshold to the
                                    ///< budget, in [1, 1'000'000]
  double tolerance = 0.025;  ///< how far the cost of a threshold may stay below the budget, as a
                             ///< share of it, in [0, 1]
};

/// What was tried in one trial, and what it gave.
struct DistanceTrial {
  int steps = 0;
  float threshold = 0;  ///< as in PairedTrial
  double tilt = 1;      ///< as in PairedTrial
  int guide = 0;        ///< Guide::exit; 0: no guide
  double weight = 1;    ///< Guide::weight
  double cost = 0;      ///< full-depth evaluations per sample
  ImageQuality found = {};
};

struct DistanceTuningResult {
  Status status = Status::Completed;  ///< Cancelled: it was stopped, and the rest holds what was
                                      ///< found by then
  DistanceTrial full_depth = {};  ///< plain full depth with as many steps as the budget pays for
  double recall_floor = 0;
  /// The trials in the order in which they were made, plain full depth first. Empty where the
  /// search was stopped before its first trial; the other fields then say nothing.
  std::vector<DistanceTrial> trials = {};
  /// The best of the trials that cost at most 1.003 times the budget (a guide adds one head to the
  /// cost of full depth) and do not fall below the floor. Chance decides between distances that are
  /// within one standard error of the smallest, so among those trials the one with the largest
  /// recall is the best. Equals full_depth where there is none.
  DistanceTrial best = {};
  bool keeps_floor = true;     ///< false: no trial kept the floor, and best is plain full depth
  double gain_half_width = 0;  ///< half the width of the 95 % interval around the difference
                               ///< between the distances of full_depth and best; NaN without groups
  Plan plan = {};              ///< best as a plan with its solver settings and the model's id
};

/// Finds the steps, thresholds, guide and its weight that draw, within the budget, images near to
/// real ones that still cover as many of these as the floor demands. Starts at about half the
/// depth, guided with weight 1.8 by the exit after a third of the depth, and descends along one
/// coordinate after the other as long as a move makes the distance smaller. All trials start from
/// the same noise. The search prefers distances that are small by chance, so the plan must be
/// judged anew on other noise. Draws up to most_trials sets of images, some of them twice, and a
/// few smaller ones for each. Throws InvalidArgument where the options cannot be met, the model has
/// no uncertainty modules or `measure` breaks its promises, and what Pipeline::generate throws.
DistanceTuningResult tune_by_distance(const Pipeline& pipeline, const ImageMeasure& measure,
                                      const DistanceTuningOptions& options = {},
                                      const TuningObserver& observer = {});

}  // namespace adadiff
