// NumPy's .npy files: one dense array in C order, little endian.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace adadiff::detail {

/// An array read from a file, its numbers converted to T.
template <class T>
struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<T> values;
};

/// Called with the shape before any number is read, so that a wrong array costs nothing. It throws
/// to refuse the array.
using ShapeCheck = std::function<void(const std::vector<std::int64_t>& shape)>;

/// Reads float64, float32, int64, int32 and uint8. Throws FileError, or ModelError for any other
/// content.
NpyArray<float> read_npy_floats(const std::string& path, const ShapeCheck& check = {});
/// Reads vectors, [N, width] with N in [1, 1'000'000]; a width of 0: of any width. Throws the same
/// errors, and ModelError for another shape.
NpyArray<float> read_npy_vectors(const std::string& path, std::int64_t width = 0);
/// Reads int64, int32 and uint8; refuses floating point. Throws the same errors.
NpyArray<std::int64_t> read_npy_integers(const std::string& path, const ShapeCheck& check = {});

/// Write an array to a file, which is replaced atomically. Throw FileError; InvalidArgument where
/// the shape and the number of values disagree.
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const float> values);
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const double> values);
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const std::int64_t> values);
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const std::int32_t> values);
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const std::uint8_t> values);

}  // namespace adadiff::detail
