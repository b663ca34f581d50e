// `adadiff train`: trains a network with early exits, shows how it goes, and tells what came of it.
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/found_images.h"
#include "cli/terminal/failure.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/output.h"
#include "cli/terminal/terminal_progress.h"
#include "cli/train_flags.h"
#include "cli/verbs/verbs.h"
#include "core/check.h"
#include "training/own_runs.h"
#include "training/trainer.h"

namespace adadiff::cli {
namespace {

std::string losses(const TrainingProgress& p) {
  return "loss " + fixed(p.loss, 4) + " (simple " + fixed(p.simple, 4) + ", uncertainty " +
         fixed(p.uncertainty, 4) + ", layers " + fixed(p.layers, 4) + ")";
}

/// Where the steps' time went.
struct StepTimes {
  double data = 0, forward = 0, backward = 0, update = 0, all = 0;
  std::int64_t steps = 0;

  void add(const TrainingProgress& p) {
    data += p.data_ms;
    forward += p.forward_ms;
    backward += p.backward_ms;
    update += p.update_ms;
    all += p.milliseconds;
    ++steps;
  }
  double mean(double sum) const { return steps > 0 ? sum / static_cast<double>(steps) : 0; }
  std::string text() const {
    const auto share = [this](double part) {
      return fixed(all > 0 ? 100 * part / all : 0, 0) + " %";
    };
    return fixed(mean(all), 0) + " ms (data " + share(data) + ", forward " + share(forward) +
           ", backward " + share(backward) + ", update " + share(update) + ")";
  }
  nlohmann::ordered_json json() const {
    return {{"data", mean(data)},
            {"forward", mean(forward)},
            {"backward", mean(backward)},
            {"update", mean(update)},
            {"all", mean(all)}};
  }
};

TrainingResult run(const TrainingOptions& options, StepTimes& times) {
  TerminalProgress progress("train", "steps");
  // Images may be other than one thinks, which is better known before hours of training.
  std::string found = options.images == detail::kNoImages ? "exits learn from the model's own runs"
                                                          : describe(describe_images(options));
  return train(options, [&](const TrainingProgress& p) {
    print_note("train", std::exchange(found, {}));
    times.add(p);
    const double left = static_cast<double>(p.steps - p.step) / p.steps_per_second;
    progress.update(static_cast<double>(p.step), static_cast<double>(p.steps),
                    {p.steps_per_second, p.seconds_left, losses(p),
                     p.seconds_left < left ? "until it pauses" : "left"});
    return !interrupted();
  });
}

void report(const TrainingResult& result, const StepTimes& times, const TrainFlags& flags) {
  if (flags.json) {
    print_json({{"steps", result.steps},
                {"completed", result.completed},
                {"simple_loss", result.simple_loss},
                {"seconds", result.seconds},
                {"step_ms", times.json()},
                {"model", result.steps > 0 ? nlohmann::ordered_json(flags.output) : nullptr}});
    return;
  }
  const std::string written = result.steps > 0 ? flags.output
                                               : "nothing, since there was no time for a step";
  print_result("steps            " + std::to_string(result.steps) +
               (result.completed ? "" : ", to be continued with --resume") + "\n" +
               "simple loss      " + fixed(result.simple_loss, 4) + "\n" +     //
               "wall time        " + duration(1000 * result.seconds) + "\n" +  //
               "mean step        " + times.text() + "\n" + "written          " + written + "\n");
}

std::string note_on_rates(const TrainingOptions& options, const TrainFlags& flags) {
  if (options.optimiser != Optimiser::Muon || !flags.values.contains("learning_rate") ||
      flags.values.contains("matrix_learning_rate")) {
    return {};
  }
  return "the matrices of blocks go by Muon, at --matrix-learning-rate " +
         detail::show(options.matrix_learning_rate) + "; --learning-rate is that of all others";
}

void train_network(const TrainFlags& flags) {
  const TrainingOptions options = make_options(flags);
  require_outputs({{"--output", options.model},
                   {"--checkpoint", detail::checkpoint_path(options)},
                   {"--log", options.log}},
                  {{"--images", options.images},
                   {"--labels", options.labels},
                   {"--from", flags.from},
                   {"--recipe", flags.recipe},
                   {"--network", flags.network}});
  if (flags.threads > 0) at::set_num_threads(static_cast<int>(flags.threads));
  print_note("train", note_on_rates(options, flags));
  StepTimes times;
  const TrainingResult result = run(options, times);
  if (interrupted() && !result.completed) {
    throw Interrupted("interrupted after step " + std::to_string(result.steps) +
                      "; go on with --resume");
  }
  report(result, times, flags);
}

}  // namespace

Action add_train(CLI::App& verb) {
  const auto flags = std::make_shared<TrainFlags>();
  add_flags(verb, *flags);
  return [flags] { train_network(*flags); };
}

}  // namespace adadiff::cli
