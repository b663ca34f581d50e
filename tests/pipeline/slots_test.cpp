// Requests that share passes over one network: each gets the images that it gets alone.
#include <algorithm>
#include <map>
#include <stdexcept>

#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"
#include "pipeline/pipeline_state.h"
#include "pipeline/request.h"
#include "sampling/slots.h"

namespace adadiff::test {
namespace {

SolverSettings settings(const char* solver, int steps) {
  SolverSettings chosen;
  chosen.solver = solver;
  chosen.steps = steps;
  return chosen;
}

/// Other plans, solvers, numbers of steps, seeds, guidance and labels.
std::vector<Request> different_requests() {
  return {{.count = 3,
           .seed = 1,
           .labels = {0, 1, 2},
           .guidance = 2.5,
           .plan = exit_below(0.4f),
           .solver = settings("ddim", 6)},
          {.count = 2,
           .seed = 9,
           .labels = {2},
           .guidance = 1.0,
           .plan = full_depth(),
           .solver = settings("heun", 3)},
          {.count = 4,
           .seed = 5,
           .labels = {3, 0},
           .guidance = 0.5,
           .plan = guided(exit_below(0.5f), {.before = 1, .weight = 1.5}),
           .solver = settings("dpmpp-2m", 5)},
          {.count = 2,
           .seed = 7,
           .labels = {1},
           .guidance = 1.0,
           .plan = exit_below(0.3f),
           .solver = settings("ddpm", 4)}};
}

/// Requests of one network as slots, until all are finished.
class Shared {
 public:
  explicit Shared(const std::shared_ptr<const PyramidNetwork>& network, std::int64_t capacity = 11)
      : state_(detail::make_pipeline_state(network, six_steps())), slots_(network, capacity, 2) {}

  std::uint64_t add(const Request& request) {
    const auto job = std::make_shared<const detail::SampleJob>(detail::make_job(request, *state_));
    const std::uint64_t group = slots_.add(job, 0, request.count);
    jobs_[group] = job;
    return group;
  }
  /// One block; takes out the images of whoever is finished.
  void advance() {
    if (!slots_.advance()) return;
    for (const detail::PassReport& report : slots_.reports()) {
      served_.push_back(report.group);
      if (report.is_finished) finish(report.group);
    }
    ++passes_;
  }
  void run() {
    while (slots_.has_work()) advance();
  }

  detail::Slots& slots() { return slots_; }
  bool is_finished(std::uint64_t group) const { return images_.contains(group); }
  const std::vector<float>& images(std::uint64_t group) const { return images_.at(group); }
  int passes() const { return passes_; }
  /// Whether no group was served twice in a row.
  bool takes_turns() const {
    return std::adjacent_find(served_.begin(), served_.end()) == served_.end();
  }

 private:
  void finish(std::uint64_t group) {
    const detail::SampleJob& job = *jobs_.at(group);
    std::vector<float>& images = images_[group];
    images.resize(static_cast<std::size_t>(job.count * job.image_values()));
    for (std::int64_t i = 0; i < job.count; ++i) {
      slots_.read(group, i, detail::StateBackend::Value::State,
                  images.data() + i * job.image_values());
    }
    slots_.remove(group);
  }

  std::shared_ptr<detail::PipelineState> state_;
  detail::Slots slots_;
  std::map<std::uint64_t, std::shared_ptr<const detail::SampleJob>> jobs_;
  std::map<std::uint64_t, std::vector<float>> images_;
  std::vector<std::uint64_t> served_;
  int passes_ = 0;
};

std::vector<float> alone(const Request& request) {
  return make_sampled().pipeline.generate(request).images.values;
}

TEST(Slots, ThreeRequestsInSharedPassesGetTheirOwnImages) {
  const auto network = std::make_shared<const PyramidNetwork>(labelled());
  Shared shared(network);
  const std::vector<Request> requests = different_requests();
  std::vector<std::uint64_t> groups;
  for (int i = 0; i < 3; ++i) groups.push_back(shared.add(requests[static_cast<std::size_t>(i)]));
  shared.run();
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(shared.images(groups[i]), alone(requests[i])) << "request " << i;
  EXPECT_EQ(shared.passes(), 6) << "as many as the longest request has evaluations";
}

TEST(Slots, AFourthRequestMayJoinBeforeAnyBlock) {
  const std::vector<Request> requests = different_requests();
  const std::vector<float> wanted = alone(requests[3]), others = alone(requests[0]);
  for (int blocks = 0; blocks < 20; ++blocks) {
    Shared shared(std::make_shared<const PyramidNetwork>(labelled()));
    const std::uint64_t first = shared.add(requests[0]);
    shared.add(requests[1]);
    shared.add(requests[2]);
    for (int block = 0; block < blocks && shared.slots().has_work(); ++block) shared.advance();
    const std::uint64_t fourth = shared.add(requests[3]);
    shared.run();
    ASSERT_EQ(shared.images(fourth), wanted) << "joined after " << blocks << " blocks";
    ASSERT_EQ(shared.images(first), others) << "joined after " << blocks << " blocks";
  }
}

TEST(Slots, ARequestThatIsCancelledLeavesTheOthersAlone) {
  const std::vector<Request> requests = different_requests();
  const std::vector<float> first_wanted = alone(requests[0]), third_wanted = alone(requests[2]);
  for (int blocks = 0; blocks < 9; ++blocks) {
    Shared shared(std::make_shared<const PyramidNetwork>(labelled()));
    const std::uint64_t first = shared.add(requests[0]), cancelled = shared.add(requests[1]),
                        third = shared.add(requests[2]);
    for (int block = 0; block < blocks; ++block) shared.advance();
    shared.slots().remove(cancelled);
    shared.run();
    ASSERT_FALSE(shared.is_finished(cancelled));
    ASSERT_EQ(shared.images(first), first_wanted) << "cancelled after " << blocks << " blocks";
    ASSERT_EQ(shared.images(third), third_wanted) << "cancelled after " << blocks << " blocks";
    EXPECT_EQ(shared.slots().free_places(), 11);
  }
}

TEST(Slots, PlacesAreUsedAgain) {
  const std::vector<Request> requests = different_requests();
  Shared shared(std::make_shared<const PyramidNetwork>(labelled()), 4);
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t third = shared.add(requests[2]);
    shared.run();
    EXPECT_EQ(shared.images(third), alone(requests[2])) << "round " << round;
  }
}

TEST(Slots, MoreSamplesThanPlacesAreRefused) {
  Shared shared(std::make_shared<const PyramidNetwork>(labelled()), 4);
  shared.add(different_requests()[0]);
  EXPECT_EQ(refusal([&] { shared.add(different_requests()[1]); }),
            "Slots.add: must get 1 to 1 samples, the places that are free, but got 2");
}

TEST(Slots, TakingOutTheOnlyGroupOfAPassFreesItsPlacesAtOnce) {
  Shared shared(std::make_shared<const PyramidNetwork>(labelled()), 4);
  const std::uint64_t only = shared.add(different_requests()[0]);
  shared.advance();
  shared.slots().remove(only);
  EXPECT_EQ(shared.slots().free_places(), 4);
  const std::uint64_t next = shared.add(different_requests()[3]);
  shared.run();
  EXPECT_EQ(shared.images(next), alone(different_requests()[3]));
}

TEST(Slots, AllGroupsGoOnAfterTheNetworkThrew) {
  PyramidOptions options = labelled();
  int blocks = 0;
  options.on_block = [&blocks](int) {
    if (++blocks == 7) throw std::runtime_error("scripted failure");
  };
  const std::vector<Request> requests = different_requests();
  Shared shared(std::make_shared<const PyramidNetwork>(options));
  const std::uint64_t first = shared.add(requests[0]), third = shared.add(requests[2]);
  EXPECT_THROW(shared.run(), std::runtime_error);
  shared.run();
  EXPECT_EQ(shared.images(first), alone(requests[0]));
  EXPECT_EQ(shared.images(third), alone(requests[2]));
}

TEST(Slots, JobsWithMoreRowsThanThereIsRoomForAreRefused) {
  const auto network = std::make_shared<const PyramidNetwork>(labelled());
  const auto state = detail::make_pipeline_state(network, six_steps());
  detail::Slots slots(network, 4, 1);
  const auto job = std::make_shared<const detail::SampleJob>(
      detail::make_job(different_requests()[0], *state));
  EXPECT_EQ(refusal([&] { slots.add(job, 0, 3); }),
            "Slots.add: must get a job of at most 1 rows per sample, but got one of 2");
}

TEST(Slots, BatchesOfOneRequestDecideApart) {
  Plan plan = exit_below(0.45f);
  plan.scope = Scope::Batch;
  Request request{.count = 6, .labels = {0, 1}, .guidance = 1.0, .plan = plan, .batch = 3};
  const auto network = std::make_shared<const PyramidNetwork>(labelled());
  const auto state = detail::make_pipeline_state(network, six_steps());
  const auto job = std::make_shared<const detail::SampleJob>(detail::make_job(request, *state));
  detail::Slots slots(network, 6, 1);
  const std::uint64_t groups[] = {slots.add(job, 0, 3), slots.add(job, 3, 3)};
  while (slots.has_work()) slots.advance();
  const std::vector<float> wanted = alone(request);
  const std::int64_t values = job->image_values();
  for (std::int64_t i = 0; i < 6; ++i) {
    std::vector<float> image(static_cast<std::size_t>(values));
    slots.read(groups[i / 3], i % 3, detail::StateBackend::Value::State, image.data());
    EXPECT_EQ(image,
              std::vector<float>(wanted.begin() + i * values, wanted.begin() + (i + 1) * values))
        << i;
  }
}

TEST(Slots, OneBadRequestDoesNotSpoilThePassOfOthers) {
  PyramidOptions options = labelled();
  const std::vector<Request> requests = different_requests();
  Shared shared(std::make_shared<const PyramidNetwork>(options));
  const std::uint64_t good = shared.add(requests[1]);
  Request bad = requests[3];
  bad.initial_noise.assign(2 * 64, 3e38f);  // its predictions overflow
  shared.add(bad);
  while (!shared.is_finished(good)) shared.advance();
  EXPECT_EQ(shared.images(good), alone(requests[1]));
}

TEST(Slots, RequestsOfOtherPrecisionsOrPartsTakeTurns) {
  PyramidOptions options = labelled();
  options.skippable = 3;
  const auto network = std::make_shared<const PyramidNetwork>(options);
  Request plain = different_requests()[1], skipping = plain;
  skipping.plan->rules[0].skip = {1};
  Shared shared(network);
  const std::uint64_t first = shared.add(plain), second = shared.add(skipping);
  shared.run();
  EXPECT_EQ(shared.images(first), make_sampled(options).pipeline.generate(plain).images.values);
  EXPECT_EQ(shared.images(second), make_sampled(options).pipeline.generate(skipping).images.values);
  EXPECT_EQ(shared.passes(), 2 * 5) << "Heun's 3 steps have 5 evaluations";
  EXPECT_TRUE(shared.takes_turns());
}

}  // namespace
}  // namespace adadiff::test
