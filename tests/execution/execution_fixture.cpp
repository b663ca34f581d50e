// Drives HostExecution, and the network by hand.
#include "execution/execution_fixture.h"

#include <adadiff/noise_schedule.h>
#include <adadiff/solver.h>

namespace adadiff::test {

detail::ExecutablePlan executable(const Plan& plan, const Network& network, int evaluations) {
  detail::ModelFacts model;
  model.blocks = network.info().blocks;
  model.can_exit = network.info().can_exit;
  model.has_uncertainty = network.info().has_uncertainty;
  model.process.schedule = cosine_schedule();
  SolverSettings settings;
  settings.steps = evaluations;
  const std::vector<double> times = time_grid("uniform", model.process, evaluations);
  const std::vector<Evaluation> table = find_solver("ddim")({*model.process.schedule, times, 0});
  return detail::compile(plan, settings, table, model);
}

Rows make_rows(const PyramidNetwork& network, std::int64_t samples, int branches,
               const detail::ExecutablePlan& plan, int seed) {
  const NetworkInfo& info = network.info();
  Rows rows;
  const std::int64_t count = samples * branches;
  rows.x = at::empty({count, info.channels, info.height, info.width}, at::kFloat);
  rows.time = at::empty({count}, at::kFloat);
  if (info.classes > 0) rows.labels = at::empty({count}, at::kLong);
  const std::int64_t values = info.channels * info.height * info.width;
  for (std::int64_t row = 0; row < count; ++row) {
    const std::int64_t sample = row / branches;
    const auto evaluation = static_cast<std::size_t>(sample) % plan.evaluations.size();
    rows.rows.push_back({sample, static_cast<int>(row % branches), static_cast<int>(evaluation)});
    rows.time.data_ptr<float>()[row] = static_cast<float>(
        plan.evaluations[evaluation].prediction.network_time);
    if (info.classes > 0)
      rows.labels.data_ptr<std::int64_t>()[row] = row % branches == 1 ? info.null_label
                                                                      : sample % info.classes;
    float* x = rows.x.data_ptr<float>() + row * values;
    for (std::int64_t i = 0; i < values; ++i) {
      x[i] = static_cast<float>(
          std::sin(0.37 * static_cast<double>(i) + 1.9 * static_cast<double>(sample) + 0.7 * seed));
    }
  }
  return rows;
}

std::vector<int> Executed::exits() const {
  std::vector<int> exits;
  for (const detail::RowOutcome& outcome : outcomes) exits.push_back(outcome.exit);
  return exits;
}

Executed execute(const Network& network, const detail::ExecutablePlan& plan,
                 const ExitPolicy& policy, const Rows& rows) {
  detail::HostExecution execution(network, rows.x.size(0));
  Executed result;
  result.out = at::full_like(rows.x, std::numeric_limits<double>::quiet_NaN());
  const OneGroup group(rows, plan, policy, result.out);
  execution.begin(group.request);
  do {
    ++result.advances;
  } while (execution.advance());
  result.outcomes.assign(execution.outcomes().begin(), execution.outcomes().end());
  result.counts = execution.counts(0);
  return result;
}

Executed execute(const Network& network, const detail::ExecutablePlan& plan, const Rows& rows) {
  return execute(network, plan, *detail::threshold_policy(plan), rows);
}

std::vector<at::Tensor> run_everything(const Network& network, const detail::ExecutablePlan& plan,
                                       const Rows& rows) {
  std::vector<at::Tensor> everything(1, rows.x.clone());
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    everything[0][static_cast<std::int64_t>(row)].mul_(
        plan.evaluations[static_cast<std::size_t>(rows.rows[row].evaluation)]
            .prediction.linear_output);
  }
  const std::unique_ptr<ForwardPass> pass = network.new_pass({.capacity = rows.x.size(0)});
  const at::Tensor all = at::arange(rows.x.size(0), at::kLong);
  pass->begin(rows.view());
  for (int block = 0; block < network.info().blocks; ++block) {
    pass->run_block(0);
    everything.push_back(at::empty_like(rows.x));
    pass->predict(all, all, everything.back());
  }
  return everything;
}

at::Tensor pick(const std::vector<at::Tensor>& everything, const std::vector<int>& exits) {
  at::Tensor picked = at::empty_like(everything[0]);
  for (std::size_t row = 0; row < exits.size(); ++row) {
    const auto index = static_cast<std::int64_t>(row);
    picked[index].copy_(everything.at(static_cast<std::size_t>(exits[row]))[index]);
  }
  return picked;
}

double relative_error(const at::Tensor& got, const at::Tensor& wanted) {
  return (got - wanted).abs().max().item<double>() / wanted.abs().max().item<double>();
}

}  // namespace adadiff::test
