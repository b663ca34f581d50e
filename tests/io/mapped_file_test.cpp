#include "io/mapped_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "io/test_files.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;

TEST(MappedFile, ShowsTheBytes) {
  const TestFolder folder;
  put(folder / "a", "abc");
  const MappedFile file(folder / "a");
  ASSERT_EQ(file.bytes().size(), 3u);
  EXPECT_EQ(file.bytes()[2], std::byte{'c'});
}

TEST(MappedFile, AnEmptyFileHasNoBytes) {
  const TestFolder folder;
  put(folder / "a", "");
  EXPECT_TRUE(MappedFile(folder / "a").bytes().empty());
}

TEST(MappedFile, NamesAMissingFile) {
  EXPECT_THAT(
      message_of<FileError>([] { MappedFile("/nowhere/a"); }),
      HasSubstr("/nowhere/a: must be readable, but opening it failed: No such file or directory"));
}

TEST(MappedFile, RefusesAFolder) {
  EXPECT_THAT(message_of<FileError>([] { MappedFile("/tmp"); }),
              HasSubstr("/tmp: must be a file, but is a folder"));
}

TEST(MappedFile, RefusesAPipeWithoutWaitingForIt) {
  const TestFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(message_of<FileError>([&] { MappedFile(folder / "pipe"); }),
              HasSubstr("must be a regular file, but is a pipe or a device"));
}

}  // namespace
}  // namespace adadiff::detail
