// Reads the header and checks it against the bytes.
#include "io/safetensors.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"
#include "io/file_kind.h"
#include "io/json_reader.h"

namespace adadiff::detail {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t
    kLongestHeader = 100'000'000;  // the cap of the format's reference implementation
constexpr std::size_t kMostTensors = 100'000;
constexpr std::size_t kMostValues = 4'000'000;
constexpr std::size_t kMostDimensions = 16;
constexpr std::size_t kLongestName = 4096;
constexpr std::string_view kMetadataKey = "__metadata__";

struct DtypeFact {
  Dtype value;
  const char* name;
  std::size_t size;
};
constexpr std::array kDtypes = {
    DtypeFact{Dtype::F64, "F64", 8},        DtypeFact{Dtype::F32, "F32", 4},
    DtypeFact{Dtype::F16, "F16", 2},        DtypeFact{Dtype::BF16, "BF16", 2},
    DtypeFact{Dtype::I64, "I64", 8},        DtypeFact{Dtype::I32, "I32", 4},
    DtypeFact{Dtype::I16, "I16", 2},        DtypeFact{Dtype::I8, "I8", 1},
    DtypeFact{Dtype::U64, "U64", 8},        DtypeFact{Dtype::U32, "U32", 4},
    DtypeFact{Dtype::U16, "U16", 2},        DtypeFact{Dtype::U8, "U8", 1},
    DtypeFact{Dtype::BOOL, "BOOL", 1},      DtypeFact{Dtype::F8_E4M3, "F8_E4M3", 1},
    DtypeFact{Dtype::F8_E5M2, "F8_E5M2", 1}};

/// A tensor of the header with its range of the data, before the ranges are compared.
struct Entry {
  TensorView tensor;
  std::size_t begin = 0, end = 0;
};

[[noreturn]] void fail(const std::string& source, const std::string& tensor,
                       const std::string& must, const std::string& found) {
  throw ModelError(source + ": tensor " + show(tensor) + " must " + must + ", but " + found);
}

/// A header is a JSON object, so a file with another byte there is none of ours, whatever its first
/// eight bytes say.
void refuse_other_kinds(std::span<const std::byte> bytes, const std::string& source) {
  const bool may_be_ours = bytes.size() > kLengthBytes && bytes[kLengthBytes] == std::byte{'{'};
  if (may_be_ours) return;
  if (auto kind = kind_of(bytes)) {
    if (kind->may_be_checkpoint)
      kind->advice = "`adadiff convert` makes a model file of a checkpoint";
    raise<ModelError>({source, "be a safetensors file", "is " + kind->name, kind->advice});
  }
}

std::size_t header_length(std::span<const std::byte> bytes, const std::string& source) {
  refuse_other_kinds(bytes, source);
  if (bytes.size() < kLengthBytes) {
    raise<ModelError>({source, "be a safetensors file of at least 8 bytes",
                       "has " + std::to_string(bytes.size())});
  }
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;)
    length = length << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  if (length > kLongestHeader) {
    raise<ModelError>({source, "be a safetensors file, whose header has at most 100000000 bytes",
                       "says " + std::to_string(length)});
  }
  if (length > bytes.size() - kLengthBytes) {
    raise<ModelError>(
        {source,
         "be a safetensors file that holds its header of " + std::to_string(length) + " bytes",
         "ends after " + std::to_string(bytes.size() - kLengthBytes),
         "the file seems to be cut short"});
  }
  return static_cast<std::size_t>(length);
}

Metadata read_metadata(const JsonReader& object) {
  Metadata metadata;
  for (const auto& [name, value] : object.members(kMostTensors))
    metadata.emplace(name, value.as_string(kLongestHeader));
  return metadata;
}

Dtype read_dtype(const JsonReader& field, const std::string& source, const std::string& tensor) {
  const std::string name = field.as_string();
  const auto* found = find_named(kDtypes, name);
  if (found == nullptr)
    fail(source, tensor, "have a dtype that this build reads", "has " + show(name));
  return found->value;
}

/// Bytes of the shape, or nothing where the product does not fit.
bool byte_count(const std::vector<std::int64_t>& shape, Dtype dtype, std::size_t& bytes) {
  bytes = size_of(dtype);
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::size_t>(extent), &bytes)) return false;
  }
  return true;
}

void check_range(const Entry& entry, std::size_t data_size, const std::string& source) {
  const TensorView& tensor = entry.tensor;
  if (entry.begin > entry.end || entry.end > data_size) {
    fail(source, tensor.name, "lie within the " + std::to_string(data_size) + " bytes of data",
         "lies at " + std::to_string(entry.begin) + " to " + std::to_string(entry.end));
  }
  std::size_t bytes = 0;
  if (!byte_count(tensor.shape, tensor.dtype, bytes))
    fail(source, tensor.name, "have a shape that fits memory", "is larger than that");
  if (bytes != entry.end - entry.begin) {
    fail(source, tensor.name, "have the " + std::to_string(bytes) + " bytes of its dtype and shape",
         "has " + std::to_string(entry.end - entry.begin));
  }
}

Entry read_entry(const std::string& name, const JsonReader& object,
                 std::span<const std::byte> data) {
  if (name.size() > kLongestName)
    fail(object.source(), name, "have a name of at most 4096 bytes", "has a longer one");
  object.allow_only({"dtype", "shape", "data_offsets"});
  Entry entry;
  entry.tensor.name = name;
  entry.tensor.dtype = read_dtype(object.field("dtype"), object.source(), name);
  for (const JsonReader& extent : object.field("shape").elements(kMostDimensions)) {
    entry.tensor.shape.push_back(extent.as_int(0, INT64_MAX));
  }
  const JsonReader field = object.field("data_offsets");
  const std::vector<JsonReader> offsets = field.elements(2);
  if (offsets.size() != 2) field.fail("be two numbers");
  entry.begin = static_cast<std::size_t>(offsets[0].as_int(0, INT64_MAX));
  entry.end = static_cast<std::size_t>(offsets[1].as_int(0, INT64_MAX));
  check_range(entry, data.size(), object.source());
  entry.tensor.bytes = data.subspan(entry.begin, entry.end - entry.begin);
  return entry;
}

void check_tiling(const std::vector<Entry>& entries, std::size_t data_size,
                  const std::string& source) {
  std::size_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != end) {
      fail(source, entry.tensor.name,
           "begin at byte " + std::to_string(end) + ", where the one before it ends",
           "begins at " + std::to_string(entry.begin));
    }
    end = entry.end;
  }
  if (end != data_size) {
    raise<ModelError>({source,
                       "end with its last tensor, " + std::to_string(end) + " bytes into its data",
                       "has " + std::to_string(data_size) + " bytes of data"});
  }
}

}  // namespace

std::string name_of(Dtype dtype) { return name_of(kDtypes, dtype); }

std::size_t size_of(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].size; }

SafetensorsContent parse_safetensors(std::span<const std::byte> bytes, const std::string& source) {
  const std::size_t length = header_length(bytes, source);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length);
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + length);
  const JsonReader header(
      text, source,
      {.bytes = kLongestHeader, .values = kMostValues, .depth = 4, .error = JsonError::ModelError});
  SafetensorsContent content;
  std::vector<Entry> entries;
  for (const auto& [name, object] : header.members(kMostTensors)) {
    if (name == kMetadataKey) {
      content.metadata = read_metadata(object);
    } else {
      entries.push_back(read_entry(name, object, data));
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  check_tiling(entries, data.size(), source);
  for (Entry& entry : entries) content.tensors.push_back(std::move(entry.tensor));
  return content;
}

SafetensorsFile::SafetensorsFile(std::shared_ptr<const MappedFile> mapping)
    : mapping_(std::move(mapping)),
      content_(parse_safetensors(mapping_->bytes(), mapping_->path())) {
  for (std::size_t i = 0; i < content_.tensors.size(); ++i)
    index_.emplace(content_.tensors[i].name, i);
}

SafetensorsFile SafetensorsFile::open(const std::string& path) {
  return SafetensorsFile(std::make_shared<const MappedFile>(path));
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &content_.tensors[found->second];
}

}  // namespace adadiff::detail
