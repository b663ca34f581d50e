// open() gives the smallest free number, so the streams are looked at in order.
#include "cli/terminal/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace adadiff::cli {

void reserve_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (::fcntl(stream, F_GETFD) != -1) continue;
    // The wrong way round: reading or writing still fails, as it does with a closed stream.
    const int opened = ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (opened != stream) return;
  }
}

}  // namespace adadiff::cli
