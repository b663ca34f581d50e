// Counts come from what the execution ran, not from the exits.
#include "sampling/trace_recorder.h"

#include <limits>
#include <numeric>
#include <utility>

namespace adadiff::detail {
namespace {

double weigh(const std::vector<std::int64_t>& rows, const std::vector<double>& cost) {
  double sum = 0;
  for (std::size_t k = 0; k < rows.size() && k < cost.size(); ++k)
    sum += static_cast<double>(rows[k]) * cost[k];
  return sum;
}

double full_depth_cost(const NetworkCost& cost) {
  const double blocks = std::accumulate(cost.block.begin(), cost.block.end(), cost.embed);
  return blocks + (cost.head.empty() ? 0 : cost.head.back());
}

}  // namespace

std::int64_t trace_bytes(const SampleJob& job) {
  std::int64_t per_row = sizeof(int) + sizeof(float);  // EvaluationTrace::exit and uncertainty
  if (job.plan.guide_slots() > 0) per_row += sizeof(int);
  return std::ssize(job.plan.evaluations) * job.count * job.branches() * per_row;
}

TraceRecorder::TraceRecorder(const SampleJob& job)
    : job_(job), cost_(job.network->info().cost), full_depth_per_row_(full_depth_cost(cost_)) {
  trace_.blocks = job.plan.blocks;
  trace_.samples = job.count;
  trace_.branches = job.branches();
  for (const CompiledEvaluation& evaluation : job.plan.evaluations) {
    EvaluationTrace entry;
    entry.evaluation = static_cast<int>(trace_.evaluations.size());
    entry.step = evaluation.update.step;
    entry.stage = evaluation.update.stage;
    entry.time = evaluation.update.time;
    entry.guide_weight = job.plan.rules[static_cast<std::size_t>(evaluation.rule)].guide.weight;
    trace_.evaluations.push_back(std::move(entry));
  }
}

void TraceRecorder::record(const PassReport& report) {
  EvaluationTrace& entry = trace_.evaluations[static_cast<std::size_t>(report.evaluation)];
  for (const RowOutcome& outcome : report.outcomes) {
    entry.exit.push_back(outcome.exit);
    entry.uncertainty.push_back(outcome.uncertainty);
    if (entry.guide_weight != 1) entry.guide.push_back(outcome.guide);
    blocks_run_ += outcome.exit;
  }
  entry.milliseconds += report.milliseconds;
  count(report);
}

void TraceRecorder::count(const PassReport& report) {
  const RowCounts& counts = *report.counts;
  const auto rows = static_cast<double>(report.outcomes.size());
  rows_ += rows;
  trace_.compute.blocks += static_cast<double>(counts.embedded) * cost_.embed +
                           weigh(counts.blocks, cost_.block) - skipped_cost(report);
  trace_.compute.heads += weigh(counts.heads, cost_.head);
  trace_.compute.scores += weigh(counts.scores, cost_.score);
  trace_.compute.full_depth += rows * full_depth_per_row_;
}

/// What the blocks that ran would have cost more with all of their parts.
double TraceRecorder::skipped_cost(const PassReport& report) const {
  const std::vector<std::uint8_t>& skip = job_.plan.rule_of(report.evaluation).skip;
  double cost = 0;
  for (std::size_t block = 0; block < skip.size(); ++block) {
    const auto rows = static_cast<double>(report.counts->blocks[block]);
    if ((skip[block] & kAttentionPart) != 0) cost += rows * cost_.attention[block];
    if ((skip[block] & kMlpPart) != 0) cost += rows * cost_.mlp[block];
  }
  return cost;
}

double TraceRecorder::mean_exit_depth() const { return rows_ > 0 ? blocks_run_ / rows_ : 0; }

Trace TraceRecorder::take() {
  const auto entries = static_cast<std::size_t>(trace_.samples * trace_.branches);
  for (EvaluationTrace& entry : trace_.evaluations) {
    entry.exit.resize(entries, -1);
    entry.uncertainty.resize(entries, std::numeric_limits<float>::quiet_NaN());
    if (entry.guide_weight != 1) entry.guide.resize(entries, kNoGuide);
  }
  return std::move(trace_);
}

}  // namespace adadiff::detail
