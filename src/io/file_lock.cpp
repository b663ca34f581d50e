// Locks of the operating system on a file beside the target, since the target itself is replaced.
#include "io/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <adadiff/error.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

namespace fs = std::filesystem;

constexpr int kOwnerWrites = 0644;

/// Whether the open file is still the one of that name: its holder removes it when it lets go.
bool has_name(const FileDescriptor& file, const std::string& path) {
  struct stat open = {}, named = {};
  return ::fstat(file.number(), &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/// 0, EWOULDBLOCK where somebody else holds it, or why there are no locks here.
int try_lock(const FileDescriptor& file) {
  return ::flock(file.number(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
}

}  // namespace

FileLock::FileLock(const std::string& path, const std::string& work) {
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) return;
  const std::string lock_path = path + ".lock";
  while (true) {
    FileDescriptor file(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerWrites));
    if (!file.is_open()) raise_file_error(path, "be writable", "creating " + lock_path, errno);
    const int error = try_lock(file);
    if (error == EWOULDBLOCK) {
      raise<FileError>({path, "be written by one " + work + " at a time",
                        "another one is at work and holds " + lock_path,
                        "wait for it, or write elsewhere"});
    }
    if (error == 0 && !has_name(file, lock_path)) continue;  // let go of in the meantime
    if (error == 0) {
      lock_path_ = lock_path;
      file_ = std::move(file);
    } else {
      ::unlink(lock_path.c_str());
    }
    return;
  }
}

FileLock::~FileLock() {
  if (!lock_path_.empty()) ::unlink(lock_path_.c_str());
}

}  // namespace adadiff::detail
