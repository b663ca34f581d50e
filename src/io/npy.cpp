// Converts a .npy file's numbers to those asked for, and writes them.
#include "io/npy.h"

#include <cstring>

#include "core/check.h"
#include "io/atomic_file.h"
#include "io/mapped_file.h"
#include "io/npy_header.h"

namespace adadiff::detail {
namespace {

/// Number of elements; false where a product does not fit or an extent is negative.
bool count_elements(const std::vector<std::int64_t>& shape, std::int64_t& count) {
  count = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) return false;
  }
  return true;
}

template <class From, class To>
std::vector<To> convert(std::span<const std::byte> data, const std::vector<std::int64_t>& shape,
                        const std::string& source) {
  std::int64_t count = 0;
  const std::size_t held = data.size() / sizeof(From);
  if (!count_elements(shape, count) || static_cast<std::size_t>(count) != held ||
      data.size() % sizeof(From) != 0) {
    raise<ModelError>({source, "hold as many numbers as its shape says",
                       "holds " + std::to_string(data.size()) + " bytes of them"});
  }
  std::vector<To> values(held);
  for (std::size_t i = 0; i < held; ++i) {
    From value;
    std::memcpy(&value, data.data() + i * sizeof(From), sizeof(From));
    values[i] = static_cast<To>(value);
  }
  return values;
}

[[noreturn]] void refuse_type(const std::string& source, const std::string& types,
                              const std::string& descr) {
  raise<ModelError>({source, "hold " + types + ", little endian", "holds " + show(descr)});
}

template <class T>
void write_array(const std::string& path, const std::string& descr,
                 const std::vector<std::int64_t>& shape, std::span<const T> values) {
  std::int64_t count = 0;
  if (!count_elements(shape, count) || static_cast<std::size_t>(count) != values.size()) {
    raise({path, "get as many values as its shape says", "gets " + std::to_string(values.size())});
  }
  AtomicFile file(path);
  file.write(make_npy_header(descr, shape));
  file.write(std::as_bytes(values));
  file.commit();
}

}  // namespace

NpyArray<float> read_npy_floats(const std::string& path, const ShapeCheck& check) {
  const MappedFile file(path);
  const NpyHeader header = parse_npy_header(file.bytes(), path);
  if (check) check(header.shape);
  const std::span<const std::byte> data = file.bytes().subspan(header.data_begin);
  if (header.descr == "<f4") return {header.shape, convert<float, float>(data, header.shape, path)};
  if (header.descr == "<f8")
    return {header.shape, convert<double, float>(data, header.shape, path)};
  if (header.descr == "<i8")
    return {header.shape, convert<std::int64_t, float>(data, header.shape, path)};
  if (header.descr == "<i4")
    return {header.shape, convert<std::int32_t, float>(data, header.shape, path)};
  if (header.descr == "|u1")
    return {header.shape, convert<std::uint8_t, float>(data, header.shape, path)};
  refuse_type(path, "float64, float32, int64, int32 or uint8", header.descr);
}

NpyArray<float> read_npy_vectors(const std::string& path, std::int64_t width) {
  constexpr std::int64_t kMost = 1'000'000;
  return read_npy_floats(path, [&](const std::vector<std::int64_t>& shape) {
    const bool fits = shape.size() == 2 && shape[0] >= 1 && shape[0] <= kMost &&
                      (width == 0 ? shape[1] >= 1 : shape[1] == width);
    if (fits) return;
    raise<ModelError>({path,
                       "have the shape [N, " + (width == 0 ? "P" : show(width)) +
                           "] with N in [1, " + show(kMost) + "]",
                       "has " + show_shape(shape)});
  });
}

NpyArray<std::int64_t> read_npy_integers(const std::string& path, const ShapeCheck& check) {
  const MappedFile file(path);
  const NpyHeader header = parse_npy_header(file.bytes(), path);
  if (check) check(header.shape);
  const std::span<const std::byte> data = file.bytes().subspan(header.data_begin);
  if (header.descr == "<i8")
    return {header.shape, convert<std::int64_t, std::int64_t>(data, header.shape, path)};
  if (header.descr == "<i4")
    return {header.shape, convert<std::int32_t, std::int64_t>(data, header.shape, path)};
  if (header.descr == "|u1")
    return {header.shape, convert<std::uint8_t, std::int64_t>(data, header.shape, path)};
  refuse_type(path, "int64, int32 or uint8", header.descr);
}

void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const float> values) {
  write_array(path, "<f4", shape, values);
}
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const double> values) {
  write_array(path, "<f8", shape, values);
}
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const std::int64_t> values) {
  write_array(path, "<i8", shape, values);
}
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const std::int32_t> values) {
  write_array(path, "<i4", shape, values);
}
void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               std::span<const std::uint8_t> values) {
  write_array(path, "|u1", shape, values);
}

}  // namespace adadiff::detail
