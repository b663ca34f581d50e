// Closing, and the words of the system's errors.
#include "io/file_descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/check.h"

namespace adadiff::detail {

int FileDescriptor::close() {
  if (number_ < 0) return 0;
  const int result = ::close(std::exchange(number_, -1));
  return result == 0 || errno == EINTR ? 0 : errno;
}

void raise_file_error(const std::string& path, const std::string& must, const std::string& doing,
                      int error_number) {
  const bool is_full = error_number == ENOSPC || error_number == EDQUOT;
  raise<FileError>({path, must, doing + " failed: " + std::generic_category().message(error_number),
                    is_full ? "make room there" : ""});
}

}  // namespace adadiff::detail
