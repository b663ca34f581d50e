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

std::int64_t count_rows(std::span<const RowGroup> groups) {
  std::int64_t rows = 0;
  for (const RowGroup& group : groups) rows += std::ssize(group.rows);
  return rows;
}

void check_request(const EvaluationRequest& request, std::int64_t capacity) {
  const std::int64_t rows = count_rows(request.groups);
  if (rows < 1 || rows > capacity) {
    raise({"HostExecution.begin", "get 1 to " + show(capacity) + " rows", "got " + show(rows)});
  }
  if (request.inputs.x.size(0) != rows || request.out.size(0) < rows) {
    raise(
        {"HostExecution.begin", "get inputs and an output for each of " + show(rows) + " rows",
         "x has " + show(request.inputs.x.size(0)) + " and out has " + show(request.out.size(0))});
  }
}

void clear(RowCounts& counts, std::size_t blocks) {
  counts.embedded = 0;
  for (auto* list : {&counts.blocks, &counts.heads, &counts.scores}) list->assign(blocks, 0);
}

bool anybody(const std::vector<std::uint8_t>& flags) {
  return std::any_of(flags.begin(), flags.end(), [](std::uint8_t flag) { return flag != 0; });
}

}  // namespace

std::unique_ptr<Execution> make_execution(const Network& network, std::int64_t capacity) {
  return std::make_unique<HostExecution>(network, capacity);
}

HostExecution::HostExecution(const Network& network, std::int64_t capacity)
    : network_(network), capacity_(capacity), guides_(capacity, network.info().channels) {
  use_pass(Precision::Float32);
}

void HostExecution::use_pass(Precision precision) {
  const auto place = static_cast<std::size_t>(precision);
  if (passes_.size() <= place) passes_.resize(place + 1);
  if (!passes_[place])
    passes_[place] = network_.new_pass({padded_rows(capacity_), precision, network_.info().device});
  pass_ = passes_[place].get();
  if (pass_ != nullptr) return;
  raise<ModelError>(
      {"network \"" + network_.info().kind + "\"", "make a pass", "new_pass gives none"});
}

/// What the network asks for, which must have room for all rows that count.
std::int64_t HostExecution::padded_rows(std::int64_t live) const {
  const std::int64_t rows = network_.padded_rows(live), most = network_.padded_rows(capacity_);
  if (rows >= live && rows <= most) return rows;
  raise<ModelError>(
      {"network \"" + network_.info().kind + "\"",
       "ask for " + show(live) + " to " + show(most) + " rows where " + show(live) + " count",
       "asks for " + show(rows), "see Network::padded_rows"});
}

void HostExecution::begin(const EvaluationRequest& request) {
  check_request(request, capacity_);
  use_pass(request.precision);
  x_ = request.inputs.x;
  time_ = request.inputs.time;
  entries_ = request.inputs.entries;
  conditions_ = request.inputs.conditions;
  skip_ = request.skip;
  out_ = request.out;
  depth_ = 0;
  has_entered_ = false;
  begin_parties(request.groups);
  // A prediction that the network does not write is found by what it is made of.
  out_.narrow(0, 0, std::ssize(rows_)).fill_(kNotAsked);
  guides_.begin(request.groups, out_);
  outcomes_.assign(rows_.size(), {-1, kNotAsked, kNoGuide});
  row_scores_.assign(rows_.size(), kNotAsked);
  leaves_.assign(rows_.size(), 0);
  row_at_.resize(rows_.size());
  std::iota(row_at_.begin(), row_at_.end(), std::int64_t{0});
}

void HostExecution::begin_parties(std::span<const RowGroup> groups) {
  party_count_ = groups.size();
  if (parties_.size() < party_count_) parties_.resize(party_count_);
  rows_.clear();
  party_at_.clear();
  for (std::size_t i = 0; i < party_count_; ++i) {
    Party& party = parties_[i];
    party.plan = &groups[i].plan;
    party.policy = &groups[i].policy;
    party.units.build(groups[i], std::ssize(rows_));
    party.scored_depth = -1;
    clear(party.counts, static_cast<std::size_t>(network_.info().blocks));
    rows_.insert(rows_.end(), groups[i].rows.begin(), groups[i].rows.end());
    party_at_.insert(party_at_.end(), groups[i].rows.size(), i);
  }
}

bool HostExecution::advance() {
  if (row_at_.empty()) return false;
  if (!has_entered_) {
    leave_here();
    if (row_at_.empty()) return false;
    enter_pass();
  }
  pass_->run_block(skip_.empty() ? std::uint8_t{0} : skip_[static_cast<std::size_t>(depth_)]);
  ++depth_;
  count(&RowCounts::blocks, row_at_);
  leave_here();
  return !row_at_.empty();
}

/// Rows that stand at their evaluation's last exit go first; policies are asked about the others
/// only.
void HostExecution::leave_here() {
  const NetworkInfo& info = network_.info();
  leave_by_force();
  if (row_at_.empty() || info.can_exit[static_cast<std::size_t>(depth_)] == 0) return;
  ask_policies();
  keep_guides();
}

void HostExecution::leave_by_force() {
  const bool is_end = depth_ == network_.info().blocks;
  for (std::size_t i = 0; i < party_count_; ++i) {
    Party& party = parties_[i];
    party.leave.assign(party.units.units().size(), is_end ? 1 : 0);
    if (is_end || !party.units.has_forced(depth_)) continue;
    for (std::size_t unit = 0; unit < party.leave.size(); ++unit)
      party.leave[unit] = party.units.is_forced(unit, depth_);
  }
  settle();
}

void HostExecution::ask_policies() {
  bool needs_scores = false;
  for (std::size_t i = 0; i < party_count_; ++i) {
    Party& party = parties_[i];
    const ExitSite site{depth_, network_.info().blocks, party.units.units()};
    party.consult = site.units.empty() ? Consult::No : party.policy->consult(site);
    needs_scores |= party.consult == Consult::Score;
  }
  const bool has_scores = needs_scores && read_scores();
  for (std::size_t i = 0; i < party_count_; ++i) {
    Party& party = parties_[i];
    const ExitSite site{depth_, network_.info().blocks, party.units.units()};
    party.leave.assign(site.units.size(), party.consult == Consult::Leave ? 1 : 0);
    if (party.consult == Consult::No || party.consult == Consult::Leave) continue;
    if (has_scores && party.consult == Consult::Score) {
      party.units.read(depth_, row_scores_);
      party.scored_depth = depth_;
    }
    decide(party, site);
  }
  settle();
}

void HostExecution::decide(Party& party, const ExitSite& site) {
  party.units.fill_readings(depth_, readings_);
  party.policy->decide(site, {readings_, depth_ + 1}, party.leave);
}

/// One score per row still in the pass into row_scores_, where its policy asked for one; false
/// where the network has none to give.
bool HostExecution::read_scores() {
  if (depth_ == 0 || !network_.info().has_uncertainty) return false;
  const std::int64_t rows = padded_rows(std::ssize(row_at_));
  if (!scores_.defined()) {
    scores_ = at::empty({padded_rows(capacity_)}, x_.options());
  }
  const at::Tensor scores = scores_.narrow(0, 0, rows).fill_(kNotWritten);
  pass_->score({scores});
  const at::Tensor on_host = scores.cpu();
  const float* values = on_host.const_data_ptr<float>();
  asked_.clear();
  for (std::size_t position = 0; position < row_at_.size(); ++position) {
    const std::int64_t row = row_at_[position];
    if (party_of(row).consult != Consult::Score) continue;
    row_scores_[static_cast<std::size_t>(row)] = values[position];
    asked_.push_back(row);
  }
  check_scores();
  count(&RowCounts::scores, asked_);
  return true;
}

void HostExecution::check_scores() const {
  for (const std::int64_t row : row_at_) {
    const float score = row_scores_[static_cast<std::size_t>(row)];
    if (std::isnan(score) || (score >= 0 && score <= 1)) continue;
    const std::string gave = score == kNotWritten ? "wrote none"
                                                  : "gave " + show(static_cast<double>(score));
    raise<ModelError>({"network \"" + network_.info().kind + "\"",
                       "give uncertainties in [0, 1] at exit " + show(depth_), gave,
                       "ForwardPass::score fills ScoreSink::out"});
  }
}

/// Lets the units with leave[i] != 0 go. Nothing is gathered or copied where nobody leaves, nothing
/// kept where all do.
void HostExecution::settle() {
  const auto parties = std::span(parties_).first(party_count_);
  if (std::none_of(parties.begin(), parties.end(), [](const Party& p) { return anybody(p.leave); }))
    return;
  split_positions();
  predict_leavers();
  guides_.guide(leaving_rows_, depth_, out_);
  note_outcomes();
  if (!staying_.empty() && has_entered_) pass_->keep(index(padded(staying_)), std::ssize(staying_));
  for (Party& party : parties) party.units.drop(party.leave);
  row_at_.swap(staying_rows_);
}

void HostExecution::split_positions() {
  for (std::size_t i = 0; i < party_count_; ++i) parties_[i].units.mark(parties_[i].leave, leaves_);
  for (auto* list : {&leaving_, &staying_, &leaving_rows_, &staying_rows_}) list->clear();
  for (std::size_t position = 0; position < row_at_.size(); ++position) {
    const std::int64_t row = row_at_[position];
    const bool leaves = leaves_[static_cast<std::size_t>(row)] != 0;
    (leaves ? leaving_ : staying_).push_back(static_cast<std::int64_t>(position));
    (leaves ? leaving_rows_ : staying_rows_).push_back(row);
  }
}

void HostExecution::predict_leavers() {
  if (depth_ == 0) {
    out_.index_copy_(0, index(leaving_rows_), linear_predictions(leaving_rows_));
    return;
  }
  pass_->predict(index(leaving_), index(leaving_rows_), out_);
  count(&RowCounts::heads, leaving_rows_);
}

void HostExecution::note_outcomes() {
  for (const std::int64_t row : leaving_rows_) {
    const auto place = static_cast<std::size_t>(row);
    const float uncertainty = party_of(row).scored_depth == depth_ ? row_scores_[place] : kNotAsked;
    outcomes_[place] = {depth_, uncertainty, guides_.guide_of(row, depth_)};
  }
}

/// The analytic linear prediction at exit 0, which needs nothing but the row's state; of learned
/// variances the lower bound.
at::Tensor HostExecution::linear_predictions(const std::vector<std::int64_t>& rows) const {
  std::vector<float> factors;
  for (const std::int64_t number : rows) {
    const auto row = static_cast<std::size_t>(number);
    const auto evaluation = static_cast<std::size_t>(rows_[row].evaluation);
    factors.push_back(static_cast<float>(
        parties_[party_at_[row]].plan->evaluations[evaluation].prediction.linear_output));
  }
  const at::Tensor linear = x_.index_select(0, index(rows))
                                .mul_(at::tensor(factors).view({-1, 1, 1, 1}).to(x_.device()));
  return network_.info().has_learned_variance ? at::cat({linear, at::full_like(linear, -1)}, 1)
                                              : linear;
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
  count(&RowCounts::heads, guiding_rows_);
}

void HostExecution::enter_pass() {
  const std::int64_t live = std::ssize(row_at_);
  if (live < std::ssize(outcomes_) || padded_rows(live) > live) {
    const at::Tensor rows = index(padded(row_at_));
    x_ = x_.index_select(0, rows);
    time_ = time_.index_select(0, rows);
    if (entries_.defined()) entries_ = entries_.index_select(0, rows);
  }
  pass_->begin({x_, time_, entries_, conditions_, live});
  for (const std::int64_t row : row_at_) ++party_of(row).counts.embedded;
  has_entered_ = true;
}

/// Counts, for each row's group, what belongs to the block before this depth.
void HostExecution::count(std::vector<std::int64_t> RowCounts::*counts,
                          std::span<const std::int64_t> rows) {
  for (const std::int64_t row : rows)
    ++(party_of(row).counts.*counts)[static_cast<std::size_t>(depth_ - 1)];
}

/// As many positions as the network wants where these count; the first one fills up.
const std::vector<std::int64_t>& HostExecution::padded(const std::vector<std::int64_t>& positions) {
  padded_ = positions;
  padded_.resize(static_cast<std::size_t>(padded_rows(std::ssize(positions))), positions.front());
  return padded_;
}

at::Tensor HostExecution::index(const std::vector<std::int64_t>& values) const {
  return index_tensor(values, out_.device());
}

}  // namespace adadiff::detail
