// Archives that NumPy wrote (tests/golden/record_npz.py), our own, and damaged ones.
#include "metrics/npz.h"

#include <cmath>

#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "metrics/statistics_file.h"
#include "support/evaluation_files.h"

namespace adadiff::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

const std::string kStatistics = ADADIFF_TEST_DATA "/statistics.npz",
                  kImages = ADADIFF_TEST_DATA "/images.npz";

TEST(Npz, ReadsWhatNumPyStored) {
  const NpzFile file(kStatistics);
  EXPECT_TRUE(file.has("mu"));
  EXPECT_FALSE(file.has("nu"));
  EXPECT_THAT(file.numbers("mu", {.dimensions = 1, .most = 3}).values, ElementsAre(1, -2, 0.5));
  const NpzArray<double> feats = file.numbers("feats", {.dimensions = 2, .most = 12});
  EXPECT_THAT(feats.shape, ElementsAre(4, 3));
  EXPECT_EQ(feats.values[11], 11.0 / 8);
  EXPECT_THAT(file.numbers("whole", {.dimensions = 1, .most = 5}).values,
              ElementsAre(0, 1, 2, 3, 4));
}

TEST(Npz, ReadsWhatNumPyCompressed) {
  const NpzArray<std::uint8_t> images = NpzFile(kImages).bytes("arr_0",
                                                               {.dimensions = 4, .most = 1000});
  EXPECT_THAT(images.shape, ElementsAre(2, 4, 5, 3));
  EXPECT_EQ(images.values[119], 119);
}

TEST(Npz, RefusesArraysThatAreNotAsAskedFor) {
  const NpzFile file(kStatistics);
  const auto refuses = [&](const std::string& name, std::size_t dimensions, std::int64_t most,
                           const char* message) {
    EXPECT_THAT([&] { file.numbers(name, {.dimensions = dimensions, .most = most}); },
                ThrowsMessage<ModelError>(HasSubstr(message)))
        << name;
  };
  refuses("mu", 2, 100, "mu: must have 2 dimensions, but has 1");
  refuses("feats", 2, 11, "feats: must hold at most 11 numbers, but says more");
  refuses("half", 2, 100,
          "must hold float64, float32, int64, int32 or uint8, little endian, but holds \"<f2\"");
  refuses("turned", 2, 100, "C order");
  refuses("nu", 1, 100, "nu: must be there and readable");
  EXPECT_THAT([&] { file.bytes("mu", {.dimensions = 1, .most = 100}); },
              ThrowsMessage<ModelError>(HasSubstr("must hold uint8, but holds \"<f8\"")));
}

TEST(Npz, KeepsRowsThatAreSpreadEvenly) {
  const NpzArray<double> kept = NpzFile(kStatistics)
                                    .numbers("feats", {.dimensions = 2, .most = 6, .most_rows = 2});
  const NpzArray<double> all = NpzFile(kStatistics).numbers("feats", {.dimensions = 2, .most = 12});
  EXPECT_THAT(kept.shape, ElementsAre(2, 3));
  EXPECT_THAT(kept.values, ElementsAre(all.values[0], all.values[1], all.values[2], all.values[6],
                                       all.values[7], all.values[8]));
}

TEST(Npz, TellsAShapeWithoutReadingTheNumbers) {
  EXPECT_THAT(NpzFile(kImages).shape("arr_0"), ElementsAre(2, 4, 5, 3));
}

class NpzFiles : public testing::Test {
 protected:
  test::Folder folder_;
};

TEST_F(NpzFiles, ReadBackWhatWasWritten) {
  write_npz(folder_ / "a.npz", {{"x", {{2, 2}, {1, 2, 3, 4}}}, {"y", {{1}, {0.1}}}});
  const NpzFile file(folder_ / "a.npz");
  EXPECT_THAT(file.numbers("x", {.dimensions = 2, .most = 4}).values, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(file.numbers("y", {.dimensions = 1, .most = 4}).values, ElementsAre(0.1));
}

TEST_F(NpzFiles, OfTheSameArraysAreTheSameBytes) {
  for (const char* name : {"a.npz", "b.npz"}) write_npz(folder_ / name, {{"x", {{1}, {5}}}});
  EXPECT_EQ(test::bytes_of(folder_ / "a.npz"), test::bytes_of(folder_ / "b.npz"));
}

TEST_F(NpzFiles, RefuseValuesThatDoNotFitTheirShape) {
  EXPECT_THROW(write_npz(folder_ / "a.npz", {{"x", {{3}, {5}}}}), InvalidArgument);
}

TEST_F(NpzFiles, OfOtherKindsAreNamed) {
  EXPECT_THAT([&] { NpzFile(folder_ / "none"); },
              ThrowsMessage<FileError>(HasSubstr("none: must be a .npz file, but is no file")));
  test::write_bytes(folder_ / "text", "no archive at all");
  EXPECT_THAT([&] { NpzFile(folder_ / "text"); },
              ThrowsMessage<ModelError>(HasSubstr("text: must be a .npz file, but is none")));
}

TEST_F(NpzFiles, ThatAreDamagedNeverReadAsWhole) {
  const std::string whole = test::bytes_of(kStatistics);
  const Reference intact = read_reference(kStatistics);
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    test::write_bytes(folder_ / "cut.npz", whole.substr(0, length));
    EXPECT_THROW(NpzFile(folder_ / "cut.npz"), Error) << length;
  }
  for (std::size_t place = 0; place < whole.size(); ++place) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x55);
    test::write_bytes(folder_ / "damaged.npz", damaged);
    try {
      const Reference read = read_reference(folder_ / "damaged.npz");
      // Damage to a name hides an array, damage to a date nothing; what is there is as it was.
      if (read.statistics) {
        EXPECT_EQ(read.statistics->mean, intact.statistics->mean) << place;
        EXPECT_EQ(read.statistics->covariance, intact.statistics->covariance) << place;
      }
      if (read.features) {
        EXPECT_EQ(*read.features, *intact.features) << place;
      }
    } catch (const Error&) {
    }
  }
}

TEST(ReferenceFile, GivesStatisticsAndFeatures) {
  const Reference reference = read_reference(kStatistics);
  ASSERT_TRUE(reference.statistics && reference.features);
  EXPECT_EQ(reference.statistics->mean(1), -2);
  EXPECT_EQ(reference.statistics->covariance(1, 2), -0.25);
  EXPECT_EQ(reference.features->rows(), 4);
  EXPECT_EQ((*reference.features)(3, 2), 11.0 / 8);
}

TEST(ReferenceFile, GivesImages) {
  const Reference reference = read_reference(kImages);
  ASSERT_TRUE(reference.images.has_value());
  EXPECT_EQ(reference.images->height, 4);
  EXPECT_EQ(reference.images->channels, 3);
  EXPECT_EQ(reference.images->pixels.size(), 120);
}

TEST_F(NpzFiles, KeepAReference) {
  const Reference reference = read_reference(kStatistics);
  write_reference(folder_ / "r.npz", reference);
  const Reference again = read_reference(folder_ / "r.npz");
  EXPECT_EQ(again.statistics->covariance, reference.statistics->covariance);
  EXPECT_EQ(*again.features, *reference.features);
}

Reference with_texture(std::int64_t rows) {
  Reference reference = read_reference(kStatistics);
  reference.texture = ReferenceTexture{Features::Zero(rows, 5), 2, 3, 1};
  for (Eigen::Index row = 0; row < rows; ++row)
    reference.texture->features(row, 0) = static_cast<double>(row);
  return reference;
}

TEST_F(NpzFiles, KeepTheTextureOfAReference) {
  write_reference(folder_ / "r.npz", with_texture(4));
  const Reference again = read_reference(folder_ / "r.npz", {.dimensions = 3});
  ASSERT_TRUE(again.texture);
  EXPECT_EQ(again.texture->features, with_texture(4).texture->features);
  EXPECT_THAT((std::vector{again.texture->height, again.texture->width, again.texture->channels}),
              ElementsAre(2, 3, 1));
}

TEST_F(NpzFiles, GiveAtMostSoManySamplesOfTexture) {
  write_reference(folder_ / "r.npz", with_texture(4));
  const Features kept = read_reference(folder_ / "r.npz", {.most_samples = 2}).texture->features;
  EXPECT_THAT((std::vector<double>(kept.col(0).begin(), kept.col(0).end())), ElementsAre(0, 2));
}

TEST(ReferenceFile, OfOldHasNoTexture) { EXPECT_FALSE(read_reference(kStatistics).texture); }

TEST_F(NpzFiles, HaveNoTextureUnlessItsShapeIsThereToo) {
  write_npz(folder_ / "a.npz",
            {{"features", {{2, 1}, {1, 2}}}, {"texture", {{2, 5}, std::vector<double>(10)}}});
  EXPECT_FALSE(read_reference(folder_ / "a.npz").texture);
  write_npz(folder_ / "a.npz",
            {{"features", {{2, 1}, {1, 2}}}, {"texture_shape", {{3}, {2, 3, 1}}}});
  EXPECT_FALSE(read_reference(folder_ / "a.npz").texture);
}

TEST_F(NpzFiles, RefuseTextureThatDoesNotFitItsShape) {
  const auto reading = [&](const std::vector<double>& shape, double value) {
    write_npz(folder_ / "a.npz", {{"features", {{1, 1}, {1}}},
                                  {"texture", {{1, 5}, {value, 0, 0, 0, 0}}},
                                  {"texture_shape", {{std::ssize(shape)}, shape}}});
    return [&] { read_reference(folder_ / "a.npz"); };
  };
  const char* no_shape =
      "a.npz: texture_shape: must be a height, a width and a number of channels, but is something "
      "else";
  for (const std::vector<double>& shape :
       {std::vector<double>{2, 3}, {0, 3, 1}, {2.5, 3, 1}, {2, 1e18, 1}, {2, NAN, 1}}) {
    EXPECT_THAT(reading(shape, 0), ThrowsMessage<ModelError>(HasSubstr(no_shape)));
  }
  EXPECT_THAT(reading({28, 28, 1}, 0), ThrowsMessage<ModelError>(HasSubstr(
                                           "a.npz: texture: must be [N, 18] for images of 28 x 28, "
                                           "but is [N, 5]; save the reference anew")));
  EXPECT_THAT(reading({2, 3, 1}, NAN),
              ThrowsMessage<ModelError>(HasSubstr("a.npz: texture: must hold finite numbers")));
}

TEST(ReferenceFile, OfAnotherNetworkIsRefusedBeforeItIsRead) {
  EXPECT_THAT(
      [] { read_reference(kStatistics, {.dimensions = 5, .network = "inception"}); },
      ThrowsMessage<ModelError>(HasSubstr(
          "must hold features of 5 numbers, as inception gives, but holds 3; name the network")));
}

TEST_F(NpzFiles, WithStatisticsOfAnotherNetworkBesideImagesGiveTheImages) {
  write_npz(folder_ / "a.npz", {{"mu", {{2}, {1, 2}}}, {"sigma", {{2, 2}, {1, 0, 0, 1}}}});
  EXPECT_TRUE(read_reference(folder_ / "a.npz", {.dimensions = 2}).statistics);
  EXPECT_EQ(read_reference(kImages, {.dimensions = 7}).images->count, 2);
}

TEST(ReferenceFile, GivesAtMostSoManySamples) {
  EXPECT_EQ(read_reference(kStatistics, {.most_samples = 3}).features->rows(), 3);
  EXPECT_EQ(read_reference(kImages, {.most_samples = 1}).images->count, 1);
}

TEST_F(NpzFiles, RefuseFeaturesThatAreNotFinite) {
  write_npz(folder_ / "a.npz", {{"features", {{2, 1}, {1, NAN}}}});
  EXPECT_THAT([&] { read_reference(folder_ / "a.npz"); },
              ThrowsMessage<ModelError>(HasSubstr(
                  "a.npz: features: must hold finite numbers, but holds NaN or infinity")));
}

TEST_F(NpzFiles, RefuseReferencesThatDoNotFitOrAreNone) {
  write_npz(folder_ / "a.npz", {{"mu", {{2}, {1, 2}}}, {"sigma", {{1, 1}, {1}}}});
  EXPECT_THAT([&] { read_reference(folder_ / "a.npz"); },
              ThrowsMessage<ModelError>(
                  HasSubstr("sigma: must be [D, D] for mu [D], but is [1, 1] for [2]")));
  write_npz(folder_ / "b.npz", {{"other", {{1}, {1}}}});
  EXPECT_THAT(
      [&] { read_reference(folder_ / "b.npz"); },
      ThrowsMessage<ModelError>(HasSubstr(
          "must hold mu and sigma, features, feats, reps or arr_0, but holds none of them")));
}

}  // namespace
}  // namespace adadiff::detail
