// open, fstat, mmap.
#include "io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/check.h"
#include "io/file_descriptor.h"

namespace adadiff::detail {

MappedFile::MappedFile(std::string path) : path_(std::move(path)) {
  const FileDescriptor file(::open(
      path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a pipe without a writer must not block
  if (!file.is_open()) raise_file_error(path_, "be readable", "opening it", errno);
  struct stat status = {};
  if (::fstat(file.number(), &status) != 0)
    raise_file_error(path_, "be readable", "asking for its size", errno);
  if (S_ISDIR(status.st_mode)) raise<FileError>({path_, "be a file", "is a folder"});
  if (!S_ISREG(status.st_mode))
    raise<FileError>({path_, "be a regular file", "is a pipe or a device"});
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return;
  const void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (start == MAP_FAILED) raise_file_error(path_, "be readable", "mapping it into memory", errno);
  bytes_ = {static_cast<const std::byte*>(start), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace adadiff::detail
