// Whole trainings of tiny networks: learning, interruption, resume, refusals and what is left on
// disk.
#include "training/trainer.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

#include "kernels/processor.h"
#include "models/model_file.h"
#include "training/temporary_folder.h"
#include "training/tiny_data.h"

namespace adadiff::detail {
namespace {

using test::content_of;
using test::log_lines;
using test::message_of;
using testing::HasSubstr;
using testing::StartsWith;

class Training : public testing::Test {
 protected:
  Training() {
    at::set_num_threads(1);  // tensors this small only lose by more
    test::write_tiny_data(folder_);
  }
  TrainingOptions options(const std::string& name, std::int64_t steps) const {
    return test::tiny_options(folder_, name, steps);
  }
  /// Stops after `steps` steps of this call.
  static TrainingObserver stop_after(int steps) {
    return [left = steps](const TrainingProgress&) mutable { return --left > 0; };
  }
  test::TemporaryFolder folder_;
};

std::vector<at::Tensor> weights(const std::string& path) {
  const Model model = read_model(path);
  std::vector<at::Tensor> tensors;
  model.network->visit([&](const std::string&, at::Tensor& tensor) { tensors.push_back(tensor); });
  return tensors;
}

void expect_equal_weights(const std::string& a, const std::string& b) {
  const auto left = weights(a), right = weights(b);
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) EXPECT_TRUE(left[i].equal(right[i])) << i;
}

std::vector<TrainingProgress> watch_training(const TrainingOptions& options) {
  std::vector<TrainingProgress> seen;
  EXPECT_TRUE(train(options, [&](const TrainingProgress& progress) {
                seen.push_back(progress);
                return true;
              }).completed);
  return seen;
}

TEST_F(Training, Learns) {
  TrainingOptions o = options("model", 150);
  o.learning_rate = 2e-2;
  const auto seen = watch_training(o);
  EXPECT_LT(seen.back().simple, 0.7 * seen.front().simple);
}

TEST_F(Training, ReportsEveryStep) {
  const auto seen = watch_training(options("model", 10));
  ASSERT_EQ(seen.size(), 10u);
  EXPECT_EQ(seen.front().step, 1);
  EXPECT_EQ(seen.front().steps, 10);
  EXPECT_NEAR(seen[9].loss, seen[9].simple + seen[9].uncertainty + seen[9].layers, 1e-5);
  EXPECT_GT(seen[9].steps_per_second, 0);
  EXPECT_GT(seen[9].gradient_norm, 0);
  EXPECT_TRUE(seen.back().checkpointed);
  EXPECT_EQ(seen.back().seconds_left, 0);
}

TEST_F(Training, WritesAModelFileThatSaysHowToSample) {
  train(options("model", 3));
  const Model model = read_model(folder_.file("model"));
  EXPECT_EQ(model.sampler.process.prediction, Prediction::Velocity);
  EXPECT_EQ(model.sampler.process.schedule->name(), "cosine");
  EXPECT_EQ(model.sampler.process.time_scale, 1000);
  EXPECT_NEAR(model.sampler.process.data_std, 1, 1e-9);
  EXPECT_EQ(model.network->info().null_label, 2);
  EXPECT_THAT(model.class_names, testing::ElementsAre("top", "bottom"));
  EXPECT_EQ(model.license, "none");
  EXPECT_EQ(model.origin, "a test");
  EXPECT_THAT(model.training, HasSubstr("\"steps_done\":3"));
}

TEST_F(Training, GivesTheSameBitsWithAndWithoutInterruption) {
  train(options("whole", 10));
  TrainingOptions parts = options("parts", 10);
  const TrainingResult first = train(parts, stop_after(5));
  EXPECT_FALSE(first.completed);
  EXPECT_EQ(first.steps, 5);
  parts.start = Start::Resume;
  const TrainingResult second = train(parts);
  EXPECT_TRUE(second.completed);
  expect_equal_weights(folder_.file("whole"), folder_.file("parts"));
  EXPECT_EQ(log_lines(folder_.file("whole.csv")), log_lines(folder_.file("parts.csv")));
}

TEST_F(Training, DrawsTheDistilledExitOfAStepAlikeAfterAnInterruption) {
  const auto distilled = [&](const std::string& name, DistilledExits exits) {
    TrainingOptions o = options(name, 12);
    o.depth = 4;
    o.loss.distillation = 1;
    o.loss.distilled_exits = exits;
    o.loss.target = UncertaintyTarget::Likelihood;
    return o;
  };
  train(distilled("whole", DistilledExits::One));
  TrainingOptions parts = distilled("parts", DistilledExits::One);
  train(parts, stop_after(5));
  parts.start = Start::Resume;
  train(parts);
  expect_equal_weights(folder_.file("whole"), folder_.file("parts"));
  train(distilled("all", DistilledExits::All));
  EXPECT_NE(log_lines(folder_.file("whole.csv")), log_lines(folder_.file("all.csv")));
}

TEST_F(Training, GivesTheSameBitsInBFloat16TooWhereTheProcessorHasIt) {
  TrainingOptions whole = options("whole", 9), parts = options("parts", 9);
  whole.precision = parts.precision = Precision::BFloat16;
  if (!kernels::has_bfloat16()) {
    EXPECT_THAT(
        message_of<InvalidArgument>([&] { train(whole); }),
        HasSubstr("TrainingOptions.precision: must be float32 on this processor, but is bfloat16"));
    return;
  }
  train(whole);
  train(parts, stop_after(4));
  parts.start = Start::Resume;
  train(parts);
  expect_equal_weights(whole.model, parts.model);
}

TEST_F(Training, NamesADeviceThatThereIsNot) {
  TrainingOptions o = options("model", 2);
  o.device = "cuda:127";
  EXPECT_THAT(message_of<DeviceError>([&] { train(o); }),
              StartsWith("TrainingOptions.device: must be a device "));
}

TEST_F(Training, ForgetsLoggedStepsAfterTheCheckpoint) {
  TrainingOptions o = options("model", 6);
  o.checkpoint_every = 4;
  EXPECT_THROW(train(o,
                     [](const TrainingProgress& p) -> bool {
                       return p.step < 6 ? true : throw std::runtime_error("pulled");
                     }),
               std::runtime_error);
  o.start = Start::Resume;
  o.steps = 7;
  train(o);
  const auto lines = log_lines(folder_.file("model.csv"));
  ASSERT_EQ(lines.size(), 8u);
  for (std::size_t i = 1; i < lines.size(); ++i)
    EXPECT_THAT(lines[i], StartsWith(std::to_string(i) + ","));
}

TEST_F(Training, DependsOnItsSeed) {
  TrainingOptions other = options("b", 2);
  other.seed = 1;
  train(options("a", 2));
  train(other);
  EXPECT_FALSE(weights(folder_.file("a")).front().equal(weights(folder_.file("b")).front()));
}

TEST_F(Training, RefusesToStartAfreshOverACheckpoint) {
  train(options("model", 2));
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(options("model", 2)); }),
              HasSubstr("model.checkpoint: must not exist where a training starts afresh, but "
                        "there is a checkpoint; resume it, or move it away"));
}

TEST_F(Training, RefusesToResumeOnOtherImages) {
  TrainingOptions o = options("model", 4);
  train(o, stop_after(2));
  std::string images = content_of(o.images);
  images.back() = 'x';
  test::write_content(o.images, images);
  o.start = Start::Resume;
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("TrainingOptions.images: must be the images that"));
}

TEST_F(Training, RefusesToStartAfreshOverTheLogOfAnother) {
  TrainingOptions o = options("model", 2);
  train(o);
  o.model = folder_.file("other");
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("model.csv: must have no steps where a training starts afresh, but has the "
                        "log of another"));
  EXPECT_EQ(log_lines(o.log).size(), 3u);
}

TEST_F(Training, KeepsWhatAResumeDoesNotSayOfTheModel) {
  TrainingOptions o = options("model", 2);
  train(o);
  o.start = Start::Resume;
  o.class_names.clear();
  o.license.clear();
  o.origin = "another test";
  o.steps = 3;
  train(o);
  const Model model = read_model(o.model);
  EXPECT_THAT(model.class_names, testing::ElementsAre("top", "bottom"));
  EXPECT_EQ(model.license, "none");
  EXPECT_EQ(model.origin, "another test");
}

TEST_F(Training, RefusesClassNamesThatAreNotOnePerClassAndDifferent) {
  TrainingOptions o = options("model", 2);
  o.class_names = {"top"};
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("class_names: must be 2, one per class, but are 1"));
  o.class_names = {"top", "top"};
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("class_names: must be all different, but have \"top\" twice"));
}

TEST_F(Training, AsksForImagesThatPatchesFillOut) {
  TrainingOptions o = options("model", 2);
  o.patch = 3;
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("TrainingOptions.patch: must divide the side of the images, 4, but is 3"));
}

TEST_F(Training, RefusesClassNamesThatNoModelFileCanHold) {
  TrainingOptions o = options("model", 4);
  o.class_names = {"caf\xe9", "b"};
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("TrainingOptions.class_names: must be UTF-8"));
}

TEST_F(Training, RefusesToResumeFromNothing) {
  TrainingOptions o = options("model", 2);
  o.start = Start::Resume;
  EXPECT_THAT(message_of<FileError>([&] { train(o); }),
              HasSubstr("model.checkpoint: must exist to resume from, but is not there"));
}

TEST_F(Training, ResumesOrStartsAsItFinds) {
  TrainingOptions o = options("model", 2);
  o.start = Start::ResumeOrFresh;
  EXPECT_EQ(train(o).steps, 2);
  o.steps = 3;
  int steps = 0;
  train(o, [&](const TrainingProgress&) { return ++steps < 100; });
  EXPECT_EQ(steps, 1);
}

TEST_F(Training, RewritesAMissingModelWhenThereIsNothingLeftToDo) {
  train(options("model", 2));
  std::filesystem::remove(folder_.file("model"));
  TrainingOptions o = options("model", 2);
  o.start = Start::Resume;
  EXPECT_TRUE(train(o).completed);
  EXPECT_TRUE(std::filesystem::exists(o.model));
}

TEST_F(Training, ReplacesTheModelOfAnEarlierStepWhenThereIsNothingLeftToDo) {
  TrainingOptions o = options("model", 2);
  train(o);
  const std::string earlier = content_of(o.model);
  o.start = Start::Resume;
  o.steps = 3;
  train(o);
  const std::string last = content_of(o.model);
  ASSERT_NE(last, earlier);
  test::write_content(o.model,
                      earlier);  // as a kill between the last checkpoint and its model leaves it
  EXPECT_TRUE(train(o).completed);
  EXPECT_EQ(content_of(o.model), last);
}

TEST_F(Training, StopsAtOnceWhenAskedAndCanGoOn) {
  std::stop_source stop;
  stop.request_stop();
  const TrainingResult result = train(options("model", 5), {}, stop.get_token());
  EXPECT_EQ(result.steps, 0);
  EXPECT_FALSE(result.completed);
}

TEST_F(Training, StopsWhenItsMinutesAreOver) {
  TrainingOptions o = options("model", 1'000'000);
  o.minutes = 0.3 / 60;
  const TrainingResult result = train(o);
  EXPECT_FALSE(result.completed);
  EXPECT_LT(result.seconds, 30);
  EXPECT_TRUE(std::filesystem::exists(o.model + ".checkpoint"));
}

TEST_F(Training, FailsBeforeTheFirstStepWhereItCannotWrite) {
  for (const char* field : {"model", "checkpoint", "log"}) {
    TrainingOptions o = options("model", 5);
    const std::string nowhere = folder_.file("nowhere/file");
    (std::string(field) == "model" ? o.model
     : std::string(field) == "log" ? o.log
                                   : o.checkpoint) = nowhere;
    int steps = 0;
    EXPECT_THAT(message_of<FileError>(
                    [&] { train(o, [&](const TrainingProgress&) { return ++steps < 100; }); }),
                HasSubstr(nowhere));
    EXPECT_EQ(steps, 0) << field;
  }
}

TEST_F(Training, SaysWhyACheckpointCannotBeWritten) {
  TrainingOptions o = options("model", 2);
  o.checkpoint = folder_.file(std::string(300, 'x'));  // longer than a file's name can be
  EXPECT_THAT(message_of<FileError>([&] { train(o); }),
              HasSubstr(o.checkpoint + ": must be writable, but opening it failed"));
}

/// No file of this process grows beyond so many bytes while it lives: what a full disk does,
/// without one.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(Training, LeavesTheCheckpointAsItWasWhereThereIsNoRoomForTheNext) {
  TrainingOptions o = options("model", 4);
  o.log.clear();
  train(o, stop_after(2));
  const std::string checkpoint = content_of(o.model + ".checkpoint"), model = content_of(o.model);
  o.start = Start::Resume;
  {
    const FileSizeLimit limit(checkpoint.size() / 2);
    EXPECT_THAT(message_of<FileError>([&] { train(o); }),
                HasSubstr(o.model + ".checkpoint: must be writable, but writing failed"));
  }
  EXPECT_EQ(content_of(o.model + ".checkpoint"), checkpoint);
  EXPECT_EQ(content_of(o.model), model);
  EXPECT_TRUE(train(o).completed);
}

TEST_F(Training, RefusesALogThatIsSomethingElse) {
  TrainingOptions o = options("model", 2);
  train(o);
  test::write_content(o.log, "dear diary\n");
  o.start = Start::Resume;
  o.steps = 3;
  EXPECT_THAT(message_of<FileError>([&] { train(o); }),
              HasSubstr("must be the log of a training, beginning \"step,loss,"));
}

TEST_F(Training, RefusesANetworkThatDoesNotFitTheData) {
  TrainingOptions o = options("model", 2);
  o.network =
      R"({"kind": "uvit", "image_size": 8, "channels": 1, "patch_size": 4, "width": 8, "depth": 2, "heads": 2, "label_rows": 3,
                  "uncertainty": "map"})";
  EXPECT_THAT(
      message_of<InvalidArgument>([&] { train(o); }),
      HasSubstr(
          "TrainingOptions.network: must take the data's images 1 x 4 x 4, but takes 1 x 8 x 8"));
}

TEST_F(Training, RefusesANetworkTextWithAnUnknownField) {
  TrainingOptions o = options("model", 2);
  o.network = R"({"kind": "uvit", "size": 8})";
  EXPECT_THAT(message_of<Error>([&] { train(o); }), HasSubstr("TrainingOptions.network"));
}

TEST_F(Training, RefusesANetworkTooLargeToTrainBeforeAllocatingIt) {
  TrainingOptions o = options("model", 2);
  o.width = 16384;
  o.depth = 254;
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("TrainingOptions.network: must describe a network of at most 2147483648"));
}

TEST_F(Training, SaysInOneLineOfItsOwnWhatFailedInTorch) {
  const auto fail = [](const TrainingProgress&) -> bool {
    TORCH_CHECK(false, "out of luck\nand of the second line");
  };
  EXPECT_EQ(message_of<Error>([&] { train(options("model", 2), fail); }),
            "train: PyTorch failed: out of luck");
}

}  // namespace
}  // namespace adadiff::detail
