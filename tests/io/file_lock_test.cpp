// One writer at a time.
#include "io/file_lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include <gmock/gmock.h>

#include <adadiff/error.h>

#include "io/test_files.h"

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(FileLock, RefusesASecondHolder) {
  const TestFolder folder;
  const FileLock first(folder / "model", "training");
  EXPECT_THAT([&] { FileLock(folder / "model", "training"); },
              ThrowsMessage<FileError>(HasSubstr(
                  "model: must be written by one training at a time, but another one is at work")));
  EXPECT_NO_THROW(FileLock(folder / "other", "training"));
}

TEST(FileLock, GoesAwayWithItsHolder) {
  const TestFolder folder;
  {
    const FileLock lock(folder / "model", "training");
    EXPECT_TRUE(std::filesystem::exists(folder / "model.lock"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "model.lock"));
  EXPECT_NO_THROW(FileLock(folder / "model", "training"));
}

TEST(FileLock, IsTakenOverFromAProcessThatWasKilled) {
  const TestFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    std::optional<FileLock> lock(std::in_place, folder / "model", "training");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(std::filesystem::exists(folder / "model.lock"));
  EXPECT_NO_THROW(FileLock(folder / "model", "training"));
}

TEST(FileLock, HoldsNothingOfWhatIsNoRegularFile) {
  EXPECT_NO_THROW({
    const FileLock first("/dev/null", "training");
    const FileLock second("/dev/null", "training");
  });
  EXPECT_FALSE(std::filesystem::exists("/dev/null.lock"));
}

TEST(FileLock, NamesAFolderThatIsNotThere) {
  EXPECT_THAT([] { FileLock("/nowhere/model", "training"); },
              ThrowsMessage<FileError>(HasSubstr("/nowhere/model: must be writable")));
}

}  // namespace
}  // namespace adadiff::detail
