// Runs: slices, stops, observers, previews, failures.
#include <chrono>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <thread>

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"

namespace adadiff::test {
namespace {

/// torch's threads as each block of a run finds them.
std::vector<int> threads_in_blocks(int threads) {
  std::vector<int> found;
  PyramidOptions options = labelled();
  options.on_block = [&found](int) { found.push_back(at::get_num_threads()); };
  SolverSettings solver;
  solver.steps = 1;
  make_sampled(options).pipeline.generate(
      {.guidance = 1.0, .plan = full_depth(), .solver = solver, .threads = threads});
  return found;
}

TEST(Threads, AreLimitedForTheRunAlone) {
#if !defined(ADADIFF_SHARES_THREADS)
  GTEST_SKIP() << "needs GCC and LibTorch with its own libgomp";
#endif
  at::set_num_threads(3);
  EXPECT_EQ(threads_in_blocks(2), std::vector<int>(4, 2));
  EXPECT_EQ(at::get_num_threads(), 3) << "as it was before";
  EXPECT_EQ(threads_in_blocks(0), std::vector<int>(4, 3));
  int elsewhere = 0;
  std::thread([&elsewhere] { elsewhere = at::get_num_threads(); }).join();
  EXPECT_EQ(elsewhere, 3);
  at::set_num_threads(1);
}

TEST(Threads, AreGivenBackWhereANetworkThrows) {
  at::set_num_threads(3);
  PyramidOptions options = labelled();
  options.on_block = [](int) { throw std::runtime_error("out of luck"); };
  EXPECT_THROW(make_sampled(options).pipeline.generate({.threads = 1}), std::runtime_error);
  EXPECT_EQ(at::get_num_threads(), 3);
  at::set_num_threads(1);
}

using namespace std::chrono_literals;

std::int64_t blocks_run(const PyramidNetwork& network) {
  std::int64_t sum = 0;
  for (const auto& rows : network.ran().blocks) sum += rows;
  return sum;
}

TEST(Advance, WithoutBudgetDoesOneBlock) {
  const Sampled sampled = make_sampled();
  adadiff::Run run = sampled.pipeline.start({});
  EXPECT_EQ(blocks_run(*sampled.network), 0);
  EXPECT_EQ(run.advance(0ns), Status::Working);
  EXPECT_EQ(blocks_run(*sampled.network), 1);
  EXPECT_EQ(run.advance(-5ms), Status::Working);
  EXPECT_EQ(blocks_run(*sampled.network), 2);
}

TEST(Advance, StartsNoBlockAfterTheBudget) {
  PyramidOptions options = labelled();
  options.on_block = [](int) { std::this_thread::sleep_for(20ms); };
  const Sampled sampled = make_sampled(options);
  adadiff::Run run = sampled.pipeline.start({});
  EXPECT_EQ(run.advance(30ms), Status::Working);
  EXPECT_LE(blocks_run(*sampled.network), 2);
}

TEST(Generate, IsALoopOfAdvance) {
  const Sampled sampled = make_sampled();
  const Request request{.count = 5, .seed = 3, .plan = exit_below(0.3f), .batch = 2};
  adadiff::Run run = sampled.pipeline.start(request);
  int slices = 1;
  while (run.advance(0ns) == Status::Working) ++slices;
  const Result sliced = run.finish(), whole = sampled.pipeline.generate(request);
  EXPECT_EQ(sliced.images.values, whole.images.values);
  EXPECT_EQ(sliced.trace.exits(), whole.trace.exits());
  EXPECT_GT(slices, 6);
  EXPECT_EQ(whole.status, Status::Completed);
}

TEST(Generate, GivesTheSameBitsForTheSameSeed) {
  const Sampled sampled = make_sampled();
  const Request request{.count = 3, .seed = 11};
  EXPECT_EQ(sampled.pipeline.generate(request).images.values,
            sampled.pipeline.generate(request).images.values);
  EXPECT_NE(sampled.pipeline.generate(request).images.values,
            sampled.pipeline.generate({.count = 3, .seed = 12}).images.values);
}

TEST(Generate, ImagesDoNotDependOnBatchMates) {
  const Sampled sampled = make_sampled();
  const Request request{
      .count = 7, .seed = 5, .labels = {0, 1, 2}, .guidance = 2.0, .plan = exit_below(0.3f)};
  const Result together = sampled.pipeline.generate(request);
  for (const std::int64_t batch : {1, 3}) {
    Request again = request;
    again.batch = batch;
    again.plan.reset();
    again.policy = replay_policy(together.trace.exits());
    EXPECT_EQ(sampled.pipeline.generate(again).images.values, together.images.values);
  }
}

TEST(Stop, EndsTheRunBetweenTwoBlocks) {
  std::stop_source source;
  PyramidOptions options = labelled();
  options.on_block = [&source](int block) {
    if (block == 2) source.request_stop();
  };
  const Sampled sampled = make_sampled(options);
  const Result result = sampled.pipeline.generate({.stop = source.get_token()});
  EXPECT_EQ(result.status, Status::Cancelled);
  EXPECT_EQ(blocks_run(*sampled.network), 3);
  EXPECT_EQ(result.trace.evaluations[0].exit[0], -1);
}

TEST(Stop, WorksFromAnotherThread) {
  std::stop_source source;
  std::atomic<int> started = 0, after_stop = 0;
  PyramidOptions options = labelled();
  options.on_block = [&](int) {
    ++started;
    if (source.stop_requested()) ++after_stop;
    std::this_thread::sleep_for(1ms);
  };
  const Sampled sampled = make_sampled(options);
  SolverSettings solver;
  solver.steps = 5000;
  std::jthread stopper([&] {
    while (started < 3) std::this_thread::yield();
    source.request_stop();
  });
  EXPECT_EQ(sampled.pipeline.generate({.solver = solver, .stop = source.get_token()}).status,
            Status::Cancelled);
  EXPECT_LE(after_stop, 1)
      << "the stop may come between the check and the block, but not before the check";
}

TEST(Stop, BeforeTheFirstBlockRunsNothing) {
  std::stop_source source;
  source.request_stop();
  const Sampled sampled = make_sampled();
  EXPECT_EQ(sampled.pipeline.generate({.stop = source.get_token()}).status, Status::Cancelled);
  EXPECT_EQ(blocks_run(*sampled.network), 0);
}

TEST(Observer, SeesEveryStepOfEveryBatch) {
  std::vector<std::pair<std::int64_t, int>> seen;
  const auto observer = [&seen](const Progress& progress) {
    seen.emplace_back(progress.batch, progress.step);
    EXPECT_EQ(progress.steps, 6);
    EXPECT_EQ(progress.batches, 2);
    EXPECT_EQ(progress.mean_exit_depth, 4);
    return true;
  };
  make_sampled().pipeline.generate({.count = 3, .batch = 2, .observer = observer});
  ASSERT_EQ(seen.size(), 12u);
  EXPECT_EQ(seen.front(), (std::pair<std::int64_t, int>{0, 1}));
  EXPECT_EQ(seen.back(), (std::pair<std::int64_t, int>{1, 6}));
}

TEST(Observer, StopsTheRunByFalse) {
  const Sampled sampled = make_sampled();
  const Result result = sampled.pipeline.generate(
      {.observer = [](const Progress& progress) { return progress.step < 2; }});
  EXPECT_EQ(result.status, Status::Cancelled);
  EXPECT_EQ(result.trace.evaluations[1].exit[0], 4);
  EXPECT_EQ(result.trace.evaluations[2].exit[0], -1);
}

TEST(Observer, ThatThrowsFailsTheRunOnce) {
  const Sampled sampled = make_sampled();
  adadiff::Run run = sampled.pipeline.start(
      {.observer = [](const Progress&) -> bool { throw std::runtime_error("enough"); }});
  EXPECT_THAT([&] { run.advance(1h); }, testing::ThrowsMessage<std::runtime_error>("enough"));
  EXPECT_EQ(run.status(), Status::Failed);
  EXPECT_EQ(run.advance(1h), Status::Failed);
  EXPECT_EQ(run.finish().status, Status::Failed);
}

TEST(Observer, MayDropItsRunWhichThenStops) {
  const Sampled sampled = make_sampled();
  std::optional<adadiff::Run> run;
  run = sampled.pipeline.start({.observer = [&run](const Progress&) {
    run.reset();
    return true;
  }});
  EXPECT_EQ(run->advance(1h), Status::Cancelled);
  EXPECT_FALSE(run.has_value());
  EXPECT_EQ(blocks_run(*sampled.network), 4);
}

TEST(Observer, MayReplaceItsRunByAnother) {
  const Sampled sampled = make_sampled();
  adadiff::Run run = sampled.pipeline.start({});
  run = sampled.pipeline.start({.observer = [&](const Progress&) {
    run = sampled.pipeline.start({});
    return true;
  }});
  EXPECT_EQ(run.advance(1h), Status::Cancelled);  // of the one that was replaced
  EXPECT_EQ(run.status(), Status::Working);
  EXPECT_EQ(run.advance(1h), Status::Completed);
}

TEST(Observer, MayMoveItsRunElsewhere) {
  const Sampled sampled = make_sampled();
  std::optional<adadiff::Run> run, elsewhere;
  run = sampled.pipeline.start({.observer = [&](const Progress& progress) {
    if (progress.step == 1) elsewhere = std::move(run);
    return true;
  }});
  EXPECT_EQ(run->advance(1h), Status::Completed);
  EXPECT_EQ(elsewhere->finish().status, Status::Completed);
}

TEST(Observer, MayLookAtItsRunButNotAdvanceOrFinishIt) {
  const Sampled sampled = make_sampled();
  std::vector<std::string> refused;
  std::optional<adadiff::Run> run;
  run = sampled.pipeline.start({.observer = [&](const Progress&) {
    EXPECT_EQ(run->status(), Status::Working);
    EXPECT_EQ(run->preview(0).count, 1);
    refused = {refusal([&] { run->advance(0ns); }), refusal([&] { run->finish(); })};
    return false;
  }});
  EXPECT_EQ(run->advance(1h), Status::Cancelled);
  EXPECT_THAT(refused,
              testing::ElementsAre(
                  testing::HasSubstr("Run.advance: must be called between two calls of advance"),
                  testing::HasSubstr("Run.finish: must be called between two calls of advance")));
  EXPECT_EQ(run->finish().status, Status::Cancelled);
}

TEST(Network, MayDropTheRunThatItWorksFor) {
  std::optional<adadiff::Run> run;
  PyramidOptions options = labelled();
  options.on_block = [&run](int) { run.reset(); };
  run = make_sampled(options).pipeline.start({});
  EXPECT_EQ(run->advance(1h), Status::Cancelled);
}

TEST(Run, StaysItselfWhenItIsMovedToItself) {
  adadiff::Run run = make_sampled().pipeline.start({});
  adadiff::Run& same = run;
  run = std::move(same);
  EXPECT_EQ(run.advance(1h), Status::Completed);
}

TEST(Failure, LeavesTheRunAtItsLastWholeStep) {
  int calls = 0;
  PyramidOptions options = labelled();
  options.on_block = [&calls](int) {
    if (++calls == 2 * 4 + 2) throw std::runtime_error("scripted failure");
  };
  adadiff::Run run = make_sampled(options).pipeline.start({});
  Images before;
  EXPECT_THROW(
      while (run.advance(0ns) == Status::Working) {
        if (calls == 2 * 4) before = run.preview(0);
      },
      std::runtime_error);
  EXPECT_EQ(run.advance(0ns), Status::Failed);
  const Result result = run.finish();
  EXPECT_EQ(result.images.values, before.values);
  EXPECT_EQ(result.trace.evaluations[1].exit[0], 4);
  EXPECT_EQ(result.trace.evaluations[2].exit[0], -1);
}

TEST(Failure, OfALaterStageShowsTheStepBefore) {
  int calls = 0;
  PyramidOptions options = labelled();
  options.on_block = [&calls](int) {
    if (++calls == 3 * 4 + 1)
      throw std::runtime_error("scripted failure");  // second evaluation of the second step
  };
  SolverSettings heun;
  heun.solver = "heun";
  heun.steps = 6;
  adadiff::Run run = make_sampled(options).pipeline.start({.solver = heun});
  Images after_step_one;
  EXPECT_THROW(
      while (run.advance(0ns) == Status::Working) {
        if (calls == 2 * 4) after_step_one = run.preview(0);
      },
      std::runtime_error);
  EXPECT_EQ(run.preview(0).values, after_step_one.values);
}

TEST(Preview, IsTheStartThenTheLatestCleanImageThenTheResult) {
  const std::vector<float> noise(64, 0.25f);
  adadiff::Run run = make_sampled().pipeline.start({.initial_noise = noise});
  EXPECT_EQ(run.preview(0).values, noise);
  for (int block = 0; block < 4; ++block) run.advance(0ns);
  const std::vector<float> first_clean = run.preview(0).values;
  EXPECT_NE(first_clean, noise);
  run.advance(0ns);
  EXPECT_EQ(run.preview(0).values, first_clean) << "a preview stays within a step";
  while (run.advance(0ns) == Status::Working) {
  }
  const std::vector<float> last = run.preview(0).values;
  EXPECT_EQ(run.finish().images.values, last);
}

TEST(Preview, ShowsSamplesOfLaterBatchesAsTheyWillStart) {
  const Sampled sampled = make_sampled();
  adadiff::Run run = sampled.pipeline.start({.count = 2, .seed = 9, .batch = 1});
  const std::vector<float> start = run.preview(1).values;
  run.advance(0ns);
  EXPECT_EQ(run.preview(1).values, start);
  EXPECT_NE(run.preview(0).values, start);
}

TEST(Preview, RefusesSamplesThatAreNotThere) {
  const Sampled sampled = make_sampled();
  const adadiff::Run run = sampled.pipeline.start({.count = 2});
  EXPECT_EQ(refusal([&] { run.preview(2); }), "Run.preview.index: must be in [0, 1], but is 2");
}

TEST(Finish, OfARunStillWorkingCancelsIt) {
  const Sampled sampled = make_sampled();
  adadiff::Run run = sampled.pipeline.start({.count = 3, .batch = 1});
  for (int block = 0; block < 6 * 4 + 4; ++block) run.advance(0ns);
  const Result result = run.finish();
  EXPECT_EQ(result.status, Status::Cancelled);
  EXPECT_EQ(result.images.count, 3);
  EXPECT_EQ(result.trace.evaluations[0].exit, (std::vector<int>{4, 4, -1}));
  EXPECT_EQ(result.trace.evaluations[1].exit, (std::vector<int>{4, -1, -1}));
}

TEST(Finish, IsRefusedTheSecondTime) {
  adadiff::Run run = make_sampled().pipeline.start({});
  run.finish();
  EXPECT_EQ(refusal([&] { run.finish(); }),
            "Run.finish: must be called once, but the result was taken out before");
  EXPECT_EQ(refusal([&] { run.preview(0); }),
            "Run.preview: must be called before finish, but the result was taken out before");
  EXPECT_EQ(run.status(), Status::Cancelled);
  EXPECT_EQ(run.advance(1h), Status::Cancelled);
}

TEST(MovedRun, GoesOnInItsNewPlace) {
  adadiff::Run run = make_sampled().pipeline.start({});
  run.advance(0ns);
  adadiff::Run moved = std::move(run);
  EXPECT_EQ(moved.advance(1h), Status::Completed);
}

TEST(MovedRun, RefusesCallsInItsOldPlace) {
  adadiff::Run run = make_sampled().pipeline.start({});
  const adadiff::Run moved = std::move(run);
  EXPECT_EQ(refusal([&] { run.advance(0ns); }),
            "Run.advance: must be called on a run, but this one was moved elsewhere");
  EXPECT_EQ(refusal([&] { run.status(); }),
            "Run.status: must be called on a run, but this one was moved elsewhere");
  EXPECT_EQ(refusal([&] { run.preview(0); }),
            "Run.preview: must be called on a run, but this one was moved elsewhere");
  EXPECT_EQ(refusal([&] { run.finish(); }),
            "Run.finish: must be called on a run, but this one was moved elsewhere");
}

TEST(Images, AreRoundedHalfUpAndClamped) {
  SamplerModel model = six_steps();
  model.process.image_min = 0;
  model.process.image_max = 255;
  adadiff::Run run = make_sampled(labelled(), model)
                         .pipeline.start({.initial_noise = std::vector<float>(64, 100.5f)});
  EXPECT_EQ(run.preview(0).pixels[0], 101);
  adadiff::Run over = make_sampled(labelled(), model)
                          .pipeline.start({.initial_noise = std::vector<float>(64, 300.0f)});
  EXPECT_EQ(over.preview(0).pixels[0], 255);
  adadiff::Run under = make_sampled(labelled(), model)
                           .pipeline.start({.initial_noise = std::vector<float>(64, -3.0f)});
  EXPECT_EQ(under.preview(0).pixels[0], 0);
}

TEST(Images, PutChannelsLast) {
  PyramidOptions options = labelled();
  options.channels = 2;
  SamplerModel model = six_steps();
  model.process.image_min = 0;
  model.process.image_max = 255;
  std::vector<float> noise(128, 10.0f);
  std::fill(noise.begin() + 64, noise.end(), 20.0f);
  const Images
      images = make_sampled(options, model).pipeline.start({.initial_noise = noise}).preview(0);
  EXPECT_EQ(images.channels, 2);
  EXPECT_EQ(images.pixels[0], 10);
  EXPECT_EQ(images.pixels[1], 20);
  EXPECT_EQ(images.pixels[126], 10);
}

TEST(Compute, EqualsWhatTheNetworkRan) {
  const Sampled sampled = make_sampled();
  const ComputeCount compute = sampled.pipeline
                                   .generate({.count = 5,
                                              .labels = {0, 1},
                                              .guidance = 1.5,
                                              .plan = exit_below(0.3f),
                                              .batch = 2})
                                   .trace.compute;
  const NetworkCost& cost = sampled.network->info().cost;
  const RanRows& ran = sampled.network->ran();
  double blocks = static_cast<double>(ran.embedded) * cost.embed, heads = 0, scores = 0;
  for (std::size_t k = 0; k < 4; ++k) {
    blocks += static_cast<double>(ran.blocks[k]) * cost.block[k];
    heads += static_cast<double>(ran.heads[k]) * cost.head[k];
    scores += static_cast<double>(ran.scores[k]) * cost.score[k];
  }
  EXPECT_EQ(compute.blocks, blocks);
  EXPECT_EQ(compute.heads, heads);
  EXPECT_EQ(compute.scores, scores);
  EXPECT_EQ(compute.full_depth, 6 * 10 * sampled.pipeline.model().macs_full_depth);
  EXPECT_GT(compute.skipped(), 0);
}

TEST(Compute, OfFullDepthSkipsNothing) {
  EXPECT_EQ(make_sampled().pipeline.generate({.plan = full_depth()}).trace.compute.skipped(), 0);
}

TEST(Pipeline, ServesTwoThreadsAtOnce) {
  const Sampled sampled = make_sampled();
  const Request request{.count = 4, .seed = 1, .plan = exit_below(0.3f), .batch = 2};
  const std::vector<float> alone = sampled.pipeline.generate(request).images.values;
  std::vector<float> first, second;
  {
    std::jthread one([&] { first = sampled.pipeline.generate(request).images.values; });
    std::jthread two([&] { second = sampled.pipeline.generate(request).images.values; });
  }
  EXPECT_EQ(first, alone);
  EXPECT_EQ(second, alone);
}

}  // namespace
}  // namespace adadiff::test
