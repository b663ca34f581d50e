// Writes safetensors files: header first, then the tensors, widest elements first so that each is
// aligned.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "io/atomic_file.h"
#include "io/safetensors.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kAlignment = 8;

void sort_for_alignment(std::vector<TensorView>& entries) {
  std::sort(entries.begin(), entries.end(), [](const TensorView& a, const TensorView& b) {
    return size_of(a.dtype) != size_of(b.dtype) ? size_of(a.dtype) > size_of(b.dtype)
                                                : a.name < b.name;
  });
}

void check_size(const TensorView& entry) {
  std::size_t bytes = size_of(entry.dtype);
  bool fits = true;
  for (const std::int64_t extent : entry.shape) {
    fits = fits && extent >= 0 &&
           !__builtin_mul_overflow(bytes, static_cast<std::size_t>(extent), &bytes);
  }
  if (fits && bytes == entry.bytes.size()) return;
  raise({"write_safetensors: tensor " + show(entry.name),
         "have as many bytes as its dtype and shape ask for",
         "has " + std::to_string(entry.bytes.size())});
}

Json describe(const TensorView& entry, std::size_t begin) {
  return {{"dtype", name_of(entry.dtype)},
          {"shape", entry.shape},
          {"data_offsets", {begin, begin + entry.bytes.size()}}};
}

std::string dump(const Json& header, const std::string& path) {
  try {
    return header.dump();
  } catch (const Json::exception&) {
    raise({path, "have names and metadata in UTF-8", "has other bytes in them"});
  }
}

std::string header_text(const std::string& path, const Metadata& metadata,
                        const std::vector<TensorView>& entries) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::map<std::string_view, std::size_t> names;
  std::size_t begin = 0;
  for (const TensorView& entry : entries) {
    check_size(entry);
    if (entry.name == "__metadata__" || !names.emplace(entry.name, begin).second) {
      raise({"write_safetensors: tensor " + show(entry.name), "have a name of its own",
             "has one that is taken"});
    }
    header.get_ref<Json::object_t&>().push_back({entry.name, describe(entry, begin)});
    begin += entry.bytes.size();
  }
  std::string text = dump(header, path);
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::string& path, const Metadata& metadata,
                       std::vector<TensorView> entries) {
  sort_for_alignment(entries);
  const std::string header = header_text(path, metadata, entries);
  std::string length(kAlignment, '\0');
  for (std::size_t i = 0; i < kAlignment; ++i)
    length[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  AtomicFile file(path);
  file.write(length);
  file.write(header);
  for (const TensorView& entry : entries) file.write(entry.bytes);
  file.commit();
}

}  // namespace adadiff::detail
