// Searches over made-up models, whose compute, distance and recall are known.
#include "tuning/distance_search.h"

#include <cmath>

#include <gmock/gmock.h>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// One-pixel images whose value is the distance. It is least with 7 steps, at the tilt, the guide
/// and the weight that are good; a guide makes it small in any case. A share of the compute is
/// skipped that grows with the threshold. Recall falls with the guide's weight.
struct MadeUp {
  int good_steps = 7;
  double good_tilt = 1, good_weight = 2.2;
  int good_guide = 2;
  double recall_lost = 0;  ///< per unit of weight - 1
  std::vector<Request>* runs = nullptr;

  Result operator()(const Request& request, const std::string&) const {
    if (runs != nullptr) runs->push_back(request);
    const int steps = request.solver->steps;
    const Rule &first = request.plan->rules.front(), &last = request.plan->rules.back();
    const double low = first.below.front(), high = last.below.front();
    Result result;
    result.trace.samples = 1;
    result.trace.evaluations.resize(static_cast<std::size_t>(steps));
    for (EvaluationTrace& evaluation : result.trace.evaluations) evaluation.exit = {1};
    result.trace.compute.full_depth = 100;
    result.trace.compute.blocks = 100 * std::max(0.1, 1 - 2 * std::sqrt(low * high));
    const double tilt = low > 0 ? std::log2(high / low / good_tilt) : 0;
    const double weight = std::log2(first.guide.weight / good_weight);
    const double guide = first.guide.exit.value_or(0) - good_guide;
    const double distance = 0.01 *
                                (std::abs(steps - good_steps) + std::abs(tilt) + std::abs(guide)) +
                            0.1 * std::abs(weight);
    result.images.values = {static_cast<float>(0.1 + distance),
                            static_cast<float>(0.8 - recall_lost * (first.guide.weight - 1))};
    return result;
  }
};

ImageQuality measure(const Images& images) {
  const double distance = images.values[0];
  return {distance, std::vector<double>(5, distance), images.values[1]};
}

ModelSummary one_pixel() {
  ModelSummary model;
  model.id = "made-up";
  model.channels = model.height = model.width = 1;
  model.blocks = 6;
  model.exits = {0, 1, 2, 3, 4, 5};
  return model;
}

DistanceTuningOptions four() {
  DistanceTuningOptions options;
  options.budget = 4;
  options.samples = 500;
  return options;
}

DistanceTuningResult search(const MadeUp& made_up, const DistanceTuningOptions& options = four()) {
  return search_distance(
      options, one_pixel(),
      [&](const Request& request, const std::string& note) { return made_up(request, note); },
      measure);
}

TEST(DistanceSearch, FindsStepsGuideAndWeight) {
  const DistanceTuningResult found = search({.good_steps = 9, .good_weight = 2.8, .good_guide = 4});
  EXPECT_EQ(found.best.steps, 9);
  EXPECT_EQ(found.best.guide, 4);
  EXPECT_EQ(found.best.weight, 2.8);
}

TEST(DistanceSearch, FindsATilt) {
  EXPECT_EQ(search({.good_tilt = 4}).best.tilt, 4);
  EXPECT_EQ(search({.good_tilt = 0.5}).best.tilt, 0.5);
}

TEST(DistanceSearch, MeetsTheBudgetInEveryTrial) {
  for (const DistanceTrial& trial : search({.good_tilt = 4}).trials) {
    EXPECT_LE(trial.cost, 4);
    EXPECT_GE(trial.cost, 4 * (1 - four().tolerance));
  }
}

TEST(DistanceSearch, FitsThresholdsOnFewSamples) {
  std::vector<Request> runs;
  const DistanceTuningResult found = search({.runs = &runs});
  const auto full = std::count_if(runs.begin(), runs.end(),
                                  [](const Request& request) { return request.count == 500; });
  EXPECT_EQ(full, std::ssize(found.trials)) << "all samples are drawn once per trial";
  for (const Request& request : runs) EXPECT_TRUE(request.count == 500 || request.count == 150);
}

TEST(DistanceSearch, KeepsTheRecallOfPlainFullDepth) {
  const DistanceTuningResult found = search({.good_weight = 5.05, .recall_lost = 0.1});
  EXPECT_FLOAT_EQ(static_cast<float>(found.recall_floor), 0.8F);
  EXPECT_EQ(found.best.weight, 1) << "every guide loses some";
  EXPECT_EQ(found.best.guide, 0);
  EXPECT_GT(found.best.steps, 4) << "leaving early is what is left";
}

TEST(DistanceSearch, KeepsTheFloorThatIsAskedFor) {
  DistanceTuningOptions options = four();
  options.recall_floor = 0.65;
  const DistanceTuningResult found = search({.good_weight = 5.05, .recall_lost = 0.1}, options);
  EXPECT_EQ(found.best.weight, 2.2) << "the largest weight that keeps .65 is below 2.5";
}

TEST(DistanceSearch, TriesNoGuideWhereNoneIsWanted) {
  DistanceTuningOptions options = four();
  options.guides = false;
  for (const DistanceTrial& trial : search({.good_tilt = 2}, options).trials)
    EXPECT_EQ(trial.weight, 1);
}

TEST(DistanceSearch, TakesPlainFullDepthWhereNothingKeepsTheFloor) {
  DistanceTuningOptions options = four();
  options.recall_floor = 0.9;
  const DistanceTuningResult found = search({}, options);
  EXPECT_EQ(found.best.steps, 4);
  EXPECT_EQ(found.plan.rules, full_depth().rules);
}

TEST(DistanceSearch, WritesItsBestAsAPlanForThisModel) {
  const DistanceTuningResult found = search({.good_tilt = 4});
  EXPECT_EQ(found.plan.model, "made-up");
  EXPECT_EQ(found.plan.solver->steps, found.best.steps);
  EXPECT_EQ(found.plan.rules.front().guide, (Guide{.exit = 2, .weight = 2.2}));
  EXPECT_EQ(found.plan, parse_plan(to_json(found.plan)));
}

TEST(DistanceSearch, MeasuresNoChoiceTwiceAndStopsAtItsLimit) {
  DistanceTuningOptions options = four();
  options.most_trials = 6;
  EXPECT_EQ(search({.good_tilt = 4, .good_weight = 5.05}, options).trials.size(), 6u);
  const auto trials = search({.good_tilt = 4}).trials;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const auto same = [](const DistanceTrial& a, const DistanceTrial& b) {
        return a.steps == b.steps && a.tilt == b.tilt && a.guide == b.guide && a.weight == b.weight;
      };
      EXPECT_FALSE(same(trials[i], trials[j])) << i << " and " << j;
    }
  }
}

TEST(DistanceSearch, PrefersRecallWhereDistancesCannotBeToldApart) {
  const MadeUp made_up{.good_weight = 2.2, .recall_lost = 0.01};
  const auto best_with = [&](double deviation) {
    const auto noisy = [deviation](const Images& images) {
      ImageQuality found = measure(images);
      for (std::size_t g = 0; g < found.distance_without.size(); ++g) {
        found.distance_without[g] += deviation * found.recall *
                                     static_cast<double>(g % 2);  // differs from weight to weight
      }
      return found;
    };
    DistanceTuningOptions options = four();
    options.recall_floor = 0.5;
    return search_distance(
               options, one_pixel(),
               [&](const Request& r, const std::string& n) { return made_up(r, n); }, noisy)
        .best;
  };
  EXPECT_EQ(best_with(0).weight, 2.2);
  EXPECT_LT(best_with(10).weight, 2.2) << "a smaller weight loses less recall";
}

TEST(DistanceSearch, TellsTheErrorOfItsGain) {
  const auto noisy = [](const Images& images) {
    ImageQuality found = measure(images);
    for (std::size_t g = 0; g < found.distance_without.size(); ++g) {
      found.distance_without[g] *= 1 + 0.1 * static_cast<double>(g % 2);
    }
    return found;
  };
  const MadeUp made_up;
  const auto found = search_distance(
      four(), one_pixel(), [&](const Request& r, const std::string& n) { return made_up(r, n); },
      noisy);
  // The groups' differences are 1 and 1.1 times the gain d, in turns (3 and 2 of 5): mean 1.04,
  // squares 0.012 d^2, (G - 1) / G, t(4) 2.776.
  const double gain = found.full_depth.found.distance - found.best.found.distance;
  EXPECT_NEAR(found.gain_half_width, 2.776 * std::sqrt(0.8 * 0.012) * gain, 1e-3 * gain);
}

TEST(DistanceSearch, TakesSolversThatDrawNoise) {
  DistanceTuningOptions options = four();
  options.request.solver = SolverSettings{.solver = "ddpm"};
  EXPECT_EQ(search({}, options).plan.solver->solver, "ddpm");
}

TEST(DistanceSearch, TellsWhenNothingKeepsTheFloor) {
  DistanceTuningOptions options = four();
  EXPECT_TRUE(search({}, options).keeps_floor);
  options.recall_floor = 0.9;
  EXPECT_FALSE(search({}, options).keeps_floor);
}

TEST(DistanceSearch, TriesNoGuideOnANetworkThatHasNoExits) {
  ModelSummary model = one_pixel();
  model.exits = {};
  const MadeUp made_up;
  const auto found = search_distance(
      four(), model,
      [&](const Request& request, const std::string& note) { return made_up(request, note); },
      measure);
  for (const DistanceTrial& trial : found.trials) EXPECT_EQ(trial.weight, 1);
}

TEST(DistanceSearch, BeginsWithAGuideThatTheNetworkHas) {
  ModelSummary model = one_pixel();
  model.exits = {4};
  const MadeUp made_up;
  const auto found = search_distance(
      four(), model,
      [&](const Request& request, const std::string& note) { return made_up(request, note); },
      measure);
  for (const DistanceTrial& trial : found.trials)
    EXPECT_TRUE(trial.guide == 0 || trial.guide == 4) << trial.guide;
  EXPECT_EQ(found.best.guide, 4);
}

TEST(DistanceSearch, BeginsAtAboutHalfTheDepthWhateverAStepCosts) {
  DistanceTuningOptions options = four();
  options.budget = 9;
  options.request.solver = SolverSettings{
      .solver = "heun"};  // 2 n - 1 evaluations: the budget pays for 5 steps
  std::vector<Request> runs;
  search({.good_steps = 9, .runs = &runs}, options);
  EXPECT_EQ(runs.at(0).solver->steps, 5) << "plain full depth";
  EXPECT_EQ(runs.at(1).solver->steps, 9);
}

TEST(DistanceSearch, FitsAgainWhereAllSamplesCostMoreThanTheFirst) {
  const MadeUp made_up;
  const auto run = [&](const Request& request, const std::string& note) {
    Result result = made_up(request, note);
    if (request.count == 500 && request.plan->rules.front().below.front() > 0)
      result.trace.compute.blocks *= 1.03;
    return result;
  };
  for (const DistanceTrial& trial : search_distance(four(), one_pixel(), run, measure).trials)
    EXPECT_LE(trial.cost, 4 * 1.003);
}

TEST(DistanceSearch, WorksWithFewerSamplesThanThresholdsAreFittedOn) {
  DistanceTuningOptions options = four();
  options.samples = 20;
  EXPECT_EQ(search({}, options).best.weight, 2.2);
}

TEST(DistanceSearch, RefusesWhatCannotBeSearched) {
  const auto refusal = [](const DistanceTuningOptions& options, const ModelSummary& model,
                          const std::string& message) {
    EXPECT_THAT([&] { search_distance(options, model, MadeUp{}, measure); },
                ThrowsMessage<InvalidArgument>(HasSubstr(message)));
  };
  DistanceTuningOptions options = four();
  options.budget = 0.5;
  refusal(options, one_pixel(), "budget: must be in [1, 10000], but is 0.5");
  options = four();
  options.recall_floor = 1.5;
  refusal(options, one_pixel(), "recall_floor: must be in [0, 1], but is 1.5");
  options = four();
  options.most_steps = 3;
  refusal(options, one_pixel(),
          "most_steps: must be at least the 4 full steps that the budget pays for, but is 3");
  ModelSummary model = one_pixel();
  model.uncertainty = "none";
  refusal(four(), model, "must have uncertainty modules");
}

TEST(DifferenceHalfWidth, RefusesOtherGroups) {
  EXPECT_THAT(
      [] {
        difference_half_width({1, std::vector<double>(5)}, {1, std::vector<double>(6)});
      },
      ThrowsMessage<InvalidArgument>(
          HasSubstr("ImageQuality.distance_without: must have as many entries for every set of "
                    "images, but has 5 and 6")));
}

TEST(DistanceSearch, CountsDistancesWithoutGroupsAsExact) {
  const MadeUp made_up{.good_weight = 2.2, .recall_lost = 0.01};
  DistanceTuningOptions options = four();
  options.recall_floor = 0.5;
  const DistanceTuningResult found = search_distance(
      options, one_pixel(), made_up, [](const Images& images) {
        return ImageQuality{.distance = measure(images).distance, .recall = images.values[1]};
      });
  EXPECT_EQ(found.best.weight, 2.2);
  EXPECT_TRUE(std::isnan(found.best.found.half_width()));
  EXPECT_TRUE(std::isnan(found.gain_half_width));
}

TEST(DistanceSearch, RefusesWhatAMeasureMustNotSay) {
  const auto refusal = [](const ImageQuality& said, const std::string& message) {
    EXPECT_THAT(
        [&] {
          search_distance(four(), one_pixel(), MadeUp{}, [&](const Images&) { return said; });
        },
        ThrowsMessage<InvalidArgument>(HasSubstr(message)));
  };
  refusal({.distance = NAN}, "ImageQuality.distance: must be finite, but is nan");
  refusal({.distance_without = {1, 2}},
          "ImageQuality.distance_without: must be empty or have at least 5 entries, but has 2");
  refusal({.recall = 1.5}, "ImageQuality.recall: must be in [0, 1], but is 1.5");
}

/// What is found where the search is stopped before run number `last` ends, counted from 0.
DistanceTuningResult stopped_at(int last) {
  const MadeUp made_up;
  int runs = 0;
  return search_distance(
      four(), one_pixel(),
      [&](const Request& request, const std::string& note) {
        if (runs++ == last) throw Stopped{};
        return made_up(request, note);
      },
      measure);
}

TEST(DistanceSearch, KeepsWhatItFoundWhenItIsStopped) {
  const DistanceTuningResult found = stopped_at(20);
  EXPECT_EQ(found.status, Status::Cancelled);
  ASSERT_GT(found.trials.size(), 1u);
  for (const DistanceTrial& trial : found.trials)
    EXPECT_GE(trial.found.distance, found.best.found.distance);
  EXPECT_EQ(found.plan.solver->steps, found.best.steps);
  EXPECT_EQ(found.full_depth.steps, 4);
}

TEST(DistanceSearch, FindsNothingWhenItIsStoppedBeforeItsFirstTrial) {
  const DistanceTuningResult found = stopped_at(0);
  EXPECT_EQ(found.status, Status::Cancelled);
  EXPECT_TRUE(found.trials.empty());
}

TEST(DistanceSearch, FitsThresholdsOnTheNoiseOfTheFirstSamples) {
  DistanceTuningOptions options = four();
  options.samples = 4;
  options.cost_samples = 2;
  options.request.initial_noise = {1, 2, 3, 4};
  std::vector<Request> runs;
  search({.runs = &runs}, options);
  for (const Request& request : runs) {
    EXPECT_EQ(std::ssize(request.initial_noise), request.count);
    EXPECT_EQ(request.initial_noise[1], 2);
  }
  EXPECT_EQ(runs.at(0).count, 4) << "plain full depth";
  EXPECT_EQ(runs.at(1).count, 2) << "a fit";
}

}  // namespace
}  // namespace adadiff::detail
