// What policies are told, and what happens when things go wrong on the way.
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include <adadiff/error.h>

#include "execution/execution_fixture.h"

namespace adadiff::test {
namespace {

/// A policy made of two functions.
struct FunctionPolicy final : ExitPolicy {
  std::function<Consult(const ExitSite&)> on_consult = [](const ExitSite&) { return Consult::No; };
  std::function<void(const ExitSite&, const Readings&, std::span<std::uint8_t>)> on_decide;

  Consult consult(const ExitSite& site) const override { return on_consult(site); }
  void decide(const ExitSite& site, const Readings& readings,
              std::span<std::uint8_t> leave) const override {
    on_decide(site, readings, leave);
  }
};

Executed execute_with(const PyramidNetwork& network, const ExitPolicy& policy, std::int64_t samples,
                      int branches = 1) {
  const detail::ExecutablePlan plan = executable(full_depth(), network);
  return execute(network, plan, policy, make_rows(network, samples, branches, plan));
}

TEST(Policy, IsAskedBeforeEveryBlockButNeverAfterTheLast) {
  std::vector<int> sites;
  FunctionPolicy policy;
  policy.on_consult = [&sites](const ExitSite& site) {
    sites.push_back(site.exit);
    return Consult::No;
  };
  execute_with(PyramidNetwork(), policy, 1);
  EXPECT_EQ(sites, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST(Policy, SeesReadingsSoFarWithNaNWhereNoneWasAsked) {
  PyramidOptions options;
  options.score = [](const ScoreQuestion& question) {
    return 0.1f * static_cast<float>(question.exit);
  };
  std::vector<float> seen;
  FunctionPolicy policy;
  policy.on_consult = [](const ExitSite& site) {
    return site.exit == 2 || site.exit == 4 ? Consult::Score : Consult::No;
  };
  policy.on_decide = [&seen](const ExitSite& site, const Readings& readings,
                             std::span<std::uint8_t>) {
    if (site.exit == 4) seen.assign(readings.values.begin(), readings.values.end());
  };
  execute_with(PyramidNetwork(options), policy, 1);
  ASSERT_EQ(seen.size(), 5u);
  EXPECT_TRUE(std::isnan(seen[0]) && std::isnan(seen[1]) && std::isnan(seen[3]));
  EXPECT_FLOAT_EQ(seen[2], 0.2f);
  EXPECT_FLOAT_EQ(seen[4], 0.4f);
}

TEST(Policy, GetsOnlyUnitsStillInThePass) {
  std::vector<std::vector<std::int64_t>> samples;
  FunctionPolicy policy;
  policy.on_consult = [](const ExitSite& site) {
    return site.exit > 0 ? Consult::Score : Consult::No;
  };
  policy.on_decide = [&samples](const ExitSite& site, const Readings&,
                                std::span<std::uint8_t> leave) {
    samples.emplace_back();
    for (std::size_t i = 0; i < site.units.size(); ++i) {
      samples.back().push_back(site.units[i].sample);
      leave[i] = site.units[i].sample == site.exit ? 1 : 0;
    }
  };
  EXPECT_EQ(execute_with(PyramidNetwork(), policy, 4).exits(), (std::vector<int>{6, 1, 2, 3}));
  EXPECT_EQ(samples[0], (std::vector<std::int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(samples[1], (std::vector<std::int64_t>{0, 2, 3}));
  EXPECT_EQ(samples[3], (std::vector<std::int64_t>{0}));
}

TEST(Policy, LetsEverybodyLeaveWithoutAScore) {
  const PyramidNetwork network;
  FunctionPolicy policy;
  policy.on_consult = [](const ExitSite& site) {
    return site.exit == 2 ? Consult::Leave : Consult::No;
  };
  const Executed executed = execute_with(network, policy, 3);
  EXPECT_EQ(executed.exits(), (std::vector<int>{2, 2, 2}));
  EXPECT_EQ(network.ran().scores[1], 0);
  EXPECT_TRUE(std::isnan(executed.outcomes[0].uncertainty));
}

TEST(Policy, DecidesWithoutAScore) {
  const PyramidNetwork network;
  FunctionPolicy policy;
  policy.on_consult = [](const ExitSite& site) {
    return site.exit == 2 ? Consult::Decide : Consult::No;
  };
  policy.on_decide = [](const ExitSite& site, const Readings& readings,
                        std::span<std::uint8_t> leave) {
    for (std::size_t i = 0; i < leave.size(); ++i)
      leave[i] = site.units[i].sample == 1 && std::isnan(readings.latest(i)) ? 1 : 0;
  };
  EXPECT_EQ(execute_with(network, policy, 3).exits(), (std::vector<int>{6, 2, 6}));
  EXPECT_EQ(network.ran().scores[1], 0);
}

TEST(Policy, OfANetworkWithoutUncertaintyGetsNaN) {
  PyramidOptions options;
  options.has_uncertainty = false;
  FunctionPolicy policy;
  policy.on_consult = [](const ExitSite& site) {
    return site.exit == 2 ? Consult::Score : Consult::No;
  };
  policy.on_decide = [](const ExitSite&, const Readings& readings, std::span<std::uint8_t> leave) {
    leave[0] = std::isnan(readings.latest(0)) ? 1 : 0;
  };
  EXPECT_EQ(execute_with(PyramidNetwork(options), policy, 1).exits(), std::vector<int>{2});
}

TEST(Outcome, HasTheRowsOwnUncertainty) {
  PyramidOptions options;
  options.classes = 2;
  options.null_label = 1;
  options.score = [](const ScoreQuestion& question) { return question.label == 1 ? 0.3f : 0.2f; };
  const PyramidNetwork network(options);
  const detail::ExecutablePlan plan = executable(exit_below(0.5f), network);
  const Executed executed = execute(network, plan, make_rows(network, 1, 2, plan));
  EXPECT_FLOAT_EQ(executed.outcomes[0].uncertainty, 0.2f);
  EXPECT_FLOAT_EQ(executed.outcomes[1].uncertainty, 0.3f);
}

TEST(Units, PairBranchesInAnyOrderOfRows) {
  PyramidOptions options;
  options.classes = 2;
  options.null_label = 1;
  const PyramidNetwork network(options);
  const detail::ExecutablePlan plan = executable(exit_below(0.5f), network);
  Rows rows = make_rows(network, 4, 1, plan);
  rows.rows = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {1, 1, 0}};
  const std::vector<int> exits = execute(network, plan, rows).exits();
  EXPECT_EQ(exits[0], exits[2]);
  EXPECT_EQ(exits[1], exits[3]);
}

TEST(Execution, RefusesMoreRowsThanItsCapacity) {
  const PyramidNetwork network;
  const detail::ExecutablePlan plan = executable(full_depth(), network);
  Rows rows = make_rows(network, 3, 1, plan);
  detail::HostExecution execution(network, 2);
  const auto policy = detail::threshold_policy(plan);
  try {
    const OneGroup group(rows, plan, *policy, at::empty_like(rows.x));
    execution.begin(group.request);
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(), "HostExecution.begin: must get 1 to 2 rows, but got 3");
  }
}

TEST(Execution, RefusesInputsThatDoNotMatchTheRows) {
  const PyramidNetwork network;
  const detail::ExecutablePlan plan = executable(full_depth(), network);
  Rows rows = make_rows(network, 3, 1, plan);
  detail::HostExecution execution(network, 3);
  const auto policy = detail::threshold_policy(plan);
  try {
    const OneGroup group(rows, plan, *policy, at::empty_like(rows.x).narrow(0, 0, 2));
    execution.begin(group.request);
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("x has 3 and out has 2"), std::string::npos);
  }
}

TEST(Execution, IsUsableAfterTheNetworkThrew) {
  PyramidOptions options;
  bool is_broken = true;
  options.on_block = [&is_broken](int block) {
    if (is_broken && block == 2) throw std::runtime_error("scripted failure");
  };
  const PyramidNetwork network(options);
  const detail::ExecutablePlan plan = executable(full_depth(), network);
  const Rows rows = make_rows(network, 2, 1, plan);
  const auto policy = detail::threshold_policy(plan);
  at::Tensor out = at::empty_like(rows.x);
  detail::HostExecution execution(network, 2);
  const OneGroup group(rows, plan, *policy, out);
  execution.begin(group.request);
  EXPECT_TRUE(execution.advance() && execution.advance());
  EXPECT_THROW(execution.advance(), std::runtime_error);
  is_broken = false;
  execution.begin(group.request);
  while (execution.advance()) {
  }
  EXPECT_TRUE(at::equal(out, run_everything(network, plan, rows).back()));
}

}  // namespace
}  // namespace adadiff::test
