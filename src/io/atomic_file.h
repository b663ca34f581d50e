// Writes a file so that its readers see either the old content or the new one, never a part of it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "io/file_descriptor.h"

namespace adadiff::detail {

/// Writes to a new file beside the target, which commit() renames over the target; without commit()
/// the target stays as it was. Where the file system allows it, the new file has no name until
/// then, so that a killed process leaves nothing behind. A target that exists and is not a regular
/// file (a pipe, /dev/null) is written to directly. Links are followed, and the permissions of an
/// existing file are kept. All functions throw a FileError that names the target.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// Returns once the content is on the disk under its name.
  void commit();

  const std::string& path() const { return path_; }

 private:
  void open_beside(int mode);
  bool open_named();
  void give_name();
  [[noreturn]] void fail(const std::string& doing, int error_number) const;

  std::string path_;                 // as the caller named it, for messages
  std::filesystem::path target_;     // with links followed; empty: the target itself is open
  std::filesystem::path temporary_;  // empty: the open file has no name
  FileDescriptor file_;
};

}  // namespace adadiff::detail
