// Small text files: plans, traces, reports.
#pragma once

#include <cstddef>
#include <string>

namespace adadiff::detail {

/// Throws FileError; also where the file is longer than `most_bytes`.
std::string read_text(const std::string& path, std::size_t most_bytes = std::size_t{1} << 24);
/// Replaces the file in one piece. Throws FileError.
void write_text(const std::string& path, const std::string& text);

}  // namespace adadiff::detail
