// Reads in pieces, so that pipes work too and a growing file stays within its bound.
#include "io/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/check.h"
#include "io/atomic_file.h"
#include "io/file_descriptor.h"

namespace adadiff::detail {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 16;

std::size_t read_piece(const FileDescriptor& file, const std::string& path, char* to) {
  ssize_t got = -1;
  do {
    got = ::read(file.number(), to, kPiece);
  } while (got < 0 && errno == EINTR);
  if (got < 0) raise_file_error(path, "be readable", "reading", errno);
  return static_cast<std::size_t>(got);
}

}  // namespace

std::string read_text(const std::string& path, std::size_t most_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) raise_file_error(path, "be readable", "opening it", errno);
  std::string text;
  for (std::size_t got = kPiece; got > 0;) {
    const std::size_t length = text.size();
    text.resize(length + kPiece);
    got = read_piece(file, path, text.data() + length);
    text.resize(length + got);
    if (text.size() > most_bytes)
      raise<FileError>(
          {path, "have at most " + std::to_string(most_bytes) + " bytes", "is longer"});
  }
  return text;
}

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace adadiff::detail
