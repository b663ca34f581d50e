// Our solvers against the schedulers of diffusers, over whole runs: tests/golden/schedulers.json,
// which record_schedulers.py wrote. docs/coming_from_diffusers.md says the same in words.
#include <algorithm>
#include <cmath>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <adadiff/solver.h>

#include "diffusion/prediction.h"

namespace adadiff {
namespace {

using nlohmann::json;

const json& cases() {
  static const json all = json::parse(
                              std::ifstream(std::string(ADADIFF_TEST_DATA) + "/schedulers.json"))
                              .at("cases");
  return all;
}

/// The same formula stands in record_schedulers.py.
double network(double x, double time) {
  return std::tanh(1.3 * x) * std::cos(0.01 * time) + 0.3 * std::sin(0.004 * time + x);
}

TokenShift token_shift_of(const json& ours) {
  const std::string type = ours.value("type", std::string("exponential"));
  return {.base_shift = ours.at("base_shift"),
          .max_shift = ours.at("max_shift"),
          .base_tokens = ours.at("base_tokens"),
          .max_tokens = ours.at("max_tokens"),
          .token_size = ours.at("token_size"),
          .type = detail::require_named(detail::kShiftTypes, type, "").value};
}

void set_grid_shift(const json& ours, Process& process) {
  if (!ours.contains("image")) {
    process.grid_shift = ours.value("grid_shift", 1.0);
    return;
  }
  process.token_shift = token_shift_of(ours.at("grid_shift"));
  process.fit_grid_shift(ours.at("image").at(0), ours.at("image").at(1));
}

Process process_of(const json& ours) {
  Process process;
  process.prediction = detail::require_named(detail::kPredictions,
                                             ours.at("prediction").get<std::string>(), "")
                           .value;
  process.schedule = find_schedule(ours.at("schedule").at("name").get<std::string>());
  const json& time = ours.at("time");
  process.embeds = detail::require_named(detail::kTimeEmbeddings,
                                         time.value("embeds", std::string("time")), "")
                       .value;
  process.time_scale = time.at("scale");
  process.time_shift = time.value("shift", 0.0);
  set_grid_shift(ours, process);
  process.data_std = ours.value("data_std", 0.5);
  return process;
}

std::vector<Evaluation> table_of(const json& ours, const Process& process) {
  std::vector<double> times = ours.value("times", std::vector<double>{});
  if (times.empty()) {
    const bool is_first_step = ours.value("last", std::string()) == "min-time";
    times = time_grid(ours.value("grid", std::string("uniform")), process, ours.at("steps"), 1,
                      is_first_step ? LastStep::MinTime : LastStep::Clean);
  }
  return find_solver(ours.at("solver").get<std::string>())(
      {*process.schedule, times, 0, ours.value("keep_noise", false)});
}

double run(const std::vector<Evaluation>& table, const Process& process, bool clamp, double noise) {
  double x = noise * process.schedule->start_deviation(table.front().time), base = x;
  std::array<double, kPredictionHistory> clean{};
  for (const Evaluation& e : table) {
    if (e.stage == 0) base = x;
    std::copy_backward(clean.begin(), clean.end() - 1, clean.end());
    const detail::PredictionRule rule = detail::prediction_rule(process, e.time);
    const double raw = rule.clean_from_state * x +
                       rule.clean_from_output * network(rule.input_scale * x, rule.network_time);
    clean[0] = clamp ? std::clamp(raw, -1.0, 1.0) : raw;
    x = e.state * x + e.base * base + e.unclamped * raw;
    for (std::size_t k = 0; k < clean.size(); ++k) x += e.prediction[k] * clean[k];
  }
  return x;
}

class Schedulers : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Diffusers, Schedulers, testing::Range(std::size_t{0}, cases().size()),
                         [](const auto& tested) {
                           std::string name = cases()[tested.param].at("name");
                           std::replace_if(
                               name.begin(), name.end(),
                               [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

TEST_P(Schedulers, LeadToTheSameImage) {
  const json& scheduler = cases()[GetParam()];
  const Process process = process_of(scheduler.at("process"));
  const json& solver = scheduler.at("solver");
  const std::vector<Evaluation> table = table_of(solver, process);
  ASSERT_EQ(table.size(), scheduler.at("times").size());
  double error = 0, largest = 0;
  for (std::size_t i = 0; i < scheduler.at("start").size(); ++i) {
    const double found = run(table, process, solver.value("clamp", false),
                             scheduler.at("start")[i]);
    const double wanted = scheduler.at("final")[i];
    error = std::max(error, std::abs(found - wanted));
    largest = std::max(largest, std::abs(wanted));
  }
  // Theirs has noise levels in float32, and on grids of its own DPMSolverMultistep rounds the step
  // that the network is told.
  const bool is_rounded = scheduler.at("settings").contains("use_lu_lambdas");
  EXPECT_LT(error, (is_rounded ? 1e-3 : 1e-4) * largest) << largest;
}

}  // namespace
}  // namespace adadiff
