#include "io/atomic_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "io/test_files.h"
#include "io/text_file.h"

namespace adadiff::detail {
namespace {

using testing::AllOf;
using testing::HasSubstr;

unsigned mode_of(const std::string& path) {
  struct stat status = {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

TEST(AtomicFile, ReplacesTheTargetOnCommit) {
  const TestFolder folder;
  put(folder / "a", "old");
  AtomicFile file(folder / "a");
  file.write("new ");
  file.write("content");
  EXPECT_EQ(get(folder / "a"), "old");
  file.commit();
  EXPECT_EQ(get(folder / "a"), "new content");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, LeavesTheTargetAndNothingElseWithoutCommit) {
  const TestFolder folder;
  put(folder / "a", "old");
  { AtomicFile(folder / "a").write("new"); }
  EXPECT_EQ(get(folder / "a"), "old");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, LeavesNothingWhenTheProcessIsKilledMeanwhile) {
  const TestFolder folder;
  const FileDescriptor unnamed(
      ::open((folder / ".").c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
  if (!unnamed.is_open()) GTEST_SKIP() << "this file system has no unnamed files";
  put(folder / "a", "old");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AtomicFile file(folder / "a");
    file.write("new");
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(get(folder / "a"), "old");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, NewFilesHaveThePermissionsOfTheUmask) {
  const TestFolder folder;
  const mode_t before = ::umask(027);
  write_text(folder / "a", "x");
  ::umask(before);
  EXPECT_EQ(mode_of(folder / "a"), 0640u);
}

TEST(AtomicFile, KeepsThePermissionsOfAnExistingFile) {
  const TestFolder folder;
  put(folder / "a", "old");
  ::chmod((folder / "a").c_str(), 0604);
  write_text(folder / "a", "new");
  EXPECT_EQ(mode_of(folder / "a"), 0604u);
}

TEST(AtomicFile, WritesThroughALinkToItsFile) {
  const TestFolder folder;
  std::filesystem::create_directory(folder / "sub");
  put(folder / "sub/real", "old");
  std::filesystem::create_symlink("sub/real", folder / "link");
  write_text(folder / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(get(folder / "sub/real"), "new");
}

TEST(AtomicFile, CreatesTheFileThatADanglingLinkNames) {
  const TestFolder folder;
  std::filesystem::create_symlink("real", folder / "link");
  write_text(folder / "link", "new");
  EXPECT_EQ(get(folder / "real"), "new");
}

TEST(AtomicFile, RefusesLinksInACircle) {
  const TestFolder folder;
  std::filesystem::create_symlink("b", folder / "a");
  std::filesystem::create_symlink("a", folder / "b");
  EXPECT_THAT(message_of<FileError>([&] { write_text(folder / "a", "x"); }),
              HasSubstr("opening it failed: Too many levels of symbolic links"));
}

TEST(AtomicFile, WritesStraightIntoAPipe) {
  const TestFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = get(folder / "pipe"); });
  write_text(folder / "pipe", "through");
  reader.join();
  EXPECT_EQ(read, "through");
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
}

TEST(AtomicFile, WritesIntoAPipeThatHasNoPath) {
  int ends[2] = {};
  ASSERT_EQ(::pipe(ends), 0);
  write_text("/dev/fd/" + std::to_string(ends[1]), "through");
  char read[8] = {};
  EXPECT_EQ(::read(ends[0], read, sizeof read), 7);
  EXPECT_STREQ(read, "through");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(AtomicFile, WritesIntoTheNullDevice) {
  write_text("/dev/null", "gone");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(AtomicFile, ReportsAFullDisk) {
  EXPECT_THAT(message_of<FileError>([] { write_text("/dev/full", "x"); }),
              HasSubstr("/dev/full: must be writable, but writing failed: No space left on device; "
                        "make room there"));
}

TEST(AtomicFile, ReportsAMissingFolder) {
  const TestFolder folder;
  EXPECT_THAT(
      message_of<FileError>([&] { write_text(folder / "no/a", "x"); }),
      AllOf(HasSubstr("no/a: must be writable, but creating a temporary file beside it failed"),
            HasSubstr("No such file")));
}

TEST(AtomicFile, ReportsAFileInPlaceOfAFolder) {
  const TestFolder folder;
  put(folder / "a", "");
  EXPECT_THAT(message_of<FileError>([&] { write_text(folder / "a/b", "x"); }),
              HasSubstr("opening it failed: Not a directory"));
}

TEST(AtomicFile, RefusesAFolderAsTarget) {
  const TestFolder folder;
  EXPECT_THAT(message_of<FileError>([&] { write_text(folder / ".", "x"); }),
              HasSubstr("must be a file, but is a folder"));
}

TEST(AtomicFile, ReportsATargetThatBecameAFolder) {
  const TestFolder folder;
  AtomicFile file(folder / "a");
  std::filesystem::create_directory(folder / "a");
  EXPECT_THAT(message_of<FileError>([&] { file.commit(); }),
              HasSubstr("renaming its temporary file failed: Is a directory"));
}

TEST(AtomicFile, WritesUnderTheLongestName) {
  const TestFolder folder;
  const std::string longest(255, 'x');
  write_text(folder / longest, "content");
  EXPECT_EQ(get(folder / longest), "content");
}

TEST(AtomicFile, RefusesAnEmptyName) { EXPECT_THROW(write_text("", "x"), FileError); }

TEST(TextFile, ReadsWhatWasWritten) {
  const TestFolder folder;
  const std::string text(200'000, 'x');
  write_text(folder / "a", text);
  EXPECT_EQ(read_text(folder / "a"), text);
}

TEST(TextFile, ReadsAnEmptyFile) {
  const TestFolder folder;
  write_text(folder / "a", "");
  EXPECT_EQ(read_text(folder / "a"), "");
}

TEST(TextFile, RefusesMoreThanItsBound) {
  const TestFolder folder;
  write_text(folder / "a", "12345");
  EXPECT_EQ(read_text(folder / "a", 5), "12345");
  EXPECT_THAT(message_of<FileError>([&] { read_text(folder / "a", 4); }),
              HasSubstr("must have at most 4 bytes, but is longer"));
  EXPECT_THROW(read_text("/dev/zero", 1000), FileError);
}

TEST(TextFile, NamesAMissingFile) {
  EXPECT_THAT(message_of<FileError>([] { read_text("/nowhere/a"); }),
              HasSubstr("/nowhere/a: must be readable, but opening it failed"));
}

TEST(TextFile, RefusesAFolder) {
  EXPECT_THAT(message_of<FileError>([] { read_text("/tmp"); }),
              HasSubstr("reading failed: Is a directory"));
}

}  // namespace
}  // namespace adadiff::detail
