// `adadiff train`: trains a network with early exits, shows how it goes, and tells what came of it.
#include <memory>
#include <string>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/terminal_progress.h"
#include "cli/train_flags.h"
#include "cli/verbs.h"
#include "training/trainer.h"

namespace adadiff::cli {
namespace {

std::string losses(const TrainingProgress& p) {
  return "loss " + fixed(p.loss, 4) + " (simple " + fixed(p.simple, 4) + ", uncertainty " + fixed(p.uncertainty, 4) + ", layers " +
         fixed(p.layers, 4) + ")";
}

TrainingResult run(const TrainingOptions& options) {
  TerminalProgress progress("train", "steps");
  return train(options, [&](const TrainingProgress& p) {
    progress.update(static_cast<double>(p.step), static_cast<double>(p.steps), {p.steps_per_second, p.seconds_left, losses(p)});
    return !interrupted();
  });
}

void report(const TrainingResult& result, const TrainFlags& flags) {
  if (flags.json) {
    print_json({{"steps", result.steps},
                {"completed", result.completed},
                {"simple_loss", result.simple_loss},
                {"seconds", result.seconds},
                {"model", result.steps > 0 ? nlohmann::ordered_json(flags.output) : nullptr}});
    return;
  }
  const std::string written = result.steps > 0 ? flags.output : "nothing, since there was no time for a step";
  print_result("steps            " + std::to_string(result.steps) + (result.completed ? "" : ", to be continued with --resume") + "\n" +
               "simple loss      " + fixed(result.simple_loss, 4) + "\n" +  //
               "wall time        " + duration(1000 * result.seconds) + "\n" + "written          " + written + "\n");
}

void train_network(const TrainFlags& flags) {
  const TrainingOptions options = make_options(flags);
  require_outputs({{"--output", options.model}, {"--checkpoint", detail::checkpoint_path(options)}, {"--log", options.log}},
                  {{"--images", options.images}, {"--labels", options.labels}, {"--recipe", flags.recipe}, {"--network", flags.network}});
  if (flags.threads > 0) at::set_num_threads(static_cast<int>(flags.threads));
  const TrainingResult result = run(options);
  if (interrupted() && !result.completed) {
    throw Interrupted("interrupted after step " + std::to_string(result.steps) + "; go on with --resume");
  }
  report(result, flags);
}

}  // namespace

Action add_train(CLI::App& verb) {
  const auto flags = std::make_shared<TrainFlags>();
  add_flags(verb, *flags);
  return [flags] { train_network(*flags); };
}

}  // namespace adadiff::cli
