// Valid plans with every field drawn at random, for round trips.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>

#include <adadiff/plan.h>

namespace adadiff::test {

class RandomPlans {
 public:
  explicit RandomPlans(unsigned seed) : random_(seed) {}

  Plan next() {
    Plan plan;
    plan.key = one_in(3) ? RuleKey::Evaluation : RuleKey::Time;
    plan.rules.resize(static_cast<std::size_t>(integer(1, one_in(4) ? 40 : 3)));
    for (Rule& rule : plan.rules) fill(rule);
    if (plan.key == RuleKey::Time) set_until(plan.rules);
    plan.scope = static_cast<Scope>(integer(0, 1));
    plan.branches = static_cast<Branches>(integer(0, 1));
    plan.pair = static_cast<PairUncertainty>(integer(0, 2));
    plan.counting = static_cast<Counting>(integer(0, 1));
    if (one_in(2)) plan.solver = settings();
    if (one_in(3)) plan.model = text();
    if (one_in(3))
      plan.certificate = pick({R"({"alpha":0.1,"bounds":[1,2.5,{"x":null}]})", "7",
                               R"("text \"quoted\" é")", "[]", "false"});
    return plan;
  }

 private:
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool one_in(int n) { return integer(1, n) == 1; }
  double real() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  std::string pick(std::vector<std::string> choices) {
    return choices[static_cast<std::size_t>(integer(0, static_cast<int>(choices.size()) - 1))];
  }
  std::string text() {
    std::string out(static_cast<std::size_t>(integer(1, 60)), ' ');
    for (char& character : out) character = static_cast<char>(integer(' ', '~'));
    return out;
  }
  float threshold() {
    if (one_in(4)) return kNever;
    if (one_in(4)) return kAlways;
    return one_in(4) ? std::ldexp(static_cast<float>(real()), -integer(0, 140))
                     : static_cast<float>(real());
  }

  void fill(Rule& rule) {
    const int blocks = one_in(2) ? 1 : integer(2, 13);
    rule.below.resize(static_cast<std::size_t>(blocks));
    for (float& below : rule.below) below = threshold();
    if (blocks > 1) rule.below[0] = one_in(2) ? kNever : kAlways;
    if (one_in(2)) rule.hits.resize(static_cast<std::size_t>(one_in(2) ? 1 : blocks));
    for (std::uint8_t& hits : rule.hits) hits = static_cast<std::uint8_t>(integer(1, 255));
    if (one_in(4)) rule.network = text();
    rule.precision = static_cast<Precision>(one_in(3) ? integer(0, 3) : 0);
    if (one_in(4)) rule.skip.resize(static_cast<std::size_t>(blocks));
    for (std::uint8_t& bits : rule.skip) bits = static_cast<std::uint8_t>(integer(0, 3));
    if (one_in(3)) rule.guide = guide();
  }

  Guide guide() {
    Guide guide{.weight = 100 * real(), .fallback = static_cast<GuideFallback>(integer(0, 1))};
    if (one_in(2)) {
      guide.exit = integer(0, 254);
    } else {
      guide.before = integer(1, 254);
    }
    return guide;
  }

  void set_until(std::vector<Rule>& rules) {
    const std::vector<double> falling = falling_times(rules.size());
    for (std::size_t i = 0; i < rules.size(); ++i) rules[i].until = falling[i];
  }

  /// `count` strictly falling times below 1, the last one 0.
  std::vector<double> falling_times(std::size_t count) {
    std::vector<double> times(count);
    for (double& time : times) time = real();
    std::sort(times.rbegin(), times.rend());
    times.back() = 0;
    return times;
  }

  SolverSettings settings() {
    SolverSettings settings;
    settings.solver = pick({"ddim", "ddpm", "euler-maruyama", "dpmpp-2m", "heun"});
    settings.grid = pick({"uniform", "quadratic", "logsnr"});
    settings.steps = integer(1, 10000);
    if (one_in(3)) settings.times = falling_times(static_cast<std::size_t>(integer(2, 20)));
    if (settings.solver == "ddim" && one_in(2)) settings.eta = real();
    settings.clamp = one_in(2);
    return settings;
  }

  std::mt19937 random_;
};

}  // namespace adadiff::test
