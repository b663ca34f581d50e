// Builders: the plans that users write most, from numbers.
#include <adadiff/plan.h>

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "plans/plan_checks.h"

namespace adadiff {
namespace {

using detail::raise;
using detail::require_range;
using detail::show;

/// Thresholds that let everything leave after `blocks_run` blocks. All blocks: the one entry that
/// fits every network.
std::vector<float> always_after(int blocks_run, int blocks) {
  if (blocks_run == blocks) return {kNever};
  std::vector<float> below(static_cast<std::size_t>(blocks), kNever);
  below[static_cast<std::size_t>(blocks_run)] = kAlways;
  return below;
}

void check_blocks_run(const std::string& where, int blocks_run, int blocks) {
  require_range(where, blocks_run, 0, blocks);
  if (blocks == 1 && blocks_run == 0) {
    raise({where, "be 1 on a network with one block", "is 0",
           "a list of one entry stands for exits from 1 on"});
  }
}

int median(std::vector<int> exits) {
  const auto middle = exits.begin() + static_cast<std::ptrdiff_t>(exits.size() / 2);
  std::nth_element(exits.begin(), middle, exits.end());
  return *middle;
}

int rounded_mean(const std::vector<int>& exits) {
  std::int64_t sum = 0;
  for (const int exit : exits) sum += exit;
  const auto count = static_cast<std::int64_t>(exits.size());
  return static_cast<int>((2 * sum + count) / (2 * count));
}

int reduce(const std::vector<int>& exits, Reduction reduction) {
  switch (reduction) {
    case Reduction::Deepest:
      return *std::max_element(exits.begin(), exits.end());
    case Reduction::Median:
      return median(exits);
    case Reduction::Mean:
      return rounded_mean(exits);
  }
  raise({"recorded_exits.reduction", "be Deepest, Median or Mean",
         "is " + show(static_cast<int>(reduction))});
}

void check_record(const std::vector<int>& exits, std::size_t evaluation, int blocks) {
  const std::string where = "recorded_exits.exits[" + std::to_string(evaluation) + "]";
  if (exits.empty()) raise({where, "have an exit for each sample", "is empty"});
  for (std::size_t i = 0; i < exits.size(); ++i)
    require_range(where + "[" + std::to_string(i) + "]", exits[i], -1, blocks);
}

/// A trace of a cancelled run has -1 where a sample was never asked. An evaluation that none
/// reached runs in full.
int reduce_recorded(std::vector<int> exits, Reduction reduction, int blocks) {
  std::erase(exits, -1);
  return exits.empty() ? blocks : reduce(exits, reduction);
}

}  // namespace

Plan full_depth() { return {}; }

Plan exit_below(float threshold) {
  require_range("exit_below.threshold", static_cast<double>(threshold), 0.0, 1.0);
  Plan plan;
  plan.rules[0].below = {threshold};
  return plan;
}

Plan exit_below_ramp(float first, float last, int evaluations) {
  constexpr double kLeast = 1e-30;  // a ratio of what float32 can hold
  require_range("exit_below_ramp.first", static_cast<double>(first), kLeast, 1.0);
  require_range("exit_below_ramp.last", static_cast<double>(last), kLeast, 1.0);
  require_range("exit_below_ramp.evaluations", evaluations, 1,
                static_cast<int>(detail::kMostRules));
  Plan plan;
  plan.key = RuleKey::Evaluation;
  plan.rules.assign(static_cast<std::size_t>(evaluations), Rule{});
  const double ratio = static_cast<double>(last) / static_cast<double>(first);
  for (int i = 0; i < evaluations; ++i) {
    const double share = evaluations == 1 ? 0 : static_cast<double>(i) / (evaluations - 1);
    plan.rules[static_cast<std::size_t>(i)].below = {
        static_cast<float>(static_cast<double>(first) * std::pow(ratio, share))};
  }
  return plan;
}

Plan exit_when_agreed(float threshold, int hits, Counting counting) {
  require_range("exit_when_agreed.threshold", static_cast<double>(threshold), 0.0, 1.0);
  require_range("exit_when_agreed.hits", hits, 1, 255);
  Plan plan = exit_below(threshold);
  plan.rules[0].hits = {static_cast<std::uint8_t>(hits)};
  plan.counting = counting;
  return plan;
}

Plan fixed_exit(int blocks_run, int blocks) {
  require_range("fixed_exit.blocks", blocks, 1, detail::kMostBlocks);
  check_blocks_run("fixed_exit.blocks_run", blocks_run, blocks);
  Plan plan;
  plan.rules[0].below = always_after(blocks_run, blocks);
  return plan;
}

Plan fixed_exits(std::span<const int> blocks_run, int blocks) {
  require_range("fixed_exits.blocks", blocks, 1, detail::kMostBlocks);
  require_range("fixed_exits.blocks_run: number of evaluations",
                static_cast<std::int64_t>(blocks_run.size()), std::int64_t{1},
                std::int64_t{detail::kMostRules});
  Plan plan;
  plan.key = RuleKey::Evaluation;
  plan.rules.resize(blocks_run.size());
  for (std::size_t i = 0; i < blocks_run.size(); ++i) {
    check_blocks_run("fixed_exits.blocks_run[" + std::to_string(i) + "]", blocks_run[i], blocks);
    plan.rules[i].below = always_after(blocks_run[i], blocks);
  }
  return plan;
}

Plan guided(Plan plan, const Guide& guide) {
  detail::check_guide(guide, "guided.guide");
  for (Rule& rule : plan.rules) rule.guide = guide;
  return plan;
}

Plan recorded_exits(std::span<const std::vector<int>> exits, int blocks, Reduction reduction) {
  require_range("recorded_exits.blocks", blocks, 1, detail::kMostBlocks);
  std::vector<int> blocks_run;
  for (std::size_t i = 0; i < exits.size(); ++i) {
    check_record(exits[i], i, blocks);
    blocks_run.push_back(reduce_recorded(exits[i], reduction, blocks));
  }
  return fixed_exits(blocks_run, blocks);
}

}  // namespace adadiff
