// An open file of the operating system, closed at the end of its scope, and an error that gives the
// system's own reason.
#pragma once

#include <string>
#include <utility>

namespace adadiff::detail {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  /// Returns zero or the error number. Some file systems report a full disk only here.
  int close();

 private:
  int number_ = -1;
};

/// Throws FileError "path: must <must>, but <doing> failed: <the system's text>".
[[noreturn]] void raise_file_error(const std::string& path, const std::string& must,
                                   const std::string& doing, int error_number);

}  // namespace adadiff::detail
