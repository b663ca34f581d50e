// Files that one process writes over a long time, and no other meanwhile.
#pragma once

#include <string>

#include "io/file_descriptor.h"

namespace adadiff::detail {

/// Holds `path` + ".lock" until the end of its scope, when that file goes away. A process that is
/// killed leaves the file behind without its hold, and the next one takes it over. Nothing is held
/// where `path` exists and is no regular file, or where the file system knows no locks.
class FileLock {
 public:
  /// Throws FileError where another FileLock, of this process or another, holds the same path;
  /// `work` says who writes it, e.g. "training".
  FileLock(const std::string& path, const std::string& work);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  std::string lock_path_;  ///< empty: nothing is held
  FileDescriptor file_;
};

}  // namespace adadiff::detail
