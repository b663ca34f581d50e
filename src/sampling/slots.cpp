// Chooses who takes part in a pass, runs it, and moves everybody on.
#include "sampling/slots.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include <c10/core/InferenceMode.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

const CompiledRule& rule_of(const SlotGroup& group) {
  return group.job->plan.rule_of(group.evaluation);
}

/// Rows share a pass only if these agree.
bool agree(const CompiledRule& a, const CompiledRule& b) {
  return a.precision == b.precision && a.skip == b.skip;
}

bool can_run(const SlotGroup& group) { return !group.is_leaving && !group.is_finished(); }

bool ends_step(const ExecutablePlan& plan, int evaluation) {
  const auto next = static_cast<std::size_t>(evaluation) + 1;
  return next == plan.evaluations.size() ||
         plan.evaluations[next].update.step != plan.evaluations[next - 1].update.step;
}

}  // namespace

Slots::Slots(std::shared_ptr<const Network> network, std::int64_t capacity, int branches)
    : network_(std::move(network)), branches_(branches) {
  // Buffers made under inference mode may be written under it without bookkeeping for autograd.
  const c10::InferenceMode guard;
  state_ = make_state_backend(network_->info(), capacity, branches);
  execution_ = make_execution(*network_, capacity * branches);
  free_.resize(static_cast<std::size_t>(capacity));
  std::iota(free_.rbegin(), free_.rend(), std::int64_t{0});
}

void Slots::reserve(const SampleJob& job) {
  const c10::InferenceMode guard;
  state_->reserve(needs_of(job));
}

void Slots::check_job(const SampleJob& job, std::int64_t count) const {
  if (count < 1 || count > free_places()) {
    raise({"Slots.add", "get 1 to " + show(free_places()) + " samples, the places that are free",
           "got " + show(count)});
  }
  if (job.network != network_) raise({"Slots.add", "get a job of its own network", "got another"});
  if (job.branches() > branches_) {
    raise({"Slots.add", "get a job of at most " + show(branches_) + " rows per sample",
           "got one of " + show(job.branches())});
  }
}

std::uint64_t Slots::add(std::shared_ptr<const SampleJob> job, std::int64_t first,
                         std::int64_t count) {
  const c10::InferenceMode guard;
  check_job(*job, count);
  reserve(*job);
  SlotGroup group;
  group.id = next_id_++;
  group.first_sample = first;
  group.last_pass = pass_number_;
  group.places.assign(free_.rbegin(), free_.rbegin() + count);
  for (std::int64_t i = 0; i < count; ++i)
    state_->start(group.places[static_cast<std::size_t>(i)], *job, first + i);
  group.job = std::move(job);
  groups_.push_back(std::move(group));
  free_.resize(free_.size() - static_cast<std::size_t>(count));
  has_new_conditions_ = true;
  return groups_.back().id;
}

void Slots::remove(std::uint64_t id) {
  const c10::InferenceMode guard;
  for (SlotGroup& group : groups_) group.is_leaving |= group.id == id;
  const auto is_wanted = [this](std::uint64_t in_pass) { return !find(in_pass).is_leaving; };
  if (is_in_pass_ && std::none_of(in_pass_.begin(), in_pass_.end(), is_wanted)) drop_pass();
  if (!is_in_pass_) free_leaving();
}

void Slots::drop_pass() {
  is_in_pass_ = false;
  free_leaving();
}

void Slots::free_leaving() {
  const auto leaves = [](const SlotGroup& group) { return group.is_leaving; };
  if (std::none_of(groups_.begin(), groups_.end(), leaves)) return;
  for (const SlotGroup& group : groups_) {
    if (leaves(group)) free_.insert(free_.end(), group.places.begin(), group.places.end());
  }
  std::sort(free_.begin(), free_.end(), std::greater<>());
  std::erase_if(groups_, leaves);
  has_new_conditions_ = true;
}

/// The table holds the conditions of each group's job, one after the other.
void Slots::renew_conditions() {
  if (!has_new_conditions_) return;
  std::vector<const Conditions*> all;
  std::int64_t entries = 0;
  for (SlotGroup& group : groups_) {
    group.first_entry = entries;
    entries += group.job->conditions.entries();
    all.push_back(&group.job->conditions);
  }
  state_->set_conditions(all);
  has_new_conditions_ = false;
}

bool Slots::has_work() const { return std::any_of(groups_.begin(), groups_.end(), can_run); }

bool Slots::advance() {
  const Clock::time_point begun = Clock::now();
  const c10::InferenceMode guard;
  reports_.clear();
  try {
    if (!is_in_pass_) begin_pass();
    const bool is_over = !execution_->advance();
    pass_time_ += Clock::now() - begun;
    if (is_over) end_pass();
    return is_over;
  } catch (...) {
    drop_pass();
    throw;
  }
}

void Slots::begin_pass() {
  if (!has_work()) raise({"Slots.advance", "have a group that is not finished", "has none"});
  renew_conditions();
  choose_groups();
  pass_time_ = {};
  const CompiledRule& rule = pass_groups_.front().job.plan.rule_of(pass_groups_.front().evaluation);
  execution_->begin({.inputs = state_->inputs(pass_groups_),
                     .groups = row_groups_,
                     .precision = rule.precision,
                     .skip = rule.skip,
                     .out = state_->predictions()});
  is_in_pass_ = true;
}

/// Into in_pass_, pass_groups_ and row_groups_, with their rows.
void Slots::choose_groups() {
  const SlotGroup* waiting = nullptr;
  for (const SlotGroup& group : groups_) {
    if (can_run(group) && (waiting == nullptr || group.last_pass < waiting->last_pass))
      waiting = &group;
  }
  ++pass_number_;
  in_pass_.clear();
  pass_groups_.clear();
  rows_.clear();
  for (SlotGroup& group : groups_) {
    if (!can_run(group) || !agree(rule_of(group), rule_of(*waiting))) continue;
    group.last_pass = pass_number_;
    in_pass_.push_back(group.id);
    pass_groups_.push_back(state_group(group, std::ssize(rows_)));
    for (std::int64_t i = 0; i < std::ssize(group.places); ++i) {
      for (int branch = 0; branch < group.job->branches(); ++branch)
        rows_.push_back({group.first_sample + i, branch, group.evaluation});
    }
  }
  row_groups_.clear();
  for (const StateGroup& group : pass_groups_) {
    row_groups_.push_back({group.job.plan, *group.job.policy,
                           std::span(rows_).subspan(static_cast<std::size_t>(group.first_row),
                                                    static_cast<std::size_t>(group.rows()))});
  }
}

StateGroup Slots::state_group(const SlotGroup& group, std::int64_t first_row) const {
  return {*group.job,       group.first_sample, group.places,
          group.evaluation, group.first_entry,  first_row};
}

void Slots::end_pass() {
  is_in_pass_ = false;
  for (std::size_t i = 0; i < in_pass_.size(); ++i) {
    const auto group = std::find_if(groups_.begin(), groups_.end(),
                                    [&](const SlotGroup& g) { return g.id == in_pass_[i]; });
    if (!group->is_leaving) reports_.push_back(move_on(*group, i));
  }
  free_leaving();
}

PassReport Slots::move_on(SlotGroup& group, std::size_t index) {
  const Clock::time_point begun = Clock::now();
  const StateGroup& of_state = pass_groups_[index];
  PassReport report;
  report.group = group.id;
  report.evaluation = group.evaluation;
  report.outcomes = execution_->outcomes().subspan(static_cast<std::size_t>(of_state.first_row),
                                                   static_cast<std::size_t>(of_state.rows()));
  report.counts = &execution_->counts(index);
  report.not_finite = state_->update(of_state);
  if (!report.not_finite) {
    report.ends_step = ends_step(group.job->plan, group.evaluation);
    ++group.evaluation;
    report.is_finished = group.is_finished();
  }
  if (report.ends_step) {
    for (const std::int64_t place : group.places) state_->end_step(place);
  }
  pass_time_ += Clock::now() - begun;
  report.milliseconds = pass_time_.count();
  return report;
}

const SlotGroup& Slots::find(std::uint64_t id) const {
  const auto group = std::find_if(groups_.begin(), groups_.end(),
                                  [id](const SlotGroup& g) { return g.id == id; });
  if (group == groups_.end())
    raise({"Slots", "be asked for a group that is here", "is asked for another"});
  return *group;
}

bool Slots::read(std::uint64_t group, std::int64_t sample, StateBackend::Value value,
                 float* out) const {
  return state_->read(find(group).places[static_cast<std::size_t>(sample)], value, out);
}

}  // namespace adadiff::detail
