// Image sets from idx files, and batches.
#include "training/batches.h"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include <ATen/ATen.h>

#include "core/check.h"
#include "training/temporary_folder.h"

namespace adadiff::detail {
namespace {

using test::message_of;
using testing::HasSubstr;

std::string idx(const std::vector<std::uint8_t>& shape, const std::string& values) {
  std::string text("\0\0\x08", 3);
  text += static_cast<char>(shape.size());
  for (const std::uint8_t size : shape) text += std::string("\0\0\0", 3) + static_cast<char>(size);
  return text + values;
}

class ImageSetFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) const {
    test::write_content(folder_.file(name), content);
    return folder_.file(name);
  }
  test::TemporaryFolder folder_;
};

TEST_F(ImageSetFiles, AreReadWithAndWithoutChannels) {
  const ImageSet grey = read_image_set(write("a", idx({2, 1, 3}, "abcdef")),
                                       write("l", idx({2}, std::string("\1\4", 2))));
  EXPECT_EQ(grey.count, 2);
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(grey.width, 3);
  EXPECT_EQ(grey.classes, 5);
  const ImageSet colour = read_image_set(write("b", idx({1, 3, 1, 2}, "abcdef")), "");
  EXPECT_EQ(colour.channels, 3);
  EXPECT_EQ(colour.classes, 0);
}

TEST_F(ImageSetFiles, AreRefusedWithOtherShapes) {
  const std::string flat = write("flat", idx({6}, "abcdef"));
  EXPECT_THAT(message_of<ModelError>([&] { read_image_set(flat, ""); }),
              HasSubstr("must hold images as [N, H, W] or [N, C, H, W], but has [6]"));
  const std::string images = write("images", idx({2, 1, 3}, "abcdef"));
  const std::string labels = write("labels", idx({3}, "abc"));
  EXPECT_THAT(message_of<ModelError>([&] { read_image_set(images, labels); }),
              HasSubstr("labels: must hold one label per image, [2], but has [3]"));
}

/// Four one-pixel images 0, 85, 170, 255 with labels 0 to 3.
ImageSet four_pixels() {
  ImageSet set;
  set.count = 4;
  set.channels = set.height = set.width = 1;
  set.pixels = {0, 85, 170, 255};
  set.labels = {0, 1, 2, 3};
  set.classes = 4;
  return set;
}

TrainingOptions four_at_once() {
  TrainingOptions options;
  options.batch = 4;
  options.label_drop = 0;
  return options;
}

TEST(DataStd, IsTheRootMeanSquareAroundZero) {
  EXPECT_NEAR(data_std(four_pixels()), std::sqrt((1 + 1.0 / 9) / 2), 1e-12);
}

/// What x and truth must be, from the same draws in double.
void expect_batch(Prediction prediction, const Batch& batch, const TrainingOptions& options) {
  const ImageSet set = four_pixels();
  const auto schedule = cosine_schedule();
  const auto times = draw_times(options, Process{}, 2);
  for (std::int64_t row = 0; row < 4; ++row) {
    const double time = times[static_cast<std::size_t>(row)], alpha = schedule->alpha(time),
                 sigma = schedule->sigma(time);
    const auto label = batch.labels[row].item<std::int64_t>();
    const double clean = set.pixels[static_cast<std::size_t>(label)] / 127.5 - 1;
    float noise = 0;
    draw_noise(options, 2, row, {&noise, 1});
    const double truth = prediction == Prediction::Noise   ? noise
                         : prediction == Prediction::Clean ? clean
                                                           : alpha * noise - sigma * clean;
    EXPECT_NEAR(batch.x.view({-1})[row].item<double>(), alpha * clean + sigma * noise, 1e-5);
    EXPECT_NEAR(batch.truth.view({-1})[row].item<double>(), truth, 1e-5);
    EXPECT_NEAR(batch.time[row].item<double>(), 1000 * time, 1e-3);
  }
}

TEST(Batches, MixNoiseAndStateTheTruthOfEachPrediction) {
  const ImageSet set = four_pixels();
  for (const Prediction prediction : {Prediction::Noise, Prediction::Clean, Prediction::Velocity}) {
    TrainingOptions options = four_at_once();
    options.prediction = prediction;
    Batches batches(set, options,
                    {.process = {.prediction = prediction}, .null_label = 4, .has_labels = true});
    expect_batch(prediction, batches.at_step(2), options);
  }
}

/// One image, 2 x 2, of 255 on the left and 0 on the right.
ImageSet two_sides() {
  ImageSet set;
  set.count = set.channels = 1;
  set.height = set.width = 2;
  set.pixels = {255, 0, 255, 0};
  return set;
}

TEST(Batches, MirrorEveryOtherImageWhereAskedTo) {
  const ImageSet set = two_sides();
  TrainingOptions options = four_at_once();
  options.batch = 1000;
  options.prediction = Prediction::Clean;
  const auto lefts = [&] {
    Batches batches(set, options, {.process = {.prediction = Prediction::Clean}});
    const at::Tensor truth = batches.at_step(0).truth;
    EXPECT_TRUE(truth.select(3, 0).equal(-truth.select(3, 1)));
    EXPECT_TRUE(truth.select(2, 0).equal(truth.select(2, 1)));
    return truth.select(3, 0).select(2, 0).gt(0).sum().item<double>();
  };
  EXPECT_EQ(lefts(), 1000);
  options.mirror = true;
  EXPECT_NEAR(lefts(), 500, 70);  // 4.4 standard deviations; the draw is fixed
}

TEST(Batches, DropLabelsToTheNullLabel) {
  const ImageSet set = four_pixels();
  TrainingOptions options = four_at_once();
  options.label_drop = 1;
  Batches batches(
      set, options,
      {.process = {.prediction = Prediction::Velocity}, .null_label = 4, .has_labels = true});
  EXPECT_TRUE(batches.at_step(0).labels.eq(4).all().item<bool>());
}

TEST(Batches, GiveTheNetworksLabelsOfTheImagesClasses) {
  const ImageSet set = four_pixels();
  const TrainingOptions options = four_at_once();
  Batches own(
      set, options,
      {.process = {.prediction = Prediction::Velocity}, .null_label = 9, .has_labels = true});
  BatchForm form;
  form.process.prediction = Prediction::Velocity;
  form.null_label = 9;
  form.has_labels = true;
  form.label_of_class = {3, 2, 0, 1};
  Batches named(set, options, form);
  const at::Tensor classes = own.at_step(0).labels;
  EXPECT_TRUE(
      named.at_step(0).labels.equal(at::tensor({3, 2, 0, 1}, at::kLong).index_select(0, classes)));
}

TEST(Batches, GiveNoLabelsToANetworkWithoutThem) {
  const ImageSet set = four_pixels();
  Batches batches(set, four_at_once(), {.process = {.prediction = Prediction::Velocity}});
  EXPECT_FALSE(batches.at_step(0).labels.defined());
}

/// Image i is one pixel of value i; reading `broken` fails.
class CountedSource final : public ImageSource {
 public:
  CountedSource() { count = 256, channels = height = width = 1; }
  void read(std::int64_t index, std::span<std::uint8_t> planes) const override {
    ++reads;
    if (index == broken) raise<FileError>({"picture", "be there", "has vanished"});
    planes[0] = static_cast<std::uint8_t>(index);
  }
  std::int64_t label(std::int64_t) const override { return -1; }

  std::int64_t broken = -1;
  mutable std::int64_t reads = 0;
};

TEST(DataStd, ReadsAboutAHundredImagesOnly) {
  for (const std::int64_t count : {128, 129, 255, 5000}) {
    CountedSource source;
    source.count = count;
    data_std(source);
    EXPECT_LE(source.reads, 128) << count;
    EXPECT_GT(source.reads, 60) << count;
  }
}

at::Tensor images_of(Batches& batches, std::int64_t step) {
  return batches.at_step(step).x.clone();
}

TEST(Batches, AreTheSameInAnyOrderOfSteps) {
  const CountedSource source, other;  // one for each thread
  const TrainingOptions options = four_at_once();
  Batches in_order(source, options, {.process = {.prediction = Prediction::Velocity}}),
      backwards(other, options, {.process = {.prediction = Prediction::Velocity}});
  std::vector<at::Tensor> first;
  for (std::int64_t step = 0; step < 8; ++step) first.push_back(images_of(in_order, step));
  for (std::int64_t step = 7; step >= 0; --step)
    EXPECT_TRUE(images_of(backwards, step).equal(first[static_cast<std::size_t>(step)]));
}

TEST(Batches, ABatchStaysAsItIsWhileTheNextIsMade) {
  const CountedSource source;
  Batches batches(source, four_at_once(), {.process = {.prediction = Prediction::Velocity}});
  for (std::int64_t step = 0; step < 200; ++step) {
    const Batch& batch = batches.at_step(step);
    const at::Tensor copy = batch.x.clone();
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    ASSERT_TRUE(batch.x.equal(copy)) << "step " << step;
  }
}

TEST(Batches, AnErrorOfTheReaderIsThrownAtItsStepOnly) {
  CountedSource source;
  const TrainingOptions options = four_at_once();
  source.broken = DataOrder(options.seed, source.count).index(2, options.batch, 1);
  Batches batches(source, options, {.process = {.prediction = Prediction::Velocity}});
  batches.at_step(0);
  EXPECT_NO_THROW(batches.at_step(1));
  EXPECT_THROW(batches.at_step(2), FileError);
  EXPECT_NO_THROW(batches.at_step(3));
}

TEST(Batches, EndWhileABatchIsBeingMade) {
  const CountedSource source;
  for (int i = 0; i < 50; ++i)
    Batches(source, four_at_once(), {.process = {.prediction = Prediction::Velocity}}).at_step(0);
}

}  // namespace
}  // namespace adadiff::detail
