// Tells what a file is by its first bytes, so that an error says what was given and not only what
// it is not.
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
  bool may_be_checkpoint = false;  ///< PyTorch's own files are of this kind
};

/// The kind of a file that begins like this; nothing where the bytes do not tell. 512 bytes are
/// enough.
std::optional<FileKind> kind_of(std::span<const std::byte> first_bytes);

/// The complaint of a reader that cannot read these bytes. Where they are of a known kind, that and
/// its advice stand in place of what the reader found, unless they begin, behind white space, with
/// one of the reader's `own` starts: then they are its format, damaged.
Complaint with_kind(Complaint complaint, std::span<const std::byte> first_bytes,
                    std::initializer_list<std::string_view> own = {});

}  // namespace adadiff::detail
