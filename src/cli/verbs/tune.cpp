// `adadiff tune`: finds the steps and the thresholds that draw best for a budget, and writes them
// as a plan.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <adadiff/tuning.h>

#include "cli/bundled_model.h"
#include "cli/flags.h"
#include "cli/sample_flags.h"
#include "cli/sampling_loop.h"
#include "cli/terminal/output.h"
#include "cli/tune_objective.h"
#include "cli/verbs/verbs.h"
#include "core/check.h"
#include "io/text_file.h"

namespace adadiff::cli {
namespace {

using nlohmann::ordered_json;

struct TuneFlags {
  SampleFlags sampling;
  std::string output;
  ObjectiveFlags objective;
  double budget = PairedTuningOptions{}.budget;
  std::optional<std::int64_t> samples, reference_steps;
  std::optional<double> recall_floor;
  std::int64_t most_steps = 0, most_trials = DistanceTuningOptions{}.most_trials;
  bool one_threshold = false, no_guide = false, json = false;
  bool is_paired() const { return objective.name == "paired"; }
};

/// The part of a trial that both searches have.
template <class Trial>
std::string depth_text(const Trial& trial) {
  std::string how = trial.threshold > 0
                        ? "threshold " + fixed(static_cast<double>(trial.threshold), 4)
                        : "full depth";
  if (trial.tilt != 1) how += ", tilt " + detail::show(trial.tilt);
  return std::to_string(trial.steps) + " steps, " + how;
}

template <class Trial>
ordered_json depth_json(const Trial& trial) {
  return {{"steps", trial.steps},
          {"threshold", trial.threshold},
          {"tilt", trial.tilt},
          {"full_evaluations", trial.cost}};
}

ordered_json to_json(const PairedTrial& trial) {
  ordered_json json = depth_json(trial);
  json["psnr_db"] = trial.psnr_db();
  return json;
}

ordered_json to_json(const DistanceTrial& trial) {
  ordered_json json = depth_json(trial);
  json["guide_exit"] = trial.guide > 0 ? ordered_json(trial.guide) : ordered_json();
  json["guide_weight"] = trial.weight;
  json["distance"] = trial.found.distance;
  json["half_width_95"] = trial.found.half_width();
  json["recall"] = trial.found.recall;
  return json;
}

std::string to_text(const PairedTrial& trial) {
  return depth_text(trial) + ": " + fixed(trial.cost, 2) + " full evaluations, " +
         fixed(trial.psnr_db(), 2) + " dB";
}

/// KID is shown times 1000, as the field does.
std::string distance_text(double distance, const ObjectiveFlags& objective) {
  return objective.name == "kid" ? fixed(1000 * distance, 2) : fixed(distance, 3);
}

std::string to_text(const DistanceTrial& trial, const ObjectiveFlags& objective) {
  std::string text = depth_text(trial);
  if (trial.guide > 0)
    text += ", guided by exit " + std::to_string(trial.guide) + ", weight " +
            detail::show(trial.weight);
  return text + ": " + fixed(trial.cost, 2) + " full evaluations, " +
         (objective.name == "kid" ? "KID x 1000 " : "Fréchet ") +
         distance_text(trial.found.distance, objective) + " +- " +
         distance_text(trial.found.half_width(), objective) + ", recall " +
         fixed(trial.found.recall, 3);
}

void report(const PairedTuningResult& result, const TuneFlags& flags) {
  if (flags.json) {
    ordered_json json = {{"budget", flags.budget},
                         {"reference_steps", result.reference_steps},
                         {"best", to_json(result.best)},
                         {"trials", ordered_json::array()}};
    for (const PairedTrial& trial : result.trials) json["trials"].push_back(to_json(trial));
    json["plan"] = flags.output;
    print_json(json);
    return;
  }
  std::string text;
  for (const PairedTrial& trial : result.trials) {
    const bool is_best = trial.steps == result.best.steps && trial.tilt == result.best.tilt;
    text += (is_best ? "best  " : "      ") + to_text(trial) + "\n";
  }
  print_result(text + "written  " + flags.output + "\n");
}

void report(const DistanceTuningResult& result, const TuneFlags& flags) {
  if (flags.json) {
    ordered_json json = {{"budget", flags.budget},
                         {"objective", flags.objective.name},
                         {"recall_floor", result.recall_floor},
                         {"keeps_floor", result.keeps_floor},
                         {"full_depth", to_json(result.full_depth)},
                         {"best", to_json(result.best)},
                         {"gain_half_width_95", result.gain_half_width},
                         {"trials", ordered_json::array()}};
    for (const DistanceTrial& trial : result.trials) json["trials"].push_back(to_json(trial));
    json["plan"] = flags.output;
    print_json(json);
    return;
  }
  std::string text;
  for (const DistanceTrial& trial : result.trials)
    text += "      " + to_text(trial, flags.objective) + "\n";
  const double gain = result.full_depth.found.distance - result.best.found.distance;
  text += "plain " + to_text(result.full_depth, flags.objective) + "\nbest  " +
          to_text(result.best, flags.objective) + "\ngain     " +
          distance_text(gain, flags.objective) + " +- " +
          distance_text(result.gain_half_width, flags.objective) +
          " over plain full depth at a cost of " + fixed(result.full_depth.cost, 2) +
          ", on the noise that chose it; the floor on recall was " + fixed(result.recall_floor, 3) +
          "\n";
  print_result(text + "written  " + flags.output + "\n");
}

/// The options that both searches have.
template <class Options>
Options common_options(const TuneFlags& flags, Request request) {
  Options options;
  options.budget = flags.budget;
  options.samples = flags.samples.value_or(options.samples);
  options.request = std::move(request);
  options.most_steps = static_cast<int>(flags.most_steps);
  return options;
}

PairedTuningResult tune_paired(const TuneFlags& flags, Request request, const Pipeline& pipeline) {
  auto options = common_options<PairedTuningOptions>(flags, std::move(request));
  options.reference_steps = static_cast<int>(flags.reference_steps.value_or(0));
  options.one_threshold = flags.one_threshold;
  TerminalProgress progress("tune", "steps");
  PairedTuningResult result = tune_by_paired_error(pipeline, options, show_steps(progress));
  require_completed(result.status);
  return result;
}

DistanceTuningResult tune_distance(const TuneFlags& flags, Request request,
                                   const Pipeline& pipeline) {
  auto options = common_options<DistanceTuningOptions>(flags, std::move(request));
  options.recall_floor = flags.recall_floor;
  options.guides = !flags.no_guide;
  options.most_trials = static_cast<int>(flags.most_trials);
  const ImageMeasure measure = open_objective(flags.objective, pipeline.model(), options.samples);
  TerminalProgress progress("tune", "trials");
  DistanceTuningResult result = tune_by_distance(pipeline, measure, options, show_trials(progress));
  require_completed(result.status);
  return result;
}

void check_flags(const TuneFlags& flags) {
  if (flags.sampling.steps)
    detail::raise({"--steps", "be left out, since tune chooses it", "is given",
                   "limit it with --most-steps"});
  const std::string& name = flags.objective.name;
  if (name != "paired" && name != "kid" && name != "frechet") {
    detail::raise({"--objective", "be paired, kid or frechet", "is " + detail::show(name)});
  }
  if (flags.is_paired()) {
    if (flags.objective.reference.path.empty()) return;
    detail::raise({"--reference", "go with --objective kid or frechet",
                   "is given with paired, which compares with full depth"});
  }
  if (flags.objective.reference.path.empty()) {
    detail::raise({"--objective " + name, "go with --reference, the real images to come near",
                   "is given without"});
  }
  if (flags.one_threshold || flags.reference_steps) {
    detail::raise({flags.one_threshold ? "--one-threshold" : "--reference-steps",
                   "go with --objective paired", "is given with " + name});
  }
}

void tune(TuneFlags& flags) {
  check_flags(flags);
  if (flags.sampling.threads > 0) at::set_num_threads(static_cast<int>(flags.sampling.threads));
  const Pipeline pipeline = Pipeline::open(model_path(flags.sampling.model));
  flags.sampling.full_depth = true;  // the plan is what is searched
  const Request request = make_request(flags.sampling, pipeline.model()).request;
  const auto finish = [&](const auto& result) {
    detail::write_text(flags.output, to_json(result.plan) + "\n");
    report(result, flags);
  };
  if (flags.is_paired()) {
    finish(tune_paired(flags, request, pipeline));
    return;
  }
  const DistanceTuningResult result = tune_distance(flags, request, pipeline);
  if (!result.keeps_floor) {
    print_note("tune", "note: no plan within the budget kept a recall of " +
                           detail::show(result.recall_floor) + "; writing plain full depth");
  }
  finish(result);
}

void add_objective_flags(CLI::App& verb, TuneFlags& flags) {
  verb.add_option("--objective", flags.objective.name,
                  "what to make small: paired (the error to many full-depth steps on the same "
                  "noise), kid or frechet (the distance from "
                  "real images, with guides)")
      ->type_name("NAME")
      ->capture_default_str();
  CLI::Option* reference = reads(
      verb.add_option("--reference", flags.objective.reference.path, "real images, as for evaluate")
          ->type_name("IMAGES"));
  add_whole(verb, {"--references", "real images to compare with, at most"},
            flags.objective.reference.images, {10, kMostSamples})
      ->needs(reference);
  writes(verb.add_option("--save-reference", flags.objective.reference.save,
                         "keep what was computed of the real images")
             ->type_name("FILE.npz")
             ->needs(reference));
  reads(verb.add_option("--features", flags.objective.features,
                        "what sees images, as for evaluate (default: the bundled classifier)")
            ->type_name("FILE|texture")
            ->needs(reference));
  add_number(verb,
             {"--recall-floor",
              "recall that a plan must keep (default: what plain full depth has at the budget)"},
             flags.recall_floor, {0, 1})
      ->needs(reference);
  verb.add_flag("--no-guide", flags.no_guide, "find a plan without a guide")->needs(reference);
  add_whole(verb, {"--most-trials", "sets of images to measure at most"}, flags.most_trials,
            {2, 10000})
      ->needs(reference);
}

}  // namespace

Action add_tune(CLI::App& verb) {
  const auto flags = std::make_shared<TuneFlags>();
  add_solver_flags(verb, flags->sampling, "all");
  verb.get_option("--steps")->group("");  // not shown: it is refused with a hint
  add_number(verb, {"--budget", "compute per image, in full-depth evaluations of the network"},
             flags->budget, {1, 10000});
  writes(verb.add_option("-o,--output", flags->output, "the plan, with steps and solver")
             ->required()
             ->type_name("PLAN.json"));
  add_whole(verb, {"--samples", "images per trial (default 128, or 1000 for a distance)"},
            flags->samples, {1, kMostSamples});
  add_objective_flags(verb, *flags);
  add_whole(verb,
            {"--reference-steps",
             "full-depth steps of the images to come near; 0: 50, or twice --most-steps"},
            flags->reference_steps, {0, 10000});
  add_whole(verb, {"--most-steps", "steps to try at most; 0: three times the budget"},
            flags->most_steps, {0, 10000});
  verb.add_flag("--one-threshold", flags->one_threshold,
                "keep one threshold for all times, in place of one per evaluation");
  verb.add_flag("--json", flags->json, "report as JSON");
  return [flags] { tune(*flags); };
}

}  // namespace adadiff::cli
