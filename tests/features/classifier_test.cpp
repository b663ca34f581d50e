// The classifier: its layers against plain loops, its file, its training.
#include "features/classifier.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "features/classifier_training.h"
#include "features/held_out.h"
#include "io/safetensors.h"
#include "models/model_tensors.h"
#include "support/evaluation_files.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

using Weights = std::map<std::string, at::Tensor>;

Weights weights_of(Classifier& classifier) {
  Weights weights;
  classifier.visit(
      [&](const std::string& name, at::Tensor& tensor) { weights.emplace(name, tensor); });
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
  for (std::int64_t i = 0; i < count * 8 * 8 * 3; ++i)
    images.pixels.push_back(static_cast<std::uint8_t>(i * i * 31 + i * 7));
  return images;
}

/// One stage in double: convolution by explicit sums, norm over 8 groups, SiLU.
at::Tensor plain_stage(const at::Tensor& x, const Weights& weights, const std::string& name,
                       std::int64_t stride) {
  const at::Tensor kernel = weights.at(name + ".weight").to(at::kDouble),
                   padded = at::constant_pad_nd(x, {1, 1, 1, 1});
  const std::int64_t side = (x.size(2) + stride - 1) / stride;
  at::Tensor y = weights.at(name + ".bias")
                     .to(at::kDouble)
                     .view({1, -1, 1, 1})
                     .expand({x.size(0), -1, side, side})
                     .clone();
  for (std::int64_t a = 0; a < 3; ++a) {
    for (std::int64_t b = 0; b < 3; ++b) {
      const at::Tensor seen = padded.slice(2, a, a + x.size(2), stride)
                                  .slice(3, b, b + x.size(3), stride);
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
  for (const auto& [name, stride] : std::vector<std::pair<std::string, std::int64_t>>{
           {"conv1", 1}, {"conv2", 2}, {"conv3", 1}, {"conv4", 2}, {"conv5", 1}}) {
    x = plain_stage(x, weights, name, stride);
  }
  const at::Tensor expected = x.mean({2, 3});
  const ImageFeatures found = classifier.extract(images);
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t j = 0; j < Classifier::kDimensions; ++j) {
      EXPECT_NEAR(found.features(i, j), expected[i][j].item<double>(),
                  1e-5);  // float32 through five layers
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
  const Images grey{
      .count = 1, .height = 8, .width = 8, .channels = 1, .pixels = std::vector<std::uint8_t>(64)};
  EXPECT_THAT([&] { random_classifier().extract(grey); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("images for small: must be 8 x 8 x 3, but are 8 x 8 x 1")));
}

TEST(Classifier, RefusesImagesWithoutTheirPixels) {
  Images images = random_images(2);
  images.pixels.pop_back();
  EXPECT_THAT([&] { random_classifier().extract(images); },
              ThrowsMessage<InvalidArgument>(HasSubstr(
                  "images for features: must have the pixels of 2 x 8 x 8, but have 383 bytes")));
  images.count = std::int64_t{1} << 62;
  EXPECT_THROW(random_classifier().extract(images), InvalidArgument);
  images.channels = 4;
  EXPECT_THAT([&] { random_classifier().extract(images); },
              ThrowsMessage<InvalidArgument>(HasSubstr("have 1 or 3 channels, but have 4")));
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
  EXPECT_EQ(open_features(folder_ / "c")->name(),
            "small, a small classifier (not comparable to published FID)");
}

TEST_F(ClassifierFiles, RefuseWhatTheyDoNotUnderstand) {
  const auto refuses = [&](const std::string& description, const char* message) {
    const std::string path = write("x", description);
    EXPECT_THAT([&] { read_classifier(path); }, ThrowsMessage<ModelError>(HasSubstr(message)))
        << description;
  };
  refuses("{}", "format");
  refuses(R"({"format": 2})", "format");
  refuses(R"({"format":1,"channels":2,"size":28,"classes":10,"name":"x","accuracy":0})",
          "channels must be 1 or 3, but is 2");
  refuses(R"({"format":1,"channels":1,"size":28,"classes":1000000,"name":"x","accuracy":0})",
          "classes must be an integer in [2, 10000]");
  refuses(
      R"({"format":1,"channels":1,"size":28,"classes":3,"class_names":["a"],"name":"x","accuracy":0})",
      "one name per class");
  refuses(R"({"format":1,"channels":1,"size":28,"classes":3,"name":"x","accuracy":0})",
          "conv1.weight");
}

/// The tensors of a small classifier, after `change`, with its description.
class HostileClassifierFiles : public ClassifierFiles {
 protected:
  template <class Change>
  void refuses(const Change& change, const char* message) const {
    Classifier classifier = random_classifier();
    Weights weights = weights_of(classifier);
    change(weights);
    const std::string
        description = R"({"format":1,"channels":3,"size":8,"classes":3,"name":"x","accuracy":0})";
    save_tensors(folder_ / "h", {{"adadiff-classifier", description}},
                 {weights.begin(), weights.end()});
    EXPECT_THAT([&] { read_classifier(folder_ / "h"); },
                ThrowsMessage<ModelError>(HasSubstr(message)));
  }
};

TEST_F(HostileClassifierFiles, AreRefusedForTheTensorThatIsWrong) {
  refuses([](Weights& w) { w.erase("conv3.norm.bias"); },
          "tensor \"conv3.norm.bias\": must be F32 [64], but is missing");
  refuses(
      [](Weights& w) {
        w["head.weight"] = at::zeros({4, 128});
      },
      "must be F32 [3, 128], but is F32 [4, 128]");
  refuses([](Weights& w) { w["conv1.bias"][0] = std::numeric_limits<float>::quiet_NaN(); },
          "tensor \"conv1.bias\": must hold finite");
  refuses([](Weights& w) { w["more"] = at::zeros({1}); },
          R"(must hold no tensors but those of a classifier, but also holds "more" [1])");
}

TEST_F(HostileClassifierFiles, AreRefusedWhereTheyEndEarly) {
  Classifier classifier = random_classifier();
  write_classifier(classifier, folder_ / "whole");
  const std::string bytes = test::bytes_of(folder_ / "whole");
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{4}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    test::write_bytes(folder_ / "cut", bytes.substr(0, length));
    EXPECT_THROW(open_features(folder_ / "cut"), ModelError) << length;
  }
}

TEST_F(ClassifierFiles, OfOtherKindsAreRefusedWithAdvice) {
  write_safetensors(folder_ / "model", {}, {});
  EXPECT_THAT([&] { open_features(folder_ / "model"); },
              ThrowsMessage<ModelError>(HasSubstr(
                  "must have a description under the metadata key \"adadiff-classifier\"")));
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
      set.pixels.push_back(
          static_cast<std::uint8_t>((p < 32) == (i % 2 == 0) ? 10 + i : 200 + (i * p) % 50));
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

TEST(ClassifierTraining, SeesFewImagesOftenEnoughWhereNoEpochsAreGiven) {
  std::int64_t few = 0;
  train_classifier(two_classes(), config_for_two(), {.batch = 16},
                   [&](const ClassifierProgress& progress) {
                     few = progress.steps;
                     return false;
                   });
  EXPECT_EQ(few, 1500);
}

TEST(ClassifierTraining, LearnsWhatCanBeLearnt) {
  const ImageSet set = two_classes();
  const auto classifier = train_classifier(set, config_for_two(),
                                           {.epochs = 10, .batch = 16, .shift = 1});
  EXPECT_EQ(classifier_accuracy(*classifier, set), 1);
}

TEST(ClassifierTraining, IsAFunctionOfTheSeed) {
  const ImageSet set = two_classes();
  const auto bytes = [&](std::uint64_t seed) {
    const auto classifier = train_classifier(set, config_for_two(),
                                             {.epochs = 1, .batch = 16, .seed = seed});
    test::Folder folder;
    write_classifier(*classifier, folder / "c");
    return test::bytes_of(folder / "c");
  };
  EXPECT_EQ(bytes(1), bytes(1));
  EXPECT_NE(bytes(1), bytes(2));
}

TEST(ClassifierTraining, EndsWithNothingWhereTheObserverSaysSo) {
  const ImageSet set = two_classes();
  EXPECT_EQ(train_classifier(set, config_for_two(), {.batch = 16},
                             [](const ClassifierProgress&) { return false; }),
            nullptr);
}

TEST(ClassifierTraining, RefusesImagesWithoutClasses) {
  ImageSet set = two_classes();
  set.classes = 0;
  EXPECT_THAT([&] { train_classifier(set, config_for_two(), {}); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("labels: must tell at least 2 classes, but tell 0; give labels")));
}

TEST(ClassifierTraining, RefusesMoreClassesThanTheClassifierHas) {
  ImageSet set = two_classes();
  set.classes = 3;
  EXPECT_THAT([&] { train_classifier(set, config_for_two(), {}); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("labels: must be of the classifier's 2 classes, but are of 3")));
}

TEST(ClassifierTraining, RefusesBeforehandWhatItsFileCouldNotSay) {
  ClassifierConfig config = config_for_two();
  config.name = std::string(1000, 'x');
  EXPECT_THAT(
      [&] { train_classifier(two_classes(), config, {}); },
      ThrowsMessage<InvalidArgument>(HasSubstr("name must have at most 200 bytes, but has 1000")));
}

TEST(ClassifierTraining, RefusesImagesThatAreNotSquare) {
  ImageSet set = two_classes();
  set.width = 4;
  EXPECT_THAT([&] { train_classifier(set, config_for_two(), {}); },
              ThrowsMessage<InvalidArgument>(
                  HasSubstr("images: must be square for a classifier, but are 8 by 4")));
}

TEST(ClassifierTraining, SaysWhenTorchFails) {
  ClassifierConfig config = config_for_two();
  config.channels = 3;
  EXPECT_THAT([&] { train_classifier(two_classes(), config, {}); },
              ThrowsMessage<Error>(HasSubstr("classifier training: PyTorch failed: ")));
}

TEST(ClassifierTraining, SaysWhenTheLossIsNoLongerFinite) {
  EXPECT_THAT(
      [&] {
        train_classifier(two_classes(), config_for_two(),
                         {.epochs = 100, .batch = 16, .weight_decay = 1e30});
      },
      ThrowsMessage<Error>(HasSubstr("classifier training: must keep a finite loss, but step ")));
}

TEST(TestImages, NeedLabelsAndTheShapeAndClassesOfTheTrainingImages) {
  const ImageSet training = two_classes();
  const auto refuses = [&](const ImageSet& test, const char* message) {
    EXPECT_THAT([&] { check_test_images(training, test); },
                ThrowsMessage<InvalidArgument>(HasSubstr(message)));
  };
  EXPECT_NO_THROW(check_test_images(training, two_classes()));
  ImageSet test = two_classes();
  test.classes = 0;
  refuses(test, "test images: must have labels, but have none");
  test.classes = 3;
  refuses(test, "test images: must have the 2 classes of the training images, but have 3");
  test.classes = 2;
  test.class_names = {"dark above", "other"};
  refuses(test, "but have 2: \"dark above\", \"other\"");
  test.height = 9;
  refuses(test, "test images: must be 8 x 8 x 1 as the training images, but are 9 x 8 x 1");
}

TEST(HoldOut, KeepsATenthBackThatTheSeedChooses) {
  const ImageSet set = two_classes();
  const HeldOut parts = hold_out(set, 1);
  EXPECT_EQ(parts.training.count, 57);
  EXPECT_EQ(parts.test.count, 7);
  std::vector<std::uint8_t> seen(64);
  std::set<std::string> different;
  for (const ImageSubset* part : {&parts.training, &parts.test}) {
    for (std::int64_t i = 0; i < part->count; ++i) {
      part->read(i, seen);
      EXPECT_EQ(part->label(i), seen.front() < 100 ? 0 : 1);  // as two_classes() makes them
      different.emplace(seen.begin(), seen.end());
    }
  }
  EXPECT_EQ(different.size(), 64);
  std::vector<std::uint8_t> other(64);
  parts.test.read(0, seen);
  hold_out(set, 2).test.read(0, other);
  EXPECT_NE(seen, other);
}

TEST(HoldOut, RefusesASingleImage) {
  ImageSet set = two_classes();
  set.count = 1;
  EXPECT_THAT([&] { hold_out(set, 0); },
              ThrowsMessage<InvalidArgument>(HasSubstr("images: must be at least 2")));
}

TEST(BundledClassifier, KnowsTestImagesWithTheAccuracyThatItStates) {
  const std::string data = "/usr/share/datasets/fashion-mnist/t10k-";
  if (!std::filesystem::exists(data + "images-idx3-ubyte.gz"))
    GTEST_SKIP() << "needs Debian's dataset-fashion-mnist";
  const auto classifier = read_classifier(ADADIFF_SOURCE_DIR
                                          "/examples/models/fashion-mnist-classifier.safetensors");
  const ImageSet test = read_image_set(data + "images-idx3-ubyte.gz",
                                       data + "labels-idx1-ubyte.gz");
  const double accuracy = classifier_accuracy(*classifier, test);
  EXPECT_GE(accuracy, 0.92);
  EXPECT_NEAR(accuracy, classifier->config().accuracy,
              0.0005);  // another processor may turn a few of 10,000
}

}  // namespace
}  // namespace adadiff::detail
