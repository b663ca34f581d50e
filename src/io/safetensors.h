// The safetensors format: eight bytes of length, a JSON header, then the tensors' bytes without
// gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/mapped_file.h"

namespace adadiff::detail {

enum class Dtype {
  F64,
  F32,
  F16,
  BF16,
  I64,
  I32,
  I16,
  I8,
  U64,
  U32,
  U16,
  U8,
  BOOL,
  F8_E4M3,
  F8_E5M2
};

std::string name_of(Dtype dtype);
std::size_t size_of(Dtype dtype);  ///< bytes per element

/// A named tensor in borrowed memory: dense, C order, little endian. The bytes of a tensor in a
/// file need not be aligned to their element size.
struct TensorView {
  std::string name;
  Dtype dtype = Dtype::F32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

using Metadata = std::map<std::string, std::string>;

struct SafetensorsContent {
  Metadata metadata;
  std::vector<TensorView> tensors;  // in the order of their bytes
};

/// Checks `bytes` against everything that the format demands; the views point into `bytes`. Throws
/// a ModelError that names `source`.
SafetensorsContent parse_safetensors(std::span<const std::byte> bytes, const std::string& source);

/// An open safetensors file. Views stay valid while the mapping lives.
class SafetensorsFile {
 public:
  /// Throws FileError where the file cannot be read, ModelError where its content is damaged.
  static SafetensorsFile open(const std::string& path);

  const std::string& path() const { return mapping_->path(); }
  const Metadata& metadata() const { return content_.metadata; }
  const std::vector<TensorView>& tensors() const { return content_.tensors; }
  /// The tensor of that name; null where there is none.
  const TensorView* find(std::string_view name) const;
  std::shared_ptr<const MappedFile> mapping() const { return mapping_; }

 private:
  explicit SafetensorsFile(std::shared_ptr<const MappedFile> mapping);

  std::shared_ptr<const MappedFile> mapping_;
  SafetensorsContent content_;
  std::map<std::string_view, std::size_t> index_;
};

/// Writes a file, which is replaced atomically. The same content gives the same bytes, whatever the
/// order of the entries; every tensor is aligned to its element size. Throws FileError;
/// InvalidArgument for repeated names and for bytes that do not fit their shape.
void write_safetensors(const std::string& path, const Metadata& metadata,
                       std::vector<TensorView> entries);

}  // namespace adadiff::detail
