// Block, decision, head for the rows that leave, on with the rest.
#include "execution/host_execution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <ATen/ATen.h>

#include "core/check.h"
#include "execution/index_tensor.h"

namespace adadiff::detail {
namespace {

constexpr float kNotAsked = std::numeric_limits<float>::quiet_NaN();
constexpr float kNotWritten = -std::numeric_limits<float>::infinity();

void check_request(const EvaluationRequest& request, std::int64_t capacity) {
  const auto rows = static_cast<std::int64_t>(request.rows.size());
  if (rows < 1 || rows > capacity) {
    raise({"HostExecution.begin", "get 1 to " + show(capacity) + " rows", "got " + show(rows)});
  }
  if (request.inputs.x.size(0) != rows || request.out.size(0) < rows) {
    raise(
        {"HostExecution.begin", "get inputs and an output for each of " + show(rows) + " rows",
         "x has " + show(request.inputs.x.size(0)) + " and out has " + show(request.out.size(0))});
  }
}

}  // namespace

HostExecution::HostExecution(const Network& network, std::int64_t capacity)
    : network_(network), capacity_(capacity), pass_(network.new_pass(capacity)), guides_(capacity) {
  const auto blocks = static_cast<std::size_t>(network.info().blocks);
  counts_.blocks.resize(blocks);
  counts_.heads.resize(blocks);
  counts_.scores.resize(blocks);
}

void HostExecution::begin(const EvaluationRequest& request) {
  check_request(request, capacity_);
  plan_ = &request.plan;
  policy_ = &request.policy;
  x_ = request.inputs.x;
  time_ = request.inputs.time;
  labels_ = request.inputs.labels;
  out_ = request.out;
  depth_ = 0;
  scored_depth_ = -1;
  has_entered_ = false;
  units_.build(request.rows, request.plan);
  rows_.assign(request.rows.begin(), request.rows.end());
  // A prediction that the network does not write is found by what it is made of.
  out_.narrow(0, 0, std::ssize(rows_)).fill_(kNotAsked);
  guides_.begin(request.plan, rows_, out_);
  outcomes_.assign(rows_.size(), {-1, kNotAsked, kNoGuide});
  row_at_.resize(request.rows.size());
  std::iota(row_at_.begin(), row_at_.end(), std::int64_t{0});
  counts_.embedded = 0;
  for (auto* counts : {&counts_.blocks, &counts_.heads, &counts_.scores})
    std::fill(counts->begin(), counts->end(), 0);
}

bool HostExecution::advance() {
  if (row_at_.empty()) return false;
  if (!has_entered_) {
    leave_here();
    if (row_at_.empty()) return false;
    enter_pass();
  }
  pass_->run_block();
  counts_.blocks[static_cast<std::size_t>(depth_)] += static_cast<std::int64_t>(row_at_.size());
  ++depth_;
  leave_here();
  return !row_at_.empty();
}

/// Rows that stand at their evaluation's last exit go first; the policy is asked about the others
/// only.
void HostExecution::leave_here() {
  const NetworkInfo& info = network_.info();
  const bool is_end = depth_ == info.blocks;
  if (is_end || units_.next_forced_exit() == depth_) {
    leave_.resize(units_.units().size());
    for (std::size_t unit = 0; unit < leave_.size(); ++unit)
      leave_[unit] = is_end || units_.is_forced(unit, depth_);
    settle();
  }
  if (row_at_.empty() || info.can_exit[static_cast<std::size_t>(depth_)] == 0) return;
  ask_policy();
  keep_guides();
}

void HostExecution::ask_policy() {
  const ExitSite site{depth_, network_.info().blocks, units_.units()};
  const Consult consult = policy_->consult(site);
  if (consult == Consult::No) return;
  leave_.assign(site.units.size(), consult == Consult::Leave ? 1 : 0);
  if (consult == Consult::Score || consult == Consult::Decide) {
    if (consult == Consult::Score && depth_ > 0 && network_.info().has_uncertainty) read_scores();
    units_.fill_readings(depth_, readings_);
    policy_->decide(site, {readings_, depth_ + 1}, leave_);
  }
  settle();
}

void HostExecution::read_scores() {
  const auto rows = static_cast<std::int64_t>(row_at_.size());
  if (!scores_.defined()) scores_ = at::empty({capacity_}, x_.options());
  const at::Tensor scores = scores_.narrow(0, 0, rows).fill_(kNotWritten);
  pass_->score({scores});
  const at::Tensor on_host = scores.cpu();
  const float* values = on_host.data_ptr<float>();
  position_scores_.assign(values, values + rows);
  check_scores();
  counts_.scores[static_cast<std::size_t>(depth_ - 1)] += rows;
  scored_depth_ = depth_;
  units_.read(depth_, position_scores_);
}

void HostExecution::check_scores() const {
  for (const float score : position_scores_) {
    if (std::isnan(score) || (score >= 0 && score <= 1)) continue;
    const std::string gave = score == kNotWritten ? "wrote none"
                                                  : "gave " + show(static_cast<double>(score));
    raise<ModelError>({"network \"" + network_.info().kind + "\"",
                       "give uncertainties in [0, 1] at exit " + show(depth_), gave,
                       "ForwardPass::score fills ScoreSink::out"});
  }
}

/// Lets the units with leave_ != 0 go. Nothing is gathered or copied where nobody leaves, nothing
/// kept where all do.
void HostExecution::settle() {
  if (std::all_of(leave_.begin(), leave_.end(), [](std::uint8_t leave) { return leave == 0; }))
    return;
  split_positions();
  predict_leavers();
  guides_.guide(leaving_rows_, depth_, out_);
  for (const std::int64_t position : leaving_) {
    const float uncertainty = scored_depth_ == depth_
                                  ? position_scores_[static_cast<std::size_t>(position)]
                                  : kNotAsked;
    const std::int64_t row = row_at_[static_cast<std::size_t>(position)];
    outcomes_[static_cast<std::size_t>(row)] = {depth_, uncertainty, guides_.guide_of(row, depth_)};
  }
  if (!staying_.empty()) {
    if (has_entered_) pass_->keep(index(staying_));
    units_.drop(leave_);
  }
  row_at_.swap(staying_rows_);
}

void HostExecution::split_positions() {
  leaves_.resize(row_at_.size());
  units_.spread(leave_, leaves_);
  for (auto* list : {&leaving_, &staying_, &leaving_rows_, &staying_rows_}) list->clear();
  for (std::size_t position = 0; position < leaves_.size(); ++position) {
    const bool leaves = leaves_[position] != 0;
    (leaves ? leaving_ : staying_).push_back(static_cast<std::int64_t>(position));
    (leaves ? leaving_rows_ : staying_rows_).push_back(row_at_[position]);
  }
}

void HostExecution::predict_leavers() {
  if (depth_ == 0) {
    out_.index_copy_(0, index(leaving_rows_), linear_predictions(leaving_rows_));
    return;
  }
  pass_->predict(index(leaving_), index(leaving_rows_), out_);
  counts_.heads[static_cast<std::size_t>(depth_ - 1)] += static_cast<std::int64_t>(leaving_.size());
}

/// The analytic linear prediction at exit 0, which needs nothing but the row's state.
at::Tensor HostExecution::linear_predictions(const std::vector<std::int64_t>& rows) const {
  at::Tensor factors = at::empty({static_cast<std::int64_t>(rows.size()), 1, 1, 1}, at::kFloat);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int evaluation = rows_[static_cast<std::size_t>(rows[i])].evaluation;
    factors.data_ptr<float>()[i] = static_cast<float>(
        plan_->evaluations[static_cast<std::size_t>(evaluation)].prediction.linear_output);
  }
  return x_.index_select(0, index(rows)).mul_(factors.to(x_.device()));
}

/// Keeps what this exit predicts for the rows that it may guide later.
void HostExecution::keep_guides() {
  for (auto* list : {&guiding_, &guiding_rows_, &guide_places_}) list->clear();
  for (std::size_t position = 0; position < row_at_.size(); ++position) {
    const std::int64_t row = row_at_[position];
    if (!guides_.keeps(row, depth_)) continue;
    guiding_.push_back(static_cast<std::int64_t>(position));
    guiding_rows_.push_back(row);
    guide_places_.push_back(guides_.place(row, depth_));
  }
  if (guiding_.empty()) return;
  if (depth_ == 0) {
    guides_.store().index_copy_(0, index(guide_places_), linear_predictions(guiding_rows_));
    return;
  }
  pass_->predict(index(guiding_), index(guide_places_), guides_.store());
  counts_.heads[static_cast<std::size_t>(depth_ - 1)] += static_cast<std::int64_t>(guiding_.size());
}

void HostExecution::enter_pass() {
  if (row_at_.size() < outcomes_.size()) {
    const at::Tensor rows = index(row_at_);
    x_ = x_.index_select(0, rows);
    time_ = time_.index_select(0, rows);
    if (labels_.defined()) labels_ = labels_.index_select(0, rows);
  }
  pass_->begin({x_, time_, labels_});
  counts_.embedded = static_cast<std::int64_t>(row_at_.size());
  has_entered_ = true;
}

at::Tensor HostExecution::index(const std::vector<std::int64_t>& values) const {
  return index_tensor(values, out_.device());
}

}  // namespace adadiff::detail
