// The line about the images of a training.
#include "cli/found_images.h"

#include <gtest/gtest.h>

namespace adadiff::cli {
namespace {

TEST(FoundImages, TellsShapeAndClasses) {
  EXPECT_EQ(describe({.count = 60000, .channels = 1, .height = 28, .width = 28, .classes = 10}),
            "60000 images as 1 x 28 x 28, 10 classes");
  EXPECT_EQ(describe({.count = 1, .channels = 3, .height = 8, .width = 8}),
            "1 image as 3 x 8 x 8, no classes");
}

TEST(FoundImages, NamesLabelsThatNoImageHas) {
  EXPECT_EQ(describe({.count = 9,
                      .channels = 1,
                      .height = 8,
                      .width = 8,
                      .classes = 27,
                      .unseen_labels = {0}}),
            "9 images as 1 x 8 x 8, 27 classes; no image has the label 0: labels count from 0");
  EXPECT_EQ(
      describe({.count = 9,
                .channels = 1,
                .height = 8,
                .width = 8,
                .classes = 20,
                .unseen_labels = {2, 3, 4, 5, 6, 7, 8, 9, 10}}),
      "9 images as 1 x 8 x 8, 20 classes; no image has the labels 2, 3, 4, 5, 6, 7, 8, 9, ...");
}

TEST(FoundImages, TellsWhatIsDoneToPictures) {
  TrainingImages found{.count = 2000,
                       .channels = 3,
                       .height = 64,
                       .width = 64,
                       .classes = 2,
                       .class_names = {"a", "b"}};
  found.pictures = {
      .looked_at = 1000, .turned = 30, .transparent = 2, .recoloured = 4, .cropped = 990};
  found.ignored = 1;
  EXPECT_EQ(describe(found),
            "2000 pictures as 3 x 64 x 64, 2 classes: a, b; of 1000 looked at, 30 turned as their "
            "cameras say, 990 cropped around their middle, 4 grey, made colour, 2 without their "
            "transparency; left out 1 other file");
}

}  // namespace
}  // namespace adadiff::cli
