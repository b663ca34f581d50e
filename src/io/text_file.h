// Small text files: plans, traces, reports.
#pragma once

#include <cstddef>
#include <string>

namespace adadiff::detail {

/// Reads a whole file. Throws FileError, also where the file is longer than `most_bytes`.
std::string read_text(const std::string& path, std::size_t most_bytes = std::size_t{1} << 24);
/// Writes a file, which is replaced atomically. Throws FileError.
void write_text(const std::string& path, const std::string& text);

}  // namespace adadiff::detail
