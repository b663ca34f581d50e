// Temporary, write, fsync, rename.
#include "io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr int kMostLinks = 40;
constexpr int kMostNames = 1000;
constexpr int kNewFileMode = 0666;  // the process's umask applies

std::filesystem::path follow_links(const std::string& path) {
  std::filesystem::path target = path;
  std::error_code ignored;
  for (int link = 0; link < kMostLinks; ++link) {
    if (!std::filesystem::is_symlink(target, ignored)) return target;
    const std::filesystem::path next = std::filesystem::read_symlink(target, ignored);
    target = target.parent_path() / next;
  }
  raise_file_error(path, "be writable", "following its links", ELOOP);
}

std::filesystem::path folder_of(const std::filesystem::path& target) {
  return target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
}

/// Not made of the target's name, which may be as long as names can be.
std::filesystem::path name_beside(const std::filesystem::path& target) {
  static std::atomic<unsigned> next = 0;
  return folder_of(target) /
         (".adadiff-" + std::to_string(::getpid()) + "-" + std::to_string(next++) + ".tmp");
}

/// The rename itself survives a crash only after this. A folder that cannot be synchronised still
/// holds the whole file.
void synchronise_folder(const std::filesystem::path& folder) {
  const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.is_open()) static_cast<void>(::fsync(opened.number()));
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  struct stat status = {};
  const bool exists = ::stat(path_.c_str(), &status) == 0;
  if (!exists && (errno != ENOENT || path_.empty())) fail("opening it", errno);
  if (exists && S_ISDIR(status.st_mode)) raise<FileError>({path_, "be a file", "is a folder"});
  if (exists && !S_ISREG(status.st_mode)) {
    // Opened by the name it was given: links such as /dev/fd/3 lead to pipes that have no path of
    // their own.
    file_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file_.is_open()) fail("opening it", errno);
    return;
  }
  target_ = follow_links(path_);
  open_beside(exists ? static_cast<int>(status.st_mode & 07777) : -1);
}

void AtomicFile::open_beside(int mode) {
  // Such a file is given its name through /proc.
  if (::access("/proc/self/fd", X_OK) == 0) {
    file_ = FileDescriptor(
        ::open(folder_of(target_).c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, kNewFileMode));
  }
  if (!file_.is_open() && !open_named()) fail("creating a temporary file beside it", errno);
  if (mode >= 0) static_cast<void>(::fchmod(file_.number(), static_cast<mode_t>(mode)));
}

/// For file systems without O_TMPFILE. False leaves errno.
bool AtomicFile::open_named() {
  for (int attempt = 0; attempt < kMostNames; ++attempt) {
    const std::filesystem::path name = name_beside(target_);
    file_ = FileDescriptor(
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewFileMode));
    if (file_.is_open()) {
      temporary_ = name;
      return true;
    }
    if (errno != EEXIST) return false;
  }
  return false;
}

/// Only rename() replaces a file in one step, and it needs a name to start from.
void AtomicFile::give_name() {
  const std::string open_file = "/proc/self/fd/" + std::to_string(file_.number());
  for (int attempt = 0; attempt < kMostNames; ++attempt) {
    const std::filesystem::path name = name_beside(target_);
    if (::linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      temporary_ = name;
      return;
    }
    if (errno != EEXIST) break;
  }
  fail("naming a temporary file beside it", errno);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) static_cast<void>(::unlink(temporary_.c_str()));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("writing", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  const bool replaces = !target_.empty();
  if (replaces && ::fsync(file_.number()) != 0) fail("writing", errno);
  if (replaces && temporary_.empty()) give_name();
  if (const int error = file_.close(); error != 0) fail("writing", error);
  if (!replaces) return;
  if (::rename(temporary_.c_str(), target_.c_str()) != 0)
    fail("renaming its temporary file", errno);
  temporary_.clear();
  synchronise_folder(folder_of(target_));
}

void AtomicFile::fail(const std::string& doing, int error_number) const {
  raise_file_error(path_, "be writable", doing, error_number);
}

}  // namespace adadiff::detail
