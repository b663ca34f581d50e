// NumPy's .npz archives: zip files of .npy arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace adadiff::detail {

/// One array, with its numbers converted to T.
template <class T>
struct NpzArray {
  std::vector<std::int64_t> shape;
  std::vector<T> values;
};

/// What a caller wants of an array.
struct ArrayLimits {
  std::size_t dimensions = 1;  ///< dimensions that the array must have
  std::int64_t most = 0;       ///< most numbers that may be kept
  /// The most rows of the first dimension that are kept, spread evenly.
  std::int64_t most_rows = std::numeric_limits<std::int64_t>::max();
};

/// An open archive. Nothing in the archive is trusted: the header of an array is read first, and
/// then no more bytes than it promises.
class NpzFile {
 public:
  /// Throws FileError where the file cannot be read, ModelError where it is not an archive.
  explicit NpzFile(const std::string& path);
  ~NpzFile();
  NpzFile(const NpzFile&) = delete;
  NpzFile& operator=(const NpzFile&) = delete;

  bool has(const std::string& name) const;
  /// The shape that the header of the array states. Throws ModelError.
  std::vector<std::int64_t> shape(const std::string& name) const;
  /// Reads an array of float64, float32, int64, int32 or uint8 in C order. Throws ModelError, also
  /// where the array exceeds the limits.
  NpzArray<double> numbers(const std::string& name, const ArrayLimits& limits) const;
  /// Reads an array of uint8. Throws ModelError.
  NpzArray<std::uint8_t> bytes(const std::string& name, const ArrayLimits& limits) const;

 private:
  struct Archive;
  std::string path_;
  std::unique_ptr<Archive> archive_;
};

/// Writes float64 arrays without compression and with a fixed date, so that the same arrays give
/// the same bytes. The file is replaced atomically. Throws FileError, InvalidArgument.
void write_npz(const std::string& path, const std::map<std::string, NpzArray<double>>& arrays);

}  // namespace adadiff::detail
