// One evaluation of a pyramid network, by HostExecution and in two ways that are too simple to be
// wrong.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/ATen.h>

#include <adadiff/plan.h>

#include "execution/host_execution.h"
#include "support/pyramid_network.h"

namespace adadiff::test {

/// Rows of one evaluation with the tensors that go with them.
struct Rows {
  std::vector<detail::EvaluationRow> rows;
  at::Tensor x, time, labels;
  mutable at::Tensor entries = {};
  PassInputs view() const {
    const bool has = labels.defined();
    entries = has ? at::arange(labels.size(0), at::kLong) : at::Tensor();
    return {x, time, entries, {.labels = has ? &labels : nullptr}};
  }
};

/// All rows as one group, and what begin() is given for them; alive as long as this.
struct OneGroup {
  OneGroup(const Rows& rows, const detail::ExecutablePlan& plan, const ExitPolicy& policy,
           const at::Tensor& out)
      : groups{{plan, policy, rows.rows}},
        request{.inputs = rows.view(),
                .groups = groups,
                .precision = plan.rules.front().precision,
                .skip = plan.rules.front().skip,
                .out = out} {}
  OneGroup(const OneGroup&) = delete;
  OneGroup& operator=(const OneGroup&) = delete;

  std::array<detail::RowGroup, 1> groups;
  detail::EvaluationRequest request;
};

/// What a table of `evaluations` evaluations looks like for a plan, without a solver.
detail::ExecutablePlan executable(const Plan& plan, const Network& network, int evaluations = 1);

/// `samples` samples of `branches` rows each, sample-major; sample i stands at evaluation i %
/// evaluations. Different noise for each seed.
Rows make_rows(const PyramidNetwork& network, std::int64_t samples, int branches,
               const detail::ExecutablePlan& plan, int seed = 0);

/// What HostExecution made of the rows.
struct Executed {
  at::Tensor out;
  std::vector<detail::RowOutcome> outcomes;
  detail::RowCounts counts;
  int advances = 0;

  std::vector<int> exits() const;
};
Executed execute(const Network& network, const detail::ExecutablePlan& plan,
                 const ExitPolicy& policy, const Rows& rows);
Executed execute(const Network& network, const detail::ExecutablePlan& plan, const Rows& rows);

/// Every exit's prediction of all rows, [blocks + 1] of [R, C, H, W]; entry 0 is the analytic one.
std::vector<at::Tensor> run_everything(const Network& network, const detail::ExecutablePlan& plan,
                                       const Rows& rows);
/// For each row the entry of its exit.
at::Tensor pick(const std::vector<at::Tensor>& everything, const std::vector<int>& exits);

/// Largest difference over the largest value of `wanted`.
double relative_error(const at::Tensor& got, const at::Tensor& wanted);

}  // namespace adadiff::test
