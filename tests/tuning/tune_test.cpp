// The functions of tuning.h on pipelines around a network made for tests.
#include <adadiff/tuning.h>

#include <chrono>
#include <cmath>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"

namespace adadiff::test {
namespace {

constexpr int kBlocks = 4;

Pipeline small_pipeline() { return make_sampled().pipeline; }

Request two_samples() {
  return {.count = 2, .seed = 3, .labels = {0, 1}, .plan = exit_below(0.5F)};
}

TEST(CompareWithFullDepth, SetsThePlanBesideFullDepthOnTheSameNoise) {
  const Pipeline pipeline = small_pipeline();
  const Comparison found = compare_with_full_depth(pipeline, two_samples(), 2);
  EXPECT_EQ(found.status, Status::Completed);
  EXPECT_EQ(found.wall_ms.size(), 2u);
  EXPECT_EQ(found.full_wall_ms.size(), 2u);
  EXPECT_GT(found.compute_skipped(), 0);
  EXPECT_EQ(found.full.trace.mean_exit_depth(), kBlocks);
  EXPECT_EQ(found.adaptive.images.values, pipeline.generate(two_samples()).images.values);
  Request full = two_samples();
  full.plan = full_depth();
  EXPECT_EQ(found.full.images.values, pipeline.generate(full).images.values);
}

TEST(CompareWithFullDepth, TellsTheObserverOfEveryRun) {
  std::vector<std::string> notes;
  double done = 0, total = 0;
  compare_with_full_depth(small_pipeline(), two_samples(), 1, [&](const TuningProgress& progress) {
    if (notes.empty() || notes.back() != progress.note) notes.push_back(progress.note);
    EXPECT_GE(progress.done, done);
    done = progress.done;
    total = progress.total;
    return true;
  });
  EXPECT_EQ(notes, (std::vector<std::string>{"warm-up", "warm-up, full depth",
                                             "pair 1 of 1, full depth", "pair 1 of 1"}));
  EXPECT_EQ(total, 4);
  EXPECT_EQ(done, 4);
}

TEST(CompareWithFullDepth, StopsWhereTheObserverSaysSo) {
  const Comparison found = compare_with_full_depth(
      small_pipeline(), two_samples(), 7,
      [](const TuningProgress& progress) { return progress.done < 4.5; });
  EXPECT_EQ(found.status, Status::Cancelled);
  EXPECT_EQ(found.wall_ms.size(), 1u);
}

TEST(CompareWithFullDepth, StopsByTheRequestsToken) {
  std::stop_source source;
  Request request = two_samples();
  request.stop = source.get_token();
  source.request_stop();
  const Comparison found = compare_with_full_depth(small_pipeline(), request);
  EXPECT_EQ(found.status, Status::Cancelled);
  EXPECT_TRUE(found.wall_ms.empty());
}

TEST(CompareWithFullDepth, AsksTheObserverWithinLongSteps) {
  using namespace std::chrono_literals;
  PyramidOptions options = labelled();
  options.on_block = [](int) { std::this_thread::sleep_for(60ms); };
  bool is_within_a_step = false;
  compare_with_full_depth(make_sampled(options).pipeline, {.plan = full_depth()}, 1,
                          [&](const TuningProgress& progress) {
                            is_within_a_step = progress.run.steps == 0;
                            return false;
                          });
  EXPECT_TRUE(is_within_a_step);
}

TEST(CompareWithFullDepth, KeepsTheRequestsOwnObserver) {
  int calls = 0;
  Request request = two_samples();
  request.observer = [&calls](const Progress&) {
    ++calls;
    return true;
  };
  compare_with_full_depth(small_pipeline(), request, 1);
  EXPECT_EQ(calls, 4 * 6) << "4 runs of 6 steps";
}

TEST(CompareWithFullDepth, PassesOnWhatTheObserverThrows) {
  EXPECT_THROW(compare_with_full_depth(
                   small_pipeline(), two_samples(), 1,
                   [](const TuningProgress&) -> bool { throw std::runtime_error("enough"); }),
               std::runtime_error);
}

TEST(CompareWithFullDepth, RefusesNoPairs) {
  EXPECT_EQ(refusal([] { compare_with_full_depth(small_pipeline(), two_samples(), 0); }),
            "pairs: must be in [1, 1000], but is 0");
}

PairedTuningOptions small_search() {
  PairedTuningOptions options;
  options.budget = 2;
  options.samples = 6;
  options.reference_steps = 12;
  return options;
}

TEST(TuneByPairedError, FindsAPlanThatKeepsTheBudget) {
  const Pipeline pipeline = small_pipeline();
  const PairedTuningResult found = tune_by_paired_error(pipeline, small_search());
  EXPECT_EQ(found.status, Status::Completed);
  const Result drawn = pipeline.generate({.count = 6, .labels = {0, 1, 2}, .plan = found.plan});
  EXPECT_EQ(drawn.trace.full_evaluations(), found.best.cost);
  EXPECT_LE(found.best.cost, 2.001);
}

TEST(TuneByPairedError, StopsWhereTheObserverSaysSoAndKeepsTheBest) {
  const PairedTuningResult found = tune_by_paired_error(
      small_pipeline(), small_search(),
      [](const TuningProgress& progress) { return progress.done < 3.5; });
  EXPECT_EQ(found.status, Status::Cancelled);
  ASSERT_FALSE(found.trials.empty());
  EXPECT_EQ(found.plan.solver->steps, found.best.steps);
}

TEST(TuneByPairedError, TellsWhatEachRunIsFor) {
  std::vector<std::string> notes;
  tune_by_paired_error(small_pipeline(), small_search(), [&](const TuningProgress& progress) {
    if (notes.empty() || notes.back() != progress.note) notes.push_back(progress.note);
    EXPECT_EQ(progress.total, 0);
    return notes.size() < 3;
  });
  ASSERT_EQ(notes.size(), 3u);
  EXPECT_EQ(notes[0], "full depth, to compare with");
  EXPECT_EQ(notes[1], "2 steps, full depth");
}

/// Images count as good where they are bright, and never cover more or less.
ImageQuality darkness(const Images& images) {
  double sum = 0;
  for (const float value : images.values) sum -= static_cast<double>(value);
  return {.distance = sum / static_cast<double>(images.values.size()), .recall = 0.5};
}

DistanceTuningOptions small_distance_search() {
  DistanceTuningOptions options;
  options.budget = 2;
  options.samples = 6;
  options.cost_samples = 3;
  options.most_trials = 6;
  return options;
}

TEST(TuneByDistance, FindsThePlanWhoseImagesTheMeasurePrefers) {
  const Pipeline pipeline = small_pipeline();
  const DistanceTuningResult found = tune_by_distance(pipeline, darkness, small_distance_search());
  EXPECT_GT(found.trials.size(), 1u);
  EXPECT_LE(found.trials.size(), 6u);
  for (const DistanceTrial& trial : found.trials) {
    if (trial.cost > 2 * 1.003) continue;
    EXPECT_GE(trial.found.distance, found.best.found.distance);
  }
  const Result drawn = pipeline.generate({.count = 6, .labels = {0, 1, 2}, .plan = found.plan});
  EXPECT_EQ(darkness(drawn.images).distance, found.best.found.distance);
}

TEST(TuneByDistance, TakesFeaturesOfTheCallersOwn) {
  const FeatureFunction brightness = [](const Images& images) {
    FeatureTable table{.dimensions = 1};
    const auto size = static_cast<std::int64_t>(images.values.size()) / images.count;
    for (std::int64_t i = 0; i < images.count; ++i)
      table.values.push_back(images.values[static_cast<std::size_t>(i * size)]);
    return table;
  };
  FeatureTable real{.dimensions = 1};
  for (int i = 0; i < 30; ++i) real.values.push_back(0.05 * i - 0.7);
  DistanceTuningOptions options = small_distance_search();
  options.samples = 20;
  const DistanceTuningResult found = tune_by_distance(small_pipeline(),
                                                      distance_from(real, brightness), options);
  EXPECT_EQ(found.status, Status::Completed);
  EXPECT_FALSE(std::isnan(found.gain_half_width));
}

TEST(TuneByDistance, CountsMeasuredSetsForTheObserver) {
  double done = 0, total = 0;
  int measured = 0;
  const auto counted = [&](const Images& images) {
    ++measured;
    return darkness(images);
  };
  tune_by_distance(small_pipeline(), counted, small_distance_search(),
                   [&](const TuningProgress& progress) {
                     EXPECT_GE(progress.done, done);
                     done = progress.done;
                     total = progress.total;
                     return true;
                   });
  EXPECT_EQ(total, 6);
  EXPECT_EQ(done, measured);
}

TEST(TuneByDistance, StopsWhereTheObserverSaysSoAndKeepsTheBest) {
  const DistanceTuningResult found = tune_by_distance(
      small_pipeline(), darkness, small_distance_search(),
      [](const TuningProgress& progress) { return progress.done < 2; });
  EXPECT_EQ(found.status, Status::Cancelled);
  EXPECT_EQ(found.trials.size(), 1u) << "the second trial was stopped as its images were done";
  EXPECT_EQ(found.best.steps, found.full_depth.steps);
}

TEST(TuneByDistance, RefusesToGoWithoutAMeasure) {
  EXPECT_EQ(refusal([] { tune_by_distance(small_pipeline(), {}); }),
            "tune_by_distance.measure: must be set, but is empty");
}

}  // namespace
}  // namespace adadiff::test
