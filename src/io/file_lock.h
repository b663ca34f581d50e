// A lock for files that one process writes over a long time, and that no other process may write
// meanwhile.
#pragma once

#include <string>

#include "io/file_descriptor.h"

namespace adadiff::detail {

/// Holds a lock on the file `path` + ".lock" until the end of its scope, and then removes that
/// file. A process that is killed leaves the file behind unlocked, and the next process takes it
/// over. Nothing is locked where `path` exists and is not a regular file, or where the file system
/// has no locks.
class FileLock {
 public:
  /// Throws FileError where another FileLock, of this process or another, holds the same path;
  /// `work` says what is being done with the file, e.g. "training".
  FileLock(const std::string& path, const std::string& work);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  std::string lock_path_;  ///< empty: nothing is locked
  FileDescriptor file_;
};

}  // namespace adadiff::detail
