// Streams that a caller closed, in a copy of this process.
#include "cli/terminal/standard_streams.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace adadiff::cli {
namespace {

/// What the next file would get as its number once `closed` is closed and the streams are reserved;
/// -1 where writing to the closed one still works.
int next_number_without(int closed) {
  const pid_t child = fork();
  if (child == 0) {
    close(closed);
    reserve_standard_streams();
    const bool fails = closed == STDIN_FILENO || write(closed, "x", 1) < 0;
    _exit(fails ? open("/dev/null", O_RDONLY) : 255);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) != 255 ? WEXITSTATUS(status) : -1;
}

TEST(StandardStreams, KeepTheirNumbersWhenClosed) {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    EXPECT_GT(next_number_without(stream), STDERR_FILENO) << stream;
}

}  // namespace
}  // namespace adadiff::cli
