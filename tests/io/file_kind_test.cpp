#include "io/file_kind.h"

#include <gmock/gmock.h>

#include <adadiff/image.h>

#include "io/idx.h"
#include "io/json_reader.h"
#include "io/npy_header.h"
#include "io/safetensors.h"
#include "io/test_files.h"

namespace adadiff::detail {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kLfsPointer =
    "version https://git-lfs.github.com/spec/v1\noid "
    "sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string name_of_kind(const std::string& content) {
  const auto kind = kind_of(bytes_of(content));
  return kind ? kind->name : "unknown";
}

TEST(FileKind, IsToldByTheFirstBytes) {
  EXPECT_EQ(name_of_kind(kLfsPointer), "a Git LFS pointer");
  EXPECT_EQ(name_of_kind("/annex/objects/SHA256E-s1--a.png\n"), "a git-annex pointer");
  EXPECT_EQ(name_of_kind("\x89PNG\r\n\x1a\n and more"), "a PNG image");
  EXPECT_EQ(name_of_kind("RIFF....WEBPVP8 "), "a WebP image");
  EXPECT_EQ(name_of_kind("\x80\x02}q\x01"), "a Python pickle, as old PyTorch checkpoints are");
  EXPECT_EQ(name_of_kind(std::string(257, 'x') + "ustar"), "a tar archive");
  EXPECT_EQ(name_of_kind(""), "empty");
}

TEST(FileKind, OfTextLooksBehindSpaceAndAtBothCases) {
  EXPECT_EQ(name_of_kind("\n <!DOCTYPE html>"), "a web page");
  EXPECT_EQ(name_of_kind("<HTML>"), "a web page");
  EXPECT_EQ(name_of_kind("  {\"a\": 1}"), "JSON text");
}

TEST(FileKind, OfAFileThatHoldsOnlyZerosIsAnUnfinishedCopy) {
  EXPECT_THAT(name_of_kind(std::string(600, '\0')), HasSubstr("zero bytes"));
  EXPECT_EQ(name_of_kind(std::string(4, '\0')), "unknown");
}

TEST(FileKind, IsUnknownForOtherBytes) {
  EXPECT_EQ(name_of_kind("\x10\x20\x30 whatever"), "unknown");
}

TEST(FileKind, LeavesTheComplaintOfADamagedFileOfTheReadersOwn) {
  const Complaint complaint{"f.npz", "be a .npz file", "is damaged"};
  EXPECT_EQ(with_kind(complaint, bytes_of("PK\x03\x04 cut"), {"PK"}).found, "is damaged");
  EXPECT_THAT(with_kind(complaint, bytes_of("PK\x03\x04 cut")).found, HasSubstr("a ZIP archive"));
}

/// Every reader, given a file of another kind, names the kind and says what to do.
void expect_told(const std::string& message) {
  EXPECT_THAT(message, HasSubstr("is a Git LFS pointer; run `git lfs pull`"));
}

TEST(FileKind, IsNamedByEveryReader) {
  const TestFolder folder;
  put(folder / "f", kLfsPointer);
  expect_told(message_of<ModelError>([] { parse_safetensors(bytes_of(kLfsPointer), "f"); }));
  expect_told(message_of<ModelError>([] { parse_npy_header(bytes_of(kLfsPointer), "f"); }));
  expect_told(message_of<ModelError>([&] { read_idx(folder / "f", 1000); }));
  expect_told(message_of<ModelError>([&] { read_image(folder / "f"); }));
  expect_told(message_of<InvalidArgument>([] { JsonReader(kLfsPointer, "f", {}); }));
}

TEST(FileKind, OfCheckpointsComesWithTheWayFromPyTorch) {
  for (const char* start : {"PK\x03\x04 and more", "\x80\x02}q and more"}) {
    const std::string content = start;
    EXPECT_THAT(message_of<ModelError>([&] { parse_safetensors(bytes_of(content), "f"); }),
                HasSubstr("adadiff convert"));
    EXPECT_THAT(message_of<ModelError>([&] { parse_npy_header(bytes_of(content), "f"); }),
                Not(HasSubstr("adadiff convert")));
  }
}

TEST(FileKind, OfOtherFilesIsNamedWhateverLengthTheyBeginWith) {
  std::string gzip("\x1f\x8b\x08\0\0\0\0\0\0\3", 10);  // as a length: 559,903
  gzip.resize(600'000, 'x');
  EXPECT_THAT(message_of<ModelError>([&] { parse_safetensors(bytes_of(gzip), "f"); }),
              HasSubstr("is compressed by gzip"));
  EXPECT_THAT(
      message_of<ModelError>([&] { parse_safetensors(bytes_of(std::string(600, '\0')), "f"); }),
      HasSubstr("is zero bytes"));
}

// 640 as a length has the bytes of a pickle's start.
TEST(FileKind, IsNotNamedWhereASafetensorsFileIsCutShort) {
  const std::string cut = std::string("\x80\x02\0\0\0\0\0\0", 8) + "{\"a\":";
  EXPECT_THAT(message_of<ModelError>([&] { parse_safetensors(bytes_of(cut), "f"); }),
              HasSubstr("the file seems to be cut short"));
}

TEST(FileKind, IsNotNamedWhereJsonIsDamagedBehindSpace) {
  EXPECT_THAT(message_of<InvalidArgument>([] { JsonReader("\n {\"a\": 0.3, }", "f", {}); }),
              HasSubstr("must be JSON, but is not: "));
}

TEST(FileKind, IsNotNamedWhereJsonIsDamaged) {
  EXPECT_THAT(message_of<InvalidArgument>([] { JsonReader("{\"a\": ", "f", {}); }),
              AllOf(HasSubstr("must be JSON"), Not(HasSubstr("is JSON text"))));
}

TEST(FileKind, IsNotNamedWhereAPictureIsDamaged) {
  const TestFolder folder;
  put(folder / "f", "\x89PNG\r\n\x1a\n");
  EXPECT_THAT(message_of<ModelError>([&] { read_image(folder / "f"); }),
              AllOf(HasSubstr("must be an undamaged image"), Not(HasSubstr("is a PNG image"))));
}

}  // namespace
}  // namespace adadiff::detail
