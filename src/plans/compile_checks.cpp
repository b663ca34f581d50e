// Refuses, by name and value, what a plan asks for and this model, this run or this build does not
// have.
#include "plans/compile_checks.h"

#include <algorithm>

#include "core/check.h"
#include "diffusion/prediction.h"
#include "plans/plan_checks.h"
#include "plans/plan_format.h"

namespace adadiff::detail {
namespace {

constexpr const char*
    kMatchSettings = "run with the plan's settings, or use a plan without solver settings";

std::string count(std::size_t size) { return show(static_cast<std::int64_t>(size)); }

void check_list_length(const std::string& where, std::size_t size, int blocks) {
  if (size == 1 || size == static_cast<std::size_t>(blocks)) return;
  raise({where, "have 1 entry or " + show(blocks) + ", one per exit 0.." + show(blocks - 1),
         "has " + count(size), "the plan was made for a network with another number of blocks"});
}

/// The values that a network with such parts takes.
std::string show_choices(std::uint8_t parts) {
  constexpr const char* kChoices[] = {"be 0", "be 0 or 1", "be 0 or 2", "be in [0, 3]"};
  return kChoices[parts & 3];
}

std::string joined(const std::vector<Precision>& precisions) {
  std::string names;
  for (const Precision precision : precisions)
    names += (names.empty() ? "" : ", ") + name_of(kPrecisions, precision);
  return names;
}

void check_precision(Precision precision, std::size_t i, const ModelFacts& model) {
  const auto& runs = model.precisions;
  if (std::find(runs.begin(), runs.end(), precision) != runs.end()) return;
  raise({rule_field(i, "precision"), "be one of " + joined(runs),
         "is " + name_of(kPrecisions, precision),
         "the network does not run in other types here, or is slower in them than in float32"});
}

void check_skipped_parts(const Rule& rule, std::size_t i, const ModelFacts& model) {
  for (std::size_t k = 0; k < rule.skip.size(); ++k) {
    if ((rule.skip[k] & ~model.skippable) == 0) continue;
    raise({rule_entry(i, "skip", k, rule.skip.size()), show_choices(model.skippable),
           "is " + show(static_cast<int>(rule.skip[k])),
           "the network cannot leave out other parts of its blocks"});
  }
}

void check_columns(const Rule& rule, std::size_t i, const ModelFacts& model) {
  if (rule.network != "main") {
    raise({rule_field(i, "network"), "be \"main\" in this build", "is " + show(rule.network),
           "several weight sets do not run yet"});
  }
  check_precision(rule.precision, i, model);
  check_skipped_parts(rule, i, model);
}

/// A list with one entry per exit must not ask for an exit that the network lacks; a single entry
/// skips those.
void check_exits(const Rule& rule, std::size_t i, const ModelFacts& model) {
  if (rule.below.size() != model.can_exit.size() || rule.below.size() == 1) return;
  for (std::size_t k = 0; k < rule.below.size(); ++k) {
    if (model.can_exit[k] != 0 || rule.below[k] == kNever) continue;
    raise({rule_entry(i, "below", k, rule.below.size()), "be \"never\"",
           "is " + show_threshold(rule.below[k]),
           "the network cannot be left at exit " + count(k)});
  }
}

void check_uncertainty(const Rule& rule, std::size_t i, const ModelFacts& model) {
  if (model.has_uncertainty) return;
  for (std::size_t k = 0; k < rule.below.size(); ++k) {
    if (rule.below[k] == kNever || rule.below[k] == kAlways) continue;
    raise({rule_entry(i, "below", k, rule.below.size()), "be \"never\" or \"always\"",
           "is " + show_threshold(rule.below[k]), "the network has no uncertainty to compare"});
  }
}

[[noreturn]] void refuse_setting(const char* field, const std::string& planned,
                                 const std::string& found) {
  raise({std::string("solver.") + field, "be " + planned + ", which the plan was made for",
         "is " + found, kMatchSettings});
}

std::string show_switch(bool value) { return value ? "true" : "false"; }

std::string show_times(const SolverSettings& settings) {
  if (settings.times.empty()) return show(settings.steps) + " steps on grid " + show(settings.grid);
  return "a list of " + count(settings.times.size()) + " times";
}

void check_times(const SolverSettings& planned, const SolverSettings& settings) {
  if (planned.times.size() != settings.times.size())
    refuse_setting("times", show_times(planned), show_times(settings));
  for (std::size_t i = 0; i < planned.times.size(); ++i) {
    if (planned.times[i] == settings.times[i]) continue;
    refuse_setting(("times[" + std::to_string(i) + "]").c_str(), show(planned.times[i]),
                   show(settings.times[i]));
  }
}

void check_settings(const SolverSettings& planned, const SolverSettings& settings) {
  if (planned.solver != settings.solver)
    refuse_setting("name", show(planned.solver), show(settings.solver));
  if (!planned.times.empty() || !settings.times.empty()) {
    check_times(planned, settings);
  } else {
    if (planned.steps != settings.steps)
      refuse_setting("steps", show(planned.steps), show(settings.steps));
    if (planned.grid != settings.grid)
      refuse_setting("grid", show(planned.grid), show(settings.grid));
    if (planned.last != settings.last) {
      refuse_setting("last", name_of(kLastSteps, planned.last), name_of(kLastSteps, settings.last));
    }
  }
  if (planned.eta != settings.eta) refuse_setting("eta", show(planned.eta), show(settings.eta));
  if (planned.clamp != settings.clamp)
    refuse_setting("clamp", show_switch(planned.clamp), show_switch(settings.clamp));
  if (planned.keep_noise != settings.keep_noise)
    refuse_setting("keep_noise", show_switch(planned.keep_noise), show_switch(settings.keep_noise));
  if (planned.variance != settings.variance) {
    refuse_setting("variance", name_of(kVariances, planned.variance),
                   name_of(kVariances, settings.variance));
  }
}

void check_guide_runs(const Guide& guide, std::size_t i, const ModelFacts& model) {
  const std::string where = rule_field(i, "guide");
  const auto exits = std::count_if(model.can_exit.begin(), model.can_exit.end(),
                                   [](std::uint8_t can) { return can != 0; });
  if (guide.exit &&
      (*guide.exit >= model.blocks || model.can_exit[static_cast<std::size_t>(*guide.exit)] == 0)) {
    raise({where + ".exit", "be an exit of the network", "is " + show(*guide.exit),
           "the network has no prediction there; adadiff info lists its exits"});
  }
  if (guide.before > exits) {
    raise(
        {where + ".before",
         "be at most " + show(static_cast<std::int64_t>(exits)) + ", the network's number of exits",
         "is " + show(guide.before)});
  }
}

}  // namespace

void check_facts(const ModelFacts& model) {
  require_range("model.blocks", model.blocks, 1, kMostBlocks);
  if (model.can_exit.size() != static_cast<std::size_t>(model.blocks)) {
    raise({"model.can_exit", "have " + show(model.blocks) + " entries, one per exit",
           "has " + count(model.can_exit.size())});
  }
  check_process(model.process, "model.");
}

void check_origin(const Plan& plan, const SolverSettings& settings, std::size_t evaluations,
                  const ModelFacts& model) {
  if (!plan.model.empty() && !model.id.empty() && plan.model != model.id) {
    raise({"model", "be " + show(model.id) + ", the model of this run", "is " + show(plan.model),
           "the plan was made for another model"});
  }
  if (plan.solver) check_settings(*plan.solver, settings);
  if (evaluations == 0) raise({"solver", "write at least one evaluation", "wrote none"});
  if (plan.key == RuleKey::Evaluation && plan.rules.size() != evaluations) {
    raise({"rules", "have " + count(evaluations) + " entries, one per evaluation of the run",
           "has " + count(plan.rules.size()), "change the steps of the run, or use rules by time"});
  }
}

void check_rule_fits(const Plan& plan, std::size_t rule, const ModelFacts& model) {
  const Rule& row = plan.rules[rule];
  check_list_length(rule_field(rule, "below"), row.below.size(), model.blocks);
  if (!row.hits.empty()) check_list_length(rule_field(rule, "hits"), row.hits.size(), model.blocks);
  const std::size_t skips = row.skip.size();
  if (skips > 1 && skips != static_cast<std::size_t>(model.blocks)) {
    raise({rule_field(rule, "skip"), "have 1 entry or " + show(model.blocks) + ", one per block",
           "has " + count(skips)});
  }
  check_columns(row, rule, model);
  check_exits(row, rule, model);
  check_uncertainty(row, rule, model);
  check_guide_runs(row.guide, rule, model);
}

void check_evaluation_runs(const Evaluation& evaluation, std::size_t index,
                           const ModelFacts& model) {
  const auto where = "evaluations[" + show(static_cast<std::int64_t>(index)) + "].";
  require_range(where + "time", evaluation.time, model.process.min_time(),
                model.process.max_time());
  if (evaluation.noise_scale == NoiseScale::LearnedVariance && !model.has_learned_variance) {
    raise({where + "noise_scale", "be coefficient with a network that predicts no variances",
           "is learned variance", "use a solver that takes its noise from the schedule"});
  }
  if (evaluation.blend != Blend::Nothing) {
    raise({where + "blend", "be nothing in this build", "is known pixels",
           "inpainting does not run yet"});
  }
}

}  // namespace adadiff::detail
