// Trainings that are killed again and again end in the bytes of one that is left alone.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <random>
#include <thread>

#include <ATen/Parallel.h>

#include "training/tiny_data.h"

namespace adadiff::detail {
namespace {

/// A training in a process of its own. Every training here is one, so that no process forks after
/// torch has worked in it.
class Child {
 public:
  explicit Child(const TrainingOptions& options) {
    if (pipe(pipe_) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    id_ = fork();
    if (id_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (id_ == 0) work(options);
    close(pipe_[1]);
  }
  ~Child() { close(pipe_[0]); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Returns when it has made so many steps, or has ended before.
  void await_steps(unsigned steps) const {
    for (char byte = 0; steps > 0 && read(pipe_[0], &byte, 1) == 1;) --steps;
  }
  void kill() const { ::kill(id_, SIGKILL); }
  /// As waitpid gives it; once.
  int status() const {
    int status = -1;
    for (char byte = 0; read(pipe_[0], &byte, 1) == 1;) continue;
    waitpid(id_, &status, 0);
    return status;
  }

 private:
  [[noreturn]] void work(const TrainingOptions& options) const {
    close(pipe_[0]);
    int code = 1;
    try {
      at::set_num_threads(1);
      const auto tell = [this](const TrainingProgress&) { return write(pipe_[1], ".", 1) == 1; };
      code = train(options, tell).completed ? 0 : 1;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    _exit(code);
  }

  int pipe_[2] = {-1, -1};
  pid_t id_ = -1;
};

bool is_success(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

class KilledTraining : public testing::TestWithParam<int> {};

TEST_P(KilledTraining, EndsInTheBytesOfOneThatIsNot) {
  constexpr int kSteps = 60, kKills = 8;
  const test::TemporaryFolder folder;
  test::write_tiny_data(folder);
  const TrainingOptions whole = test::tiny_options(folder, "whole", kSteps);
  ASSERT_TRUE(is_success(Child(whole).status()));
  TrainingOptions killed = test::tiny_options(folder, "killed", kSteps);
  killed.checkpoint_every = GetParam();
  killed.start = Start::ResumeOrFresh;
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  int kills = 0;
  for (int i = 0; i < kKills; ++i) {
    const Child child(killed);
    child.await_steps(static_cast<unsigned>(random() % 6));
    std::this_thread::sleep_for(
        std::chrono::microseconds(random() % 3000));  // anywhere in a step, a checkpoint or a model
    child.kill();
    const int status = child.status();
    ASSERT_TRUE(WIFSIGNALED(status) || is_success(status)) << status;
    kills += WIFSIGNALED(status) ? 1 : 0;
  }
  EXPECT_GE(kills, 3);
  ASSERT_TRUE(is_success(Child(killed).status()));
  EXPECT_TRUE(test::content_of(killed.model) == test::content_of(whole.model));
  EXPECT_EQ(test::log_lines(killed.log), test::log_lines(whole.log));
}

INSTANTIATE_TEST_SUITE_P(CheckpointEvery, KilledTraining, testing::Values(1, 2, 3));

}  // namespace
}  // namespace adadiff::detail
