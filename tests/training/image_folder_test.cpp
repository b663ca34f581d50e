// Folders of pictures as training images.
#include "training/image_folder.h"

#include <gmock/gmock.h>

#include <filesystem>

#include <ATen/Parallel.h>

#include <adadiff/image.h>

#include "training/temporary_folder.h"

namespace adadiff::detail {
namespace {

using test::message_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class ImageFolders : public testing::Test {
 protected:
  void write(const std::string& name, std::vector<std::uint8_t> pixels,
             std::int64_t channels = 1) const {
    const std::string path = folder_.file(name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    const std::int64_t width = std::ssize(pixels) / channels;
    write_png({.count = 1,
               .height = 1,
               .width = width,
               .channels = channels,
               .pixels = std::move(pixels)},
              path);
  }
  std::string root() const { return folder_.file("."); }
  std::unique_ptr<ImageSource> open(std::int64_t channels = 0) const {
    return open_image_folder(root(), {.channels = channels, .height = 1, .width = 1});
  }
  static std::vector<std::uint8_t> read(const ImageSource& source, std::int64_t index) {
    std::vector<std::uint8_t> planes(static_cast<std::size_t>(source.values()));
    source.read(index, planes);
    return planes;
  }

  test::TemporaryFolder folder_;
};

TEST_F(ImageFolders, SubFoldersAreClassesInTheOrderOfTheirNames) {
  write("shoes/b.png", {3});
  write("bags/z.png", {2});
  write("bags/a.PNG", {1});
  const auto source = open();
  EXPECT_EQ(source->count, 3);
  EXPECT_EQ(source->classes, 2);
  EXPECT_THAT(source->class_names, ElementsAre("bags", "shoes"));
  for (const std::int64_t i : {0, 1, 2}) EXPECT_THAT(read(*source, i), ElementsAre(i + 1));
  EXPECT_EQ(source->label(1), 0);
  EXPECT_EQ(source->label(2), 1);
}

TEST_F(ImageFolders, PicturesRightInTheFolderHaveNoLabels) {
  write("1.png", {7});
  const auto source = open();
  EXPECT_EQ(source->classes, 0);
  EXPECT_EQ(source->label(0), -1);
}

TEST_F(ImageFolders, TellWhatIsDoneToTheirPictures) {
  write("1.png", {7});
  write("2.png", {1, 2, 3}, 3);  // one pixel in colour
  write("3.png", {7, 8});        // twice as wide
  test::write_content(folder_.file("4.png"), "no picture");
  const PictureSurvey survey = open(1)->survey();
  EXPECT_EQ(survey.looked_at, 3);
  EXPECT_EQ(survey.recoloured, 1);
  EXPECT_EQ(survey.cropped, 1);
  EXPECT_EQ(survey.turned, 0);
  EXPECT_EQ(survey.transparent, 0);
}

TEST_F(ImageFolders, OtherFilesHiddenOnesAndEmptyFoldersAreLeftAlone) {
  write("cats/1.png", {7});
  write("cats/.2.png", {8});
  write(".thumbnails/1.png", {9});
  test::write_content(folder_.file("cats/notes.txt"), "no picture");
  std::filesystem::create_directory(folder_.file("empty"));
  const auto source = open();
  EXPECT_EQ(source->count, 1);
  EXPECT_EQ(source->ignored, 1);
  EXPECT_THAT(source->class_names, ElementsAre("cats"));
}

TEST_F(ImageFolders, HaveNoLabelsWhereNoneAreWanted) {
  write("bags/1.png", {1});
  write("shoes/1.png", {2});
  const auto source = open_image_folder(root(), {.height = 1, .width = 1}, Labels::None);
  EXPECT_EQ(source->count, 2);
  EXPECT_EQ(source->classes, 0);
  EXPECT_THAT(source->class_names, ElementsAre());
  EXPECT_EQ(source->label(1), -1);
}

TEST_F(ImageFolders, AreToldByTheNamesOfTheirPictures) {
  write("one/cats/1.png", {1});
  write("two/cats/1.png", {2});
  const auto fingerprint = [&](const std::string& name) {
    return open_image_folder(folder_.file(name), {.height = 1, .width = 1})->fingerprint;
  };
  EXPECT_EQ(fingerprint("one"), fingerprint("two"));
  const std::uint64_t before = fingerprint("two");
  write("two/cats/2.png", {3});
  EXPECT_NE(fingerprint("two"), before);
  std::filesystem::rename(folder_.file("two/cats"), folder_.file("two/dogs"));
  std::filesystem::remove(folder_.file("two/dogs/2.png"));
  EXPECT_NE(fingerprint("two"), before);
}

TEST_F(ImageFolders, DeeperFoldersBelongToTheClassAboveThem) {
  write("cats/at home/tabby/1.png", {3});
  write("cats/1.png", {1});
  write("cats/at home/1.png", {2});
  write("dogs/outside/1.png", {4});
  const auto source = open();
  EXPECT_THAT(source->class_names, ElementsAre("cats", "dogs"));
  for (const std::int64_t i : {0, 1, 2, 3}) {
    EXPECT_THAT(read(*source, i), ElementsAre(i + 1));
    EXPECT_EQ(source->label(i), i < 3 ? 0 : 1);
  }
}

TEST_F(ImageFolders, LinksThatLeadBackUpAreNotFollowed) {
  write("cats/1.png", {1});
  std::filesystem::create_directory_symlink(folder_.file("cats"), folder_.file("cats/again"));
  EXPECT_EQ(open()->count, 1);
}

TEST_F(ImageFolders, APictureIsDecodedOnce) {
  write("1.png", {5});
  const auto source = open();
  EXPECT_THAT(read(*source, 0), ElementsAre(5));
  std::filesystem::remove(folder_.file("1.png"));
  EXPECT_THAT(read(*source, 0), ElementsAre(5));
}

TEST_F(ImageFolders, SeveralPicturesAtOnceAreThoseOneByOne) {
  std::vector<std::int64_t> indices;
  for (int i = 0; i < 20; ++i) {
    write(std::to_string(100 + i) + ".png", {static_cast<std::uint8_t>(i)});
    indices.push_back(19 - i);
  }
  indices.push_back(19);  // twice
  at::set_num_threads(4);
  const auto source = open();
  read(*source, 7);
  std::vector<std::uint8_t> planes(indices.size());
  source->read_all(indices, planes);
  for (std::size_t i = 0; i < indices.size(); ++i) EXPECT_EQ(planes[i], indices[i]);
}

TEST_F(ImageFolders, TheFirstOfSeveralBrokenPicturesIsNamed) {
  for (int i = 0; i < 9; ++i)
    test::write_content(folder_.file(std::to_string(i) + ".png"), "no picture");
  const auto source = open(1);
  const std::vector<std::int64_t> indices{4, 2, 7};
  std::vector<std::uint8_t> planes(3);
  EXPECT_THAT(message_of<ModelError>([&] { source->read_all(indices, planes); }),
              HasSubstr("4.png"));
}

TEST_F(ImageFolders, NamesThatNoModelFileHoldsAreRefused) {
  std::string name;
  name.resize(201, 'x');
  write(name + "/1.png", {1});
  EXPECT_THAT(message_of<FileError>([&] { open(); }),
              HasSubstr("must have a name of at most 200 bytes, but has 201; rename it"));
  EXPECT_EQ(open_image_folder(root(), {.height = 1, .width = 1}, Labels::None)->count, 1);
  std::filesystem::remove_all(folder_.file(name));
  write("caf\xE9/1.png", {1});
  EXPECT_THAT(message_of<FileError>([&] { open(); }),
              HasSubstr("must have a name in UTF-8, but has not; rename it"));
}

TEST_F(ImageFolders, ManyLargePicturesAreNotKept) {
  for (int i = 0; i < 30; ++i) write(std::to_string(i) + ".png", {5});
  const auto source = open_image_folder(
      root(), {.channels = 3, .height = 4096, .width = 4096});  // 30 x 48 MiB
  read(*source, 0);
  std::filesystem::remove(folder_.file("0.png"));
  EXPECT_THAT(message_of<FileError>([&] { read(*source, 0); }), HasSubstr("0.png"));
}

TEST_F(ImageFolders, ColourIsThatOfTheFirstPictureUnlessAskedFor) {
  write("1.png", {10, 20, 30}, 3);
  write("2.png", {40});
  const auto colour = open();
  EXPECT_EQ(colour->channels, 3);
  EXPECT_THAT(read(*colour, 0), ElementsAre(10, 20, 30));
  EXPECT_THAT(read(*colour, 1), ElementsAre(40, 40, 40));
  EXPECT_EQ(open(1)->channels, 1);
}

TEST_F(ImageFolders, PlanesOfColourComeOneAfterTheOther) {
  write("1.png", {1, 2, 3, 4, 5, 6}, 3);
  const auto source = open_image_folder(root(), {.height = 1, .width = 2});
  EXPECT_THAT(read(*source, 0), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST_F(ImageFolders, PicturesAreCroppedAroundTheirCentre) {
  write("1.png", {1, 2, 3});
  EXPECT_THAT(read(*open(), 0), ElementsAre(2));
}

TEST_F(ImageFolders, AreRefusedWithoutPicturesAndWithBothKinds) {
  EXPECT_THAT(message_of<FileError>([&] { open(); }),
              HasSubstr("must hold PNG or JPEG files, or folders of them, but holds none"));
  write("1.png", {1});
  write("cats/1.png", {1});
  EXPECT_THAT(
      message_of<FileError>([&] { open(); }),
      HasSubstr("must hold pictures or folders of pictures, one per class, but holds both"));
}

TEST_F(ImageFolders, AreRefusedWhereThereIsNone) {
  EXPECT_THAT(message_of<FileError>(
                  [&] { open_image_folder(folder_.file("none"), {.height = 1, .width = 1}); }),
              HasSubstr("none: must be a folder that can be read"));
}

TEST_F(ImageFolders, APictureThatVanishesOrIsNoneIsNamed) {
  write("1.png", {1});
  write("2.png", {1});
  const auto source = open();
  std::filesystem::remove(folder_.file("1.png"));
  EXPECT_THAT(message_of<FileError>([&] { read(*source, 0); }),
              AllOf(HasSubstr("1.png"),
                    HasSubstr("; remove it, or put a picture of this name in its place")));
  test::write_content(folder_.file("2.png"), "no picture");
  EXPECT_THAT(message_of<ModelError>([&] { read(*source, 1); }), HasSubstr("2.png"));
}

}  // namespace
}  // namespace adadiff::detail
