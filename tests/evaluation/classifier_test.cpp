// The classifier: its layers against plain loops, its file, its training.
#include "evaluation/classifier.h"

#include <cmath>
#include <filesystem>
#include <map>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "evaluation/classifier_training.h"
#include "evaluation/evaluation_files.h"
#include "io/safetensors.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

using Weights = std::map<std::string, at::Tensor>;

Weights weights_of(Classifier& classifier) {
  Weights weights;
  classifier.visit([&](const std::string& name, at::Tensor& tensor) { weights.emplace(name, tensor); });
  return weights;
}

ClassifierConfig small_config() {
  ClassifierConfig config;
  config.channels = 3;
  config.size = 8;
  config.classes = 3;
  config.class_names = {"a", "b", "c"};
  config.name = "small";
  return config;
}

Classifier random_classifier() {
  Classifier classifier(small_config());
  classifier.initialise(1);
  for (auto& [name, tensor] : weights_of(classifier)) {
    if (tensor.dim() < 2) tensor.add_(0.1 * at::arange(tensor.numel()).sin());
  }
  return classifier;
}

Images random_images(std::int64_t count) {
  Images images{.count = count, .height = 8, .width = 8, .channels = 3};
  for (std::int64_t i = 0; i < count * 8 * 8 * 3; ++i) images.pixels.push_back(static_cast<std::uint8_t>(i * i * 31 + i * 7));
  return images;
}

/// One stage in double: convolution by explicit sums, norm over 8 groups, SiLU.
at::Tensor plain_stage(const at::Tensor& x, const Weights& weights, const std::string& name, std::int64_t stride) {
  const at::Tensor kernel = weights.at(name + ".weight").to(at::kDouble), padded = at::constant_pad_nd(x, {1, 1, 1, 1});
  const std::int64_t side = (x.size(2) + stride - 1) / stride;
  at::Tensor y = weights.at(name + ".bias").to(at::kDouble).view({1, -1, 1, 1}).expand({x.size(0), -1, side, side}).clone();
  for (std::int64_t a = 0; a < 3; ++a) {
    for (std::int64_t b = 0; b < 3; ++b) {
      const at::Tensor seen = padded.slice(2, a, a + x.size(2), stride).slice(3, b, b + x.size(3), stride);
      y += at::einsum("bihw,oi->bohw", {seen, kernel.select(3, b).select(2, a)});
    }
  }
  const at::Tensor groups = y.reshape({y.size(0), 8, -1}), centred = groups - groups.mean(2, true);
  y = (centred / (centred.square().mean(2, true) + 1e-5).sqrt()).reshape(y.sizes());
  y = y * weights.at(name + ".norm.weight").to(at::kDouble).view({1, -1, 1, 1}) +
      weights.at(name + ".norm.bias").to(at::kDouble).view({1, -1, 1, 1});
  return y * at::sigmoid(y);
}

TEST(Classifier, ComputesItsLayers) {
  Classifier classifier = random_classifier();
  const Weights weights = weights_of(classifier);
  const Images images = random_images(2);
  at::Tensor x = image_tensor(images, 0, 2).to(at::kDouble);
  for (const auto& [name, stride] :
       std::vector<std::pair<std::string, std::int64_t>>{{"conv1", 1}, {"conv2", 2}, {"conv3", 1}, {"conv4", 2}, {"conv5", 1}}) {
    x = plain_stage(x, weights, name, stride);
  }
  const at::Tensor expected = x.mean({2, 3});
  const ImageFeatures found = classifier.extract(images);
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t j = 0; j < Classifier::kDimensions; ++j) {
      EXPECT_NEAR(found.features(i, j), expected[i][j].item<double>(), 1e-5);  // float32 through five layers
    }
  }
}

TEST(Classifier, SeesPixelsFromBlackToWhiteAsMinusOneToOne) {
  const Images images{.count = 1, .height = 1, .width = 2, .channels = 1, .pixels = {0, 255}};
  const at::Tensor x = image_tensor(images, 0, 1);
  EXPECT_EQ(x.view({-1})[0].item<float>(), -1);
  EXPECT_EQ(x.view({-1})[1].item<float>(), 1);
}

TEST(Classifier, GivesTheSameFeaturesInEveryBatch) {
  const Classifier classifier = random_classifier();
  const Images images = random_images(300);  // more than one batch
  const ImageFeatures all = classifier.extract(images);
  Images last = images;
  last.count = 1;
  last.pixels.assign(images.pixels.end() - 8 * 8 * 3, images.pixels.end());
  const ImageFeatures one = classifier.extract(last);
  EXPECT_LT((all.features.row(299) - one.features.row(0)).cwiseAbs().maxCoeff(), 1e-6);
  EXPECT_EQ(all.classes.size(), 300);
  EXPECT_EQ(all.classes[299], one.classes[0]);
}

TEST(Classifier, RefusesImagesOfAnotherShape) {
  const Images grey{.count = 1, .height = 8, .width = 8, .channels = 1, .pixels = std::vector<std::uint8_t>(64)};
  EXPECT_THAT([&] { random_classifier().extract(grey); },
              ThrowsMessage<InvalidArgument>(HasSubstr("images for small: must be 8 x 8 x 3, but are 8 x 8 x 1")));
}

class ClassifierFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& description) const {
    write_safetensors(folder_ / name, {{"adadiff-classifier", description}}, {});
    return folder_ / name;
  }
  test::Folder folder_;
};

TEST_F(ClassifierFiles, ReadBackWhatWasWritten) {
  Classifier classifier = random_classifier();
  classifier.set_accuracy(0.75);
  write_classifier(classifier, folder_ / "c");
  const auto again = read_classifier(folder_ / "c");
  EXPECT_EQ(again->config().class_names, classifier.config().class_names);
  EXPECT_EQ(again->config().accuracy, 0.75);
  const Images images = random_images(2);
  EXPECT_EQ(again->extract(images).features, classifier.extract(images).features);
  EXPECT_EQ(open_features(folder_ / "c")->name(), "small, a small classifier (not comparable to published FID)");
}

TEST_F(ClassifierFiles, RefuseWhatTheyDoNotUnderstand) {
  const auto refuses = [&](const std::string& description, const char* message) {
    const std::string path = write("x", description);
    EXPECT_THAT([&] { read_classifier(path); }, ThrowsMessage<ModelError>(HasSubstr(message))) << description;
  };
  refuses("{}", "format");
  refuses(R"({"format": 2})", "format");
  refuses(R"({"format":1,"channels":2,"size":28,"classes":10,"name":"x","accuracy":0})", "channels must be 1 or 3, but is 2");
  refuses(R"({"format":1,"channels":1,"size":28,"classes":1000000,"name":"x","accuracy":0})", "classes must be an integer in [2, 10000]");
  refuses(R"({"format":1,"channels":1,"size":28,"classes":3,"class_names":["a"],"name":"x","accuracy":0})", "one name per class");
  refuses(R"({"format":1,"channels":1,"size":28,"classes":3,"name":"x","accuracy":0})", "conv1.weight");
}

TEST_F(ClassifierFiles, OfOtherKindsAreRefusedWithAdvice) {
  write_safetensors(folder_ / "model", {}, {});
  EXPECT_THAT([&] { open_features(folder_ / "model"); },
              ThrowsMessage<ModelError>(HasSubstr("must have a description under the metadata key \"adadiff-classifier\"")));
  EXPECT_THROW(open_features(folder_ / "none"), FileError);
}

/// Class 0 is dark above, class 1 dark below.
ImageSet two_classes() {
  ImageSet set;
  set.count = 64;
  set.channels = 1;
  set.height = set.width = 8;
  set.classes = 2;
  for (std::int64_t i = 0; i < set.count; ++i) {
    set.labels.push_back(static_cast<std::uint8_t>(i % 2));
    for (std::int64_t p = 0; p < 64; ++p) {
      set.pixels.push_back(static_cast<std::uint8_t>((p < 32) == (i % 2 == 0) ? 10 + i : 200 + (i * p) % 50));
    }
  }
  return set;
}

ClassifierConfig config_for_two() {
  ClassifierConfig config;
  config.size = 8;
  config.classes = 2;
  return config;
}

TEST(ClassifierTraining, LearnsWhatCanBeLearnt) {
  const ImageSet set = two_classes();
  const auto classifier = train_classifier(set, config_for_two(), {.epochs = 10, .batch = 16, .shift = 1});
  EXPECT_EQ(classifier_accuracy(*classifier, set), 1);
}

TEST(ClassifierTraining, IsAFunctionOfTheSeed) {
  const ImageSet set = two_classes();
  const auto weights = [&](std::uint64_t seed) {
    const auto classifier = train_classifier(set, config_for_two(), {.epochs = 1, .batch = 16, .seed = seed});
    return weights_of(*classifier).at("head.weight").clone();
  };
  EXPECT_TRUE(weights(1).equal(weights(1)));
  EXPECT_FALSE(weights(1).equal(weights(2)));
}

TEST(ClassifierTraining, EndsWithNothingWhereTheObserverSaysSo) {
  const ImageSet set = two_classes();
  EXPECT_EQ(train_classifier(set, config_for_two(), {.batch = 16}, [](const ClassifierProgress&) { return false; }), nullptr);
}

TEST(ClassifierTraining, RefusesImagesWithoutClasses) {
  ImageSet set = two_classes();
  set.classes = 0;
  EXPECT_THAT([&] { train_classifier(set, config_for_two(), {}); },
              ThrowsMessage<InvalidArgument>(HasSubstr("labels: must be of 2 to 2 classes, but are of 0")));
}

}  // namespace
}  // namespace adadiff::detail
