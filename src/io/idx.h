// The idx files of the MNIST family: a big-endian header and unsigned bytes, plain or gzipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace adadiff::detail {

struct IdxArray {
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> values;
};

/// Throws FileError; ModelError for damaged content, for elements other than unsigned bytes, and
/// for more than `most_bytes` of them.
IdxArray read_idx(const std::string& path, std::size_t most_bytes = std::size_t{1} << 30);

}  // namespace adadiff::detail
