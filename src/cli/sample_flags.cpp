// The flags of verbs that sample, and what --help says about them.
#include "cli/sample_flags.h"

#include <vector>

#include <CLI/CLI.hpp>

#include <adadiff/noise_schedule.h>
#include <adadiff/solver.h>

#include "cli/flags.h"

namespace adadiff::cli {
namespace {

void add_outputs(CLI::App& verb, SampleFlags& flags) {
  writes(verb.add_option(
                 "--out", flags.out,
                 "images as one grid (default adadiff-samples.png where no other output is named)")
             ->type_name("GRID.png"));
  add_whole(verb, {"--columns", "of the grid; 0: near square"}, flags.columns, {0, 10000});
  writes(verb.add_option("--images", flags.images, "images as uint8 [count, H, W, C]")
             ->type_name("IMAGES.npy"));
  writes(verb.add_option("--trace", flags.trace,
                         "where each sample left at each evaluation (docs/exits.md)")
             ->type_name("TRACE.json"));
  writes(verb.add_option("--depth-map", flags.depth_map, "the same as a picture")
             ->type_name("DEPTH.png"));
  verb.add_flag("--compare", flags.compare,
                "also run full depth on the same noise, interleaved, and report medians and the "
                "paired error");
  add_whole(verb, {"--repeats", "pairs of runs under --compare"}, flags.repeats, {7, 1000});
  verb.add_flag("--json", flags.json, "report as JSON");
}

}  // namespace

void add_solver_flags(CLI::App& verb, SampleFlags& flags, const std::string& default_class) {
  reads(verb.add_option("MODEL", flags.model, "model file (default: the bundled one)")
            ->type_name(""));
  add_seed(verb, flags.seed);
  verb.add_option(
          "--class", flags.classes,
          "a label or class name, a comma list that is cycled through, or `all` (default: " +
              default_class + ")")
      ->type_name("LABELS");
  reads(verb.add_option("--conditions", flags.conditions,
                        "vectors [N, P] that are cycled through, for a network that takes one")
            ->type_name("FILE.npy"));
  add_number(verb, {"--guidance", "weight of the label: 1 none (default: the model's)"},
             flags.guidance, {0, 100});
  verb.add_option("--solver", flags.solver,
                  spell_out(solver_names()) + " (default: the plan's, else the model's)")
      ->type_name("NAME");
  verb.add_option("--grid", flags.grid, "time grid: " + spell_out(time_grid_names()))
      ->type_name("NAME");
  add_whole(verb, {"--steps", "steps of the solver"}, flags.steps, {1, 10000});
  add_number(verb, {"--eta", "share of fresh noise in ddim"}, flags.eta, {0, 1});
  verb.add_flag("--clamp", flags.clamp,
                "clamp each predicted clean image to the model's image range");
  verb.add_flag("--keep-noise", flags.keep_noise,
                "with --clamp and ddim: go on with the noise of the prediction before it was "
                "clamped");
  verb.add_flag("--to-min-time", flags.to_min_time,
                "end at the smallest time that the network can be evaluated at, instead of at the "
                "clean image");
  add_whole(verb, {"--batch", "samples at a time; 0: at most 64"}, flags.batch, {0, kMostSamples});
  add_whole(verb, {"--threads", "threads within the network; 0: as LibTorch chooses"},
            flags.threads, {0, 1024});
  verb.add_option("--device", flags.device, "cpu")->type_name("NAME")->capture_default_str();
}

void add_depth_flags(CLI::App& verb, SampleFlags& flags) {
  CLI::Option* threshold = add_number(
      verb, {"--threshold", "leave at the first exit whose uncertainty is below X"},
      flags.threshold, {0, 1});
  CLI::Option* plan = reads(
      verb.add_option("--plan", flags.plan, "a plan as JSON (docs/plans.md)")->type_name("FILE"));
  CLI::Option* full = verb.add_flag("--full-depth", flags.full_depth,
                                    "run every block of every evaluation");
  threshold->excludes(plan)->excludes(full);
  plan->excludes(full);
  CLI::Option* exit = add_whole(
      verb, {"--guide-exit", "this exit's prediction guides those of later ones (docs/exits.md)"},
      flags.guide_exit, {0, 254});
  CLI::Option* before = add_whole(
      verb, {"--guide-before", "the guide is the N-th exit before the one that a sample leaves at"},
      flags.guide_before, {1, 254});
  CLI::Option* weight = add_number(
      verb,
      {"--guide-weight",
       "weight of the guide (1: no guide); alone it replaces the weights of the plan's own guides"},
      flags.guide_weight, {0, 100});
  exit->excludes(before)->needs(weight);
  before->needs(weight);
}

void add_flags(CLI::App& verb, SampleFlags& flags) {
  add_whole(verb, {"--count", "images to draw (default 16, or as many as --noise holds)"},
            flags.count, {1, kMostSamples});
  reads(verb.add_option("--noise", flags.noise, "start from this float array [count, C, H, W]")
            ->type_name("X.npy"));
  add_solver_flags(verb, flags, "no label");
  add_depth_flags(verb, flags);
  add_outputs(verb, flags);
}

}  // namespace adadiff::cli
