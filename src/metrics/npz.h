// NumPy's .npz archives: a zip file of .npy arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace adadiff::detail {

/// One array, its numbers converted.
template <class T>
struct NpzArray {
  std::vector<std::int64_t> shape;
  std::vector<T> values;
};

/// What of an array is wanted.
struct ArrayLimits {
  std::size_t dimensions = 1;  ///< it must have
  std::int64_t most = 0;       ///< numbers that are kept
  std::int64_t most_rows = std::numeric_limits<
      std::int64_t>::max();  ///< of the first dimension that are kept, spread evenly
};

/// An open archive. Nothing in it is believed: an array's header is read first, and no more than it
/// promises.
class NpzFile {
 public:
  /// Throws FileError where it cannot be read, ModelError where it is no archive.
  explicit NpzFile(const std::string& path);
  ~NpzFile();
  NpzFile(const NpzFile&) = delete;
  NpzFile& operator=(const NpzFile&) = delete;

  bool has(const std::string& name) const;
  /// What the array's header says. Throws ModelError.
  std::vector<std::int64_t> shape(const std::string& name) const;
  /// Float64, float32, int64, int32 or uint8 in C order. Throws ModelError, also where it exceeds
  /// the limits.
  NpzArray<double> numbers(const std::string& name, const ArrayLimits& limits) const;
  /// uint8 only. Throws ModelError.
  NpzArray<std::uint8_t> bytes(const std::string& name, const ArrayLimits& limits) const;

 private:
  struct Archive;
  std::string path_;
  std::unique_ptr<Archive> archive_;
};

/// Writes float64 arrays, stored without compression, with one and the same date: the same arrays
/// give the same bytes. The file is replaced in one piece. Throws FileError, InvalidArgument.
void write_npz(const std::string& path, const std::map<std::string, NpzArray<double>>& arrays);

}  // namespace adadiff::detail
