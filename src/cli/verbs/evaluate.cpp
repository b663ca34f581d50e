// `adadiff evaluate`: how good a model's images are, and how far they are from full depth on the
// same noise.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <adadiff/pipeline.h>

#include "cli/bundled_model.h"
#include "cli/flags.h"
#include "cli/reference_features.h"
#include "cli/sample_flags.h"
#include "cli/sampling_loop.h"
#include "cli/terminal/output.h"
#include "cli/verbs/evaluate_report.h"
#include "cli/verbs/verbs.h"
#include "core/check.h"
#include "features/texture_features.h"
#include "io/npy.h"
#include "metrics/excess_network.h"
#include "pipeline/pipeline_state.h"
#include "tuning/solver_costs.h"

namespace adadiff::cli {
namespace {

constexpr std::int64_t kMeasuredPredictions = 256;  // samples; each costs more than full depth

struct EvaluateFlags {
  SampleFlags sampling;
  std::int64_t samples = 1000;
  ReferenceFlags reference;
  std::string features, scores = "learned";
  std::int64_t paired = 1000;
  std::optional<std::int64_t> paired_steps;
  std::int64_t subsets = 100, subset_size = 0, groups = 0;
  bool json = false;
};

/// A pipeline around the model's network that also records every exit's excess.
struct ExcessPipeline {
  std::shared_ptr<detail::ExcessRecord> record = std::make_shared<detail::ExcessRecord>();
  Pipeline pipeline;

  ExcessPipeline(const Pipeline& model, detail::Scores scores) : pipeline(around(model, scores)) {}

 private:
  Pipeline around(const Pipeline& model, detail::Scores scores) const {
    const detail::PipelineState& state = detail::Access::state(model);
    return make_pipeline(std::make_shared<detail::ExcessNetwork>(state.network, scores, record),
                         state.model);
  }
};

TimedResult draw(const EvaluateFlags& flags, const Pipeline& model, const Request& request,
                 TerminalProgress& progress) {
  if (flags.scores == "learned") return run_to_end(model, request, progress, "images");
  const ExcessPipeline ideal(model, detail::Scores::Ideal);
  TimedResult timed = run_to_end(ideal.pipeline, request, progress, "images, ideal scores");
  timed.wall_ms = std::numeric_limits<double>::quiet_NaN();
  return timed;
}

/// The first samples of a request: noise belongs to a sample's number, so they are the same as in
/// the whole.
Request first_samples(Request request, std::int64_t count) {
  request.count = std::min(request.count, count);
  return request;
}

void measure_predictions(const EvaluateFlags& flags, const Pipeline& model, const Request& request,
                         TerminalProgress& progress, PairedReport& report) {
  const bool is_ideal = flags.scores != "learned";
  const ExcessPipeline measured(model, is_ideal ? detail::Scores::Ideal : detail::Scores::Learned);
  const Request few = first_samples(request, std::min(flags.paired, kMeasuredPredictions));
  run_to_end(measured.pipeline, few, progress, "errors of predictions");
  report.prediction_samples = few.count;
  for (const auto& [time, excess] : measured.record->times()) {
    PredictionError& error = report.predictions.emplace_back(
        PredictionError{static_cast<double>(time), excess.mean_taken(), {}});
    for (std::size_t block = 0; block < excess.exit_excess.size(); ++block)
      error.exits.push_back(excess.mean_at(block));
  }
  std::reverse(report.predictions.begin(), report.predictions.end());
}

PairedReport compare_with_full_depth(const EvaluateFlags& flags, const Pipeline& model,
                                     const Request& request, const Images& images,
                                     TerminalProgress& progress) {
  Request full = first_samples(request, flags.paired);
  full.plan = full_depth();
  if (flags.paired_steps) {
    full.solver->times.clear();
    full.solver->steps = static_cast<int>(*flags.paired_steps);
  }
  const Result reference = run_to_end(model, full, progress, "full depth").result;
  const ModelSummary& summary = model.model();
  const std::vector<float> ours(images.values.begin(),
                                images.values.begin() + std::ssize(reference.images.values));
  PairedReport report{.samples = full.count,
                      .steps = reference.trace.evaluations.back().step + 1,
                      .images = {},
                      .predictions = {}};
  report.images = detail::paired_error({.first = ours,
                                        .second = reference.images.values,
                                        .channels = summary.channels,
                                        .height = summary.height,
                                        .width = summary.width,
                                        .low = summary.image_min,
                                        .high = summary.image_max});
  measure_predictions(flags, model, request, progress, report);
  return report;
}

/// What images are measured with; opened before they are drawn, which may take hours.
struct Yardstick {
  std::unique_ptr<detail::FeatureExtractor> extractor;
  ReferenceFeatures real;  ///< empty without a reference
};

detail::QualityOptions quality_options(const EvaluateFlags& flags) {
  return {.subsets = {static_cast<int>(flags.subsets), flags.subset_size},
          .seed = flags.sampling.seed,
          .groups = static_cast<int>(flags.groups)};
}

/// Nothing where nothing is to be measured.
std::optional<Yardstick> open_yardstick(const EvaluateFlags& flags, const ModelSummary& model) {
  if (flags.reference.path.empty() && flags.features.empty()) return std::nullopt;
  Yardstick yardstick{detail::open_features(features_path(flags.features)), {}};
  const std::int64_t dimensions = feature_dimensions(*yardstick.extractor, model);
  if (!flags.reference.path.empty())
    yardstick.real = reference_features(flags.reference, *yardstick.extractor, dimensions, model);
  detail::check_quality(yardstick.real.seen, flags.samples, quality_options(flags));
  return yardstick;
}

/// How fine noise differs, which the features of a classifier hardly show.
TextureReport measure_texture(const EvaluateFlags& flags, const detail::RealFeatures& real,
                              const Images& images) {
  const detail::Features generated = detail::TextureFeatures().extract(images).features;
  return {detail::measure_quality(real, generated, quality_options(flags)),
          detail::compare_levels(*real.features, generated)};
}

/// Returns a note where something could not be measured.
std::string measure_images(const EvaluateFlags& flags, const Yardstick& yardstick,
                           const ModelSummary& model, const std::vector<std::int64_t>& labels,
                           const Images& images, EvaluationReport& report) {
  std::string note;
  report.features = yardstick.extractor->name();
  const detail::ImageFeatures generated = yardstick.extractor->extract(images);
  if (!generated.classes.empty() && !labels.empty()) {
    const auto classes = detail::classes_of_labels(labels, model.class_names,
                                                   yardstick.extractor->class_names());
    if (classes) report.class_agreement = detail::class_agreement(generated.classes, *classes);
    if (!classes)
      note = "no class agreement, since the classifier does not know the model's classes by name";
  }
  const ReferenceFeatures& real = yardstick.real;
  report.references = real.seen.features ? real.seen.features->rows() : 0;
  report.quality = detail::measure_quality(real.seen, generated.features, quality_options(flags));
  report.doubts = detail::doubts({.samples = images.count,
                                  .references = report.references,
                                  .dimensions = generated.features.cols(),
                                  .accuracy = yardstick.extractor->accuracy()});
  if (real.texture.features) report.texture = measure_texture(flags, real.texture, images);
  return note;
}

void check_flags(const EvaluateFlags& flags) {
  if (flags.scores != "learned" && flags.scores != "ideal") {
    detail::raise({"--scores", "be learned or ideal", "is " + detail::show(flags.scores)});
  }
}

PlannedRequest plan_request(EvaluateFlags& flags, const ModelSummary& model) {
  flags.sampling.count = flags.samples;
  if (flags.sampling.classes.empty() && model.classes > 0) flags.sampling.classes = "all";
  return make_request(flags.sampling, model);
}

/// What --paired-steps compares must come of the same noise.
void require_same_noise(const EvaluateFlags& flags, const SolverSettings& solver) {
  if (!flags.paired_steps || flags.paired == 0) return;
  const bool is_as_long = solver.times.empty() && solver.steps == *flags.paired_steps;
  if (is_as_long || !detail::draws_noise(solver)) return;
  detail::raise(
      {"--paired-steps", "be left out with a solver that draws noise on the way",
       "is given with " + solver.solver + ", which draws other noise for another number of steps"});
}

void write_images(const Images& images, const std::string& path) {
  if (!path.empty())
    detail::write_npy(path, {images.count, images.height, images.width, images.channels},
                      images.pixels);
}

void evaluate(EvaluateFlags& flags) {
  check_flags(flags);
  if (flags.sampling.threads > 0) at::set_num_threads(static_cast<int>(flags.sampling.threads));
  // Read once for all that is drawn: a training that goes on replaces its model's file.
  const Pipeline model = Pipeline::open(model_path(flags.sampling.model));
  const PlannedRequest planned = plan_request(flags, model.model());
  const Request& request = planned.request;
  require_same_noise(flags, *request.solver);
  const std::optional<Yardstick> yardstick = open_yardstick(flags, model.model());
  EvaluationReport report;
  std::string note;
  {
    TerminalProgress progress("evaluate", "steps");
    TimedResult timed = naming_plan(flags.sampling,
                                    [&] { return draw(flags, model, request, progress); });
    report.model = model.model().id;
    report.plan = planned.plan_name;
    report.solver = request.solver->solver;
    report.samples = request.count;
    report.seed = request.seed;
    report.wall_ms = timed.wall_ms;
    write_images(timed.result.images, flags.sampling.images);
    if (yardstick)
      note = measure_images(flags, *yardstick, model.model(), request.labels, timed.result.images,
                            report);
    if (flags.paired > 0)
      report.paired = compare_with_full_depth(flags, model, request, timed.result.images, progress);
    report.trace = std::move(timed.result.trace);
  }
  print_note("evaluate", planned.note);
  print_note("evaluate", note);
  flags.json ? print_json(to_json(report)) : print_result(to_text(report));
}

}  // namespace

Action add_evaluate(CLI::App& verb) {
  const auto flags = std::make_shared<EvaluateFlags>();
  add_solver_flags(verb, flags->sampling, "all");
  add_depth_flags(verb, flags->sampling);
  add_whole(verb, {"--samples", "images to draw"}, flags->samples, {1, kMostSamples});
  CLI::Option* reference = reads(verb.add_option(
      "--reference", flags->reference.path,
      "real images: a folder, an IDX file, or .npz with statistics, features or images"));
  reference->type_name("PATH");
  add_whole(verb, {"--references", "use at most so many real images, spread evenly"},
            flags->reference.images, {2, kMostSamples})
      ->needs(reference);
  writes(verb.add_option("--save-reference", flags->reference.save,
                         "write their statistics, features and texture")
             ->type_name("FILE.npz")
             ->needs(reference));
  reads(verb.add_option(
                "--features", flags->features,
                "what sees the images: a classifier of train-classifier, TorchScript, or texture "
                "(default: bundled)")
            ->type_name("FILE|texture"));
  add_whole(verb, {"--paired", "compare so many images with full depth on the same noise; 0: none"},
            flags->paired, {0, kMostSamples});
  add_whole(verb, {"--paired-steps", "steps of that full depth (default: as many)"},
            flags->paired_steps, {1, 10000});
  add_whole(verb, {"--subsets", "subsets of the kernel distance"}, flags->subsets, {1, 10000})
      ->needs(reference);
  add_whole(verb, {"--subset-size", "images in each; 0: half of the smaller set, at most 1000"},
            flags->subset_size, {0, kMostSamples})
      ->needs(reference);
  add_whole(verb,
            {"--groups",
             "report distances without each of so many groups of images, at least 5, for "
             "intervals; 0: none"},
            flags->groups, {0, 1000})
      ->needs(reference);
  verb.add_option(
          "--scores", flags->scores,
          "learned, or ideal: leave by the true excess, to see what a better score could reach")
      ->type_name("NAME")
      ->capture_default_str();
  writes(verb.add_option("--images", flags->sampling.images,
                         "write the images as uint8 [count, H, W, C]")
             ->type_name("IMAGES.npy"));
  verb.add_flag("--json", flags->json, "report as JSON");
  return [flags] { evaluate(*flags); };
}

}  // namespace adadiff::cli
