// A file's bytes as memory; the system reads them when they are touched.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace adadiff::detail {

/// A read-only view of a regular file. The file must not shrink while it is mapped, since the
/// system ends a process that reads beyond the end of the file. AtomicFile never shrinks a file in
/// place.
class MappedFile {
 public:
  /// Throws FileError, also for folders, pipes and devices.
  explicit MappedFile(std::string path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::span<const std::byte> bytes_;
};

}  // namespace adadiff::detail
