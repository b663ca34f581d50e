// `adadiff tune`: finds the steps and the thresholds that draw best for a budget, and writes them as a plan.
#include <memory>
#include <string>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/bundled_model.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/sample_flags.h"
#include "cli/sampling_loop.h"
#include "cli/verbs.h"
#include "core/check.h"
#include "evaluation/budget_search.h"
#include "evaluation/paired_error.h"
#include "io/text_file.h"

namespace adadiff::cli {
namespace {

using nlohmann::ordered_json;

struct TuneFlags {
  SampleFlags sampling;
  std::string output;
  double budget = 6;
  std::int64_t samples = 128, reference_steps = 0, most_steps = 0;
  bool one_threshold = false, json = false;
};

ordered_json to_json(const detail::BudgetTrial& trial) {
  return {{"steps", trial.steps},
          {"threshold", trial.threshold},
          {"tilt", trial.tilt},
          {"full_evaluations", trial.cost},
          {"psnr_db", detail::psnr_db(trial.mse)}};
}

std::string to_text(const detail::BudgetTrial& trial) {
  std::string how = trial.threshold > 0 ? "threshold " + fixed(static_cast<double>(trial.threshold), 4) : "full depth";
  if (trial.tilt != 1) how += ", tilt " + detail::show(trial.tilt);
  return std::to_string(trial.steps) + " steps, " + how + ": " + fixed(trial.cost, 2) + " full evaluations, " +
         fixed(detail::psnr_db(trial.mse), 2) + " dB";
}

void report(const detail::BudgetResult& result, const TuneFlags& flags) {
  if (flags.json) {
    ordered_json json = {{"budget", flags.budget},
                         {"reference_steps", result.reference_steps},
                         {"best", to_json(result.best)},
                         {"trials", ordered_json::array()}};
    for (const detail::BudgetTrial& trial : result.trials) json["trials"].push_back(to_json(trial));
    json["plan"] = flags.output;
    print_json(json);
    return;
  }
  std::string text;
  for (const detail::BudgetTrial& trial : result.trials) {
    const bool is_best = trial.steps == result.best.steps && trial.tilt == result.best.tilt;
    text += (is_best ? "best  " : "      ") + to_text(trial) + "\n";
  }
  print_result(text + "written  " + flags.output + "\n");
}

void tune(TuneFlags& flags) {
  require_outputs({{"--output", flags.output}}, {{"the model", flags.sampling.model}});
  if (flags.sampling.steps) detail::raise({"--steps", "be left out, since tune chooses it", "is given", "limit it with --most-steps"});
  if (flags.sampling.threads > 0) at::set_num_threads(static_cast<int>(flags.sampling.threads));
  const Pipeline pipeline = Pipeline::open(model_path(flags.sampling.model));
  const ModelSummary& model = pipeline.model();
  if (flags.sampling.classes.empty() && model.classes > 0) flags.sampling.classes = "all";
  flags.sampling.count = flags.samples;
  flags.sampling.full_depth = true;  // the plan is what is searched
  detail::BudgetSearch search;
  search.budget = flags.budget;
  search.request = make_request(flags.sampling, model).request;
  search.reference_steps = static_cast<int>(flags.reference_steps);
  search.most_steps = static_cast<int>(flags.most_steps);
  search.one_threshold = flags.one_threshold;
  detail::BudgetResult result;
  {
    TerminalProgress progress("tune", "steps");
    result = detail::search_budget(search, model, [&](const Request& request, const std::string& note) {
      return run_to_end(pipeline, request, progress, note).result;
    });
  }
  detail::write_text(flags.output, to_json(result.plan) + "\n");
  report(result, flags);
}

}  // namespace

Action add_tune(CLI::App& verb) {
  const auto flags = std::make_shared<TuneFlags>();
  add_solver_flags(verb, flags->sampling, "all");
  verb.get_option("--steps")->group("");  // not shown: it is refused with a hint
  add_number(verb, {"--budget", "compute per image, in full-depth evaluations of the network"}, flags->budget, {1, 10000});
  verb.add_option("-o,--output", flags->output, "the plan, with steps and solver")->required()->type_name("PLAN.json");
  add_whole(verb, {"--samples", "images per trial"}, flags->samples, {1, kMostSamples});
  add_whole(verb, {"--reference-steps", "full-depth steps of the images to come near; 0: 50, or twice --most-steps"},
            flags->reference_steps, {0, 10000});
  add_whole(verb, {"--most-steps", "steps to try at most; 0: three times the budget"}, flags->most_steps, {0, 10000});
  verb.add_flag("--one-threshold", flags->one_threshold, "keep one threshold for all times, in place of one per evaluation");
  verb.add_flag("--json", flags->json, "report as JSON");
  return [flags] { tune(*flags); };
}

}  // namespace adadiff::cli
