// Joins a plan's rules, a solver's table and a model's facts into the list of evaluations that a
// run executes.
#include "plans/compile.h"

#include <algorithm>
#include <set>

#include "core/check.h"
#include "plans/compile_checks.h"
#include "plans/plan_checks.h"

namespace adadiff::detail {
namespace {

/// One entry: exits from 1 on that the network has. Exit 0 stays kNever, since it has no
/// uncertainty and is opt-in.
std::vector<float> spread_below(const std::vector<float>& below, const ModelFacts& model) {
  if (below.size() > 1) return below;
  std::vector<float> spread(model.can_exit.size(), kNever);
  for (std::size_t k = 1; k < spread.size(); ++k) {
    if (model.can_exit[k] != 0) spread[k] = below[0];
  }
  return spread;
}

std::vector<std::uint8_t> spread_hits(const std::vector<std::uint8_t>& hits,
                                      const ModelFacts& model) {
  if (hits.size() > 1) return hits;
  std::vector<std::uint8_t> spread(model.can_exit.size(), hits.empty() ? 1 : hits[0]);
  spread[0] = 1;
  return spread;
}

std::vector<std::uint8_t> spread_skip(const std::vector<std::uint8_t>& skip,
                                      const ModelFacts& model) {
  const auto leaves_out = [](std::uint8_t parts) { return parts != 0; };
  if (std::none_of(skip.begin(), skip.end(), leaves_out)) return {};
  return skip.size() > 1 ? skip : std::vector<std::uint8_t>(model.can_exit.size(), skip[0]);
}

CompiledRule compile_rule(const Plan& plan, std::size_t rule, const ModelFacts& model) {
  check_rule_fits(plan, rule, model);
  const Rule& row = plan.rules[rule];
  CompiledRule compiled;
  compiled.below = spread_below(row.below, model);
  compiled.hits = spread_hits(row.hits, model);
  compiled.precision = row.precision;
  compiled.skip = spread_skip(row.skip, model);
  return compiled;
}

/// Rule i holds for until_i < time <= until_{i-1}; the last one takes time 0 as well.
int rule_at(const Plan& plan, std::size_t evaluation, double time) {
  if (plan.key == RuleKey::Evaluation) return static_cast<int>(evaluation);
  const auto ends_below = [time](const Rule& rule) { return rule.until < time; };
  const auto found = std::find_if(plan.rules.begin(), plan.rules.end() - 1, ends_below);
  return static_cast<int>(found - plan.rules.begin());
}

/// The first exit that everybody takes without a look at the uncertainty, else the end of the
/// network.
int forced_exit(const CompiledRule& rule) {
  const auto blocks = static_cast<int>(rule.below.size());
  for (int k = 0; k < blocks; ++k) {
    const auto at = static_cast<std::size_t>(k);
    if (rule.below[at] == kAlways && rule.hits[at] == 1) return k;
  }
  return blocks;
}

/// [blocks + 1]: where samples may leave under a rule, the end of the network included. No exit
/// counts more votes than there were exits.
std::vector<std::uint8_t> places_to_leave(const CompiledRule& rule) {
  const auto last = static_cast<std::size_t>(forced_exit(rule));
  std::vector<std::uint8_t> may_leave(rule.below.size() + 1, 0);
  int votes = 0;
  for (std::size_t k = 0; k < last; ++k) {
    if (rule.below[k] == kNever) continue;
    ++votes;
    may_leave[k] = votes >= rule.hits[k] ? 1 : 0;
  }
  may_leave[last] = 1;
  return may_leave;
}

/// The same where a policy decides.
std::vector<std::uint8_t> places_to_leave(const ModelFacts& model) {
  std::vector<std::uint8_t> may_leave = model.can_exit;
  may_leave.push_back(1);
  return may_leave;
}

CompiledEvaluation compile_evaluation(const Evaluation& update, const ModelFacts& model) {
  CompiledEvaluation evaluation;
  evaluation.update = update;
  evaluation.prediction = prediction_rule(model.process, update.time);
  return evaluation;
}

int count_steps(std::span<const Evaluation> table) {
  std::set<int> steps;
  for (const Evaluation& evaluation : table) steps.insert(evaluation.step);
  return static_cast<int>(steps.size());
}

template <class Places>
void compile_guides(const Plan& plan, const ModelFacts& model, Places places,
                    ExecutablePlan& executable) {
  for (std::size_t i = 0; i < plan.rules.size(); ++i) {
    const std::vector<std::uint8_t> may_leave = places(executable.rules[i]);
    executable.rules[i].guide = compile_guide(plan.rules[i].guide, {model.can_exit, may_leave});
  }
}

/// Everything but where samples may leave and who guides them.
ExecutablePlan join(const Plan& plan, const SolverSettings& settings,
                    std::span<const Evaluation> table, const ModelFacts& model) {
  check_facts(model);
  check_plan(plan);
  check_origin(plan, settings, table.size(), model);
  ExecutablePlan executable;
  executable.blocks = model.blocks;
  executable.steps = count_steps(table);
  executable.clamp = settings.clamp;
  executable.scope = plan.scope;
  executable.branches = plan.branches;
  executable.pair = plan.pair;
  executable.counting = plan.counting;
  for (std::size_t i = 0; i < plan.rules.size(); ++i)
    executable.rules.push_back(compile_rule(plan, i, model));
  for (std::size_t i = 0; i < table.size(); ++i) {
    check_evaluation_runs(table[i], i, model);
    CompiledEvaluation& evaluation = executable.evaluations.emplace_back(
        compile_evaluation(table[i], model));
    evaluation.rule = rule_at(plan, i, table[i].time);
    evaluation.max_exit = model.blocks;
  }
  return executable;
}

}  // namespace

int ExecutablePlan::guide_slots() const {
  int slots = 0;
  for (const CompiledRule& rule : rules) slots = std::max(slots, rule.guide.slots());
  return slots;
}

ExecutablePlan compile(const Plan& plan, const SolverSettings& settings,
                       std::span<const Evaluation> table, const ModelFacts& model) {
  ExecutablePlan executable = join(plan, settings, table, model);
  for (CompiledEvaluation& evaluation : executable.evaluations) {
    evaluation.max_exit = forced_exit(executable.rules[static_cast<std::size_t>(evaluation.rule)]);
  }
  compile_guides(
      plan, model, [](const CompiledRule& rule) { return places_to_leave(rule); }, executable);
  return executable;
}

ExecutablePlan compile_for_policy(const Plan& plan, const SolverSettings& settings,
                                  std::span<const Evaluation> table, const ModelFacts& model) {
  ExecutablePlan executable = join(plan, settings, table, model);
  compile_guides(
      plan, model, [&model](const CompiledRule&) { return places_to_leave(model); }, executable);
  return executable;
}

}  // namespace adadiff::detail
