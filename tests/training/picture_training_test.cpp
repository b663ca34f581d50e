// Trainings on folders of pictures: what a broken one costs, and what their classes are called.
#include <filesystem>

#include <gmock/gmock.h>

#include <ATen/Parallel.h>

#include <adadiff/image.h>
#include <adadiff/training.h>

#include "models/model_file.h"
#include "training/temporary_folder.h"
#include "training/tiny_data.h"

namespace adadiff::detail {
namespace {

using test::message_of;
using testing::HasSubstr;

/// Two classes of pictures.
class PictureTraining : public testing::Test {
 protected:
  PictureTraining() {
    at::set_num_threads(1);  // tensors this small only lose by more
    for (int i = 0; i < 20; ++i) {
      const std::string path = picture(i);
      std::filesystem::create_directories(std::filesystem::path(path).parent_path());
      write_png({.count = 1,
                 .height = 4,
                 .width = 4,
                 .channels = 1,
                 .pixels = std::vector<std::uint8_t>(16, static_cast<std::uint8_t>(9 * i))},
                path);
    }
  }
  std::string picture(int i) const {
    return folder_.file((i % 2 == 0 ? "pictures/cats/" : "pictures/dogs/") + std::to_string(i) +
                        ".png");
  }
  TrainingOptions picture_options(std::int64_t steps) const {
    TrainingOptions o = test::tiny_options(folder_, "model", steps);
    o.images = folder_.file("pictures");
    o.labels.clear();
    o.class_names.clear();
    o.size = 4;
    return o;
  }
  test::TemporaryFolder folder_;
};

TEST_F(PictureTraining, KeepsTheStepsBeforeAPictureThatCannotBeRead) {
  // Of 300 pictures every third is looked at before the first step; the broken one is met on the
  // way.
  const auto write = [&](int i) {
    write_png({.count = 1,
               .height = 4,
               .width = 4,
               .channels = 1,
               .pixels = std::vector<std::uint8_t>(16, 200)},
              folder_.file("pictures/cats/" + std::to_string(1000 + i) + ".png"));
  };
  for (int i = 0; i < 280; ++i) write(i);
  test::write_content(folder_.file("pictures/cats/1005.png"), "no picture");
  TrainingOptions o = picture_options(40);
  std::int64_t steps = 0;
  EXPECT_THAT(message_of<ModelError>([&] {
                train(o, [&](const TrainingProgress& p) {
                  steps = p.step;
                  return true;
                });
              }),
              HasSubstr("1005.png: must be a PNG or JPEG image"));
  ASSERT_GT(steps, 0);
  EXPECT_THAT(read_model(o.model).training, HasSubstr("\"steps_done\":" + std::to_string(steps)));
  write(5);
  o.start = Start::Resume;
  EXPECT_EQ(train(o).steps, 40);
}

TEST_F(PictureTraining, RefusesClassNamesOfOtherSubFolders) {
  TrainingOptions o = picture_options(2);
  o.class_names = {"dogs", "cats"};
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(o); }),
              HasSubstr("class_names: must be those of the sub-folders in their order, \"cats\" at "
                        "place 0, but have \"dogs\" there"));
}

TEST_F(PictureTraining, GivesANetworkWithoutLabelsNoClassNames) {
  TrainingOptions o = picture_options(1);
  o.network =
      R"({"kind": "uvit", "image_size": 4, "channels": 1, "patch_size": 2, "width": 8, "depth": 2, "heads": 2})";
  train(o);
  EXPECT_TRUE(read_model(o.model).class_names.empty());
}

}  // namespace
}  // namespace adadiff::detail
