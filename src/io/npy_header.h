// The text that precedes the numbers of a .npy file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace adadiff::detail {

struct NpyHeader {
  std::string descr;  // such as <f4
  std::vector<std::int64_t> shape;
  std::size_t data_begin = 0;  // in bytes from the file's start
};

/// Reads a header of format version 1 or 2 with C order. Throws a ModelError that names `source`.
NpyHeader parse_npy_header(std::span<const std::byte> bytes, const std::string& source);
/// Makes a header: magic, version 1, length and text, padded to a multiple of 64 bytes.
std::string make_npy_header(const std::string& descr, const std::vector<std::int64_t>& shape);

}  // namespace adadiff::detail
