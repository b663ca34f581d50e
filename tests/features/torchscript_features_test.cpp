// Scripts of all kinds as feature extractors.
#include "features/torchscript_features.h"

#include <gmock/gmock.h>

#include <torch/csrc/jit/api/module.h>

#include <adadiff/error.h>

#include "support/evaluation_files.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class TorchScript : public testing::Test {
 protected:
  std::string write(const std::string& source) const {
    torch::jit::Module module("features");
    module.define(source + "\n");
    module.save(folder_ / "script.pt");
    return folder_ / "script.pt";
  }
  ImageFeatures features(const std::string& source) const {
    return open_features(write(source))->extract(images_);
  }
  void refuses(const std::string& source, const char* message) const {
    const std::string path = write(source);
    EXPECT_THAT([&] { open_features(path)->extract(images_); },
                ThrowsMessage<ModelError>(HasSubstr(message)))
        << source;
  }

  test::Folder folder_;
  Images images_{.count = 2, .height = 1, .width = 2, .channels = 1, .pixels = {0, 10, 100, 255}};
};

TEST_F(TorchScript, SeesGreyImagesInThreeChannelsOfPlainPixels) {
  const ImageFeatures found = features(
      "def forward(self, x):\n  return x.mean([2, 3]) + x.size(1) * 1000");
  EXPECT_EQ(found.features.rows(), 2);
  EXPECT_EQ(found.features.cols(), 3);
  EXPECT_EQ(found.features(0, 2), 3005);
  EXPECT_EQ(found.features(1, 0), 3177.5);
  EXPECT_TRUE(found.classes.empty());
}

TEST_F(TorchScript, IsAskedForFeaturesWhereItCanGiveThem) {
  const ImageFeatures found = features(
      "def forward(self, x, return_features: bool = False):\n"
      "  if return_features:\n    y = x.mean([1, 2, 3])\n  else:\n    y = x.mean([1, 2, 3]) * 0\n  "
      "return y.unsqueeze(1)");
  EXPECT_EQ(found.features(0, 0), 5);
}

TEST_F(TorchScript, MayGiveMapsOfOnePixelOrATuple) {
  EXPECT_EQ(features("def forward(self, x):\n  return x.mean([2, 3], True)").features.cols(), 3);
  EXPECT_EQ(features("def forward(self, x):\n  return x.mean([2, 3]), x").features.cols(), 3);
}

TEST_F(TorchScript, IsRefusedWhereItDoesNotGiveFeatures) {
  refuses("def forward(self, x):\n  return x",
          "must give features [images, D], but gave [2, 3, 1, 2] for 2 images");
  refuses("def forward(self, x):\n  return 3", "must give a tensor of features, but gave Int");
  refuses("def forward(self, x):\n  return x.mean([2, 3]) / 0", "must give finite features");
  refuses("def forward(self, x):\n  return x.view([7])",
          "must run on images, but failed: RuntimeError: shape '[7]' is invalid");
  refuses("def forward(self, x, y):\n  return x + y",
          "must run on images, but failed: forward() is missing value for argument 'y'");
  refuses("def other(self, x):\n  return x", "must have a method forward, but has none");
}

TEST_F(TorchScript, ThatIsNoneIsRefused) {
  test::write_bytes(folder_ / "zip", "PK\x03\x04 and nothing else");
  EXPECT_THAT(
      [&] { open_features(folder_ / "zip"); },
      ThrowsMessage<ModelError>(HasSubstr("must be a classifier of adadiff train-classifier or a "
                                          "TorchScript file, but is neither")));
}

}  // namespace
}  // namespace adadiff::detail
