// Tells what a file is by its first bytes, so that an error can say what the file is and not only
// what it is not.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/check.h"

namespace adadiff::detail {

struct FileKind {
  std::string name;                ///< with its article: "a ZIP archive"
  std::string advice = {};         ///< what the user can do; may be empty
  bool may_be_checkpoint = false;  ///< true: PyTorch's own files are of this kind
};

/// The kind of a file that begins with these bytes, or nothing where the bytes do not tell. 512
/// bytes are enough.
std::optional<FileKind> kind_of(std::span<const std::byte> first_bytes);

/// Completes the complaint of a reader that cannot read these bytes. Where the bytes are of a known
/// kind, the name of the kind and its advice replace what the reader found. Bytes that begin, after
/// white space, with one of the reader's `own` starts are the reader's own format, damaged, and
/// leave the complaint as it is.
Complaint with_kind(Complaint complaint, std::span<const std::byte> first_bytes,
                    std::initializer_list<std::string_view> own = {});

}  // namespace adadiff::detail
