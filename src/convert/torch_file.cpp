// The archive and its records. The one file of this room that uses libzip.
#include "convert/torch_file.h"

#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <ATen/ATen.h>
#include <zip.h>

#include "convert/pickle.h"
#include "core/check.h"
#include "core/names.h"
#include "io/mapped_file.h"

namespace adadiff::detail {
namespace {

constexpr zip_uint64_t kMostPickle = 8 << 20;
constexpr int kMostDepth = 32;  ///< of dictionaries within dictionaries
constexpr std::size_t kMostVisits = 200'000, kLongestName = 1024;

struct StorageType {
  const char* name;
  at::ScalarType type;
  const char* shown;
};
constexpr StorageType kStorageTypes[] = {
    {"FloatStorage", at::kFloat, "F32"}, {"DoubleStorage", at::kDouble, "F64"},
    {"HalfStorage", at::kHalf, "F16"},   {"BFloat16Storage", at::kBFloat16, "BF16"},
    {"LongStorage", at::kLong, "I64"},   {"IntStorage", at::kInt, "I32"},
    {"ShortStorage", at::kShort, "I16"}, {"CharStorage", at::kChar, "I8"},
    {"ByteStorage", at::kByte, "U8"},    {"BoolStorage", at::kBool, "BOOL"}};

/// An open archive over mapped bytes.
class Archive {
 public:
  explicit Archive(const std::string& path) : mapping_(path) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(mapping_.bytes().data(),
                                                    mapping_.bytes().size(), 0, &error);
    zip_ = source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error);
    const std::string message = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (zip_ != nullptr) return;
    if (source != nullptr) zip_source_free(source);
    raise<ModelError>({path, "be an intact ZIP archive", "opening it failed: " + message});
  }
  ~Archive() { zip_discard(zip_); }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  const std::string& path() const { return mapping_.path(); }

  std::string last_name;    ///< of the storage that was read last
  at::Tensor last_storage;  ///< its numbers

  /// The folder of the archive that holds data.pkl, with its slash.
  std::string folder() const {
    const zip_int64_t entries = zip_get_num_entries(zip_, 0);
    for (zip_int64_t i = 0; i < entries; ++i) {
      const char* name = zip_get_name(zip_, static_cast<zip_uint64_t>(i), 0);
      const std::string text = name == nullptr ? "" : name;
      if (text.ends_with("/data.pkl")) return text.substr(0, text.rfind('/') + 1);
    }
    raise<ModelError>({path(), "be a file that torch.save wrote, with an entry data.pkl",
                       "has none", "a file of torch.jit.save or of another tool cannot be read"});
  }

  /// The size of an entry, which must be stored as it is. Nothing where there is none.
  std::optional<zip_uint64_t> size(const std::string& name) const {
    zip_stat_t about;
    zip_stat_init(&about);
    if (zip_stat(zip_, name.c_str(), 0, &about) != 0) return std::nullopt;
    constexpr zip_uint64_t kWanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_METHOD;
    const bool is_stored = (about.valid & kWanted) == kWanted && about.comp_method == ZIP_CM_STORE;
    if (!is_stored || about.size > mapping_.bytes().size()) {
      raise<ModelError>(
          {path() + ": " + name, "be stored without compression, as torch.save does", "is not"});
    }
    return about.size;
  }

  void read(const std::string& name, std::byte* bytes, zip_uint64_t count) const {
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> entry(zip_fopen(zip_, name.c_str(), 0),
                                                                  zip_fclose);
    zip_uint64_t done = 0;
    while (entry != nullptr && done < count) {
      const zip_int64_t more = zip_fread(entry.get(), bytes + done, count - done);
      if (more <= 0) break;
      done += static_cast<zip_uint64_t>(more);
    }
    if (done == count) return;
    raise<ModelError>({path() + ": " + name, "be an intact entry", "cannot be read"});
  }

 private:
  MappedFile mapping_;
  zip_t* zip_ = nullptr;
};

/// Whether the numbers of the tensor lie in its storage, each at a place of its own.
bool fits(const PickleTensor& tensor) {
  if (tensor.shape.size() != tensor.strides.size() || tensor.offset < 0) return false;
  std::int64_t count = 1, last = tensor.offset;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const std::int64_t extent = tensor.shape[i], stride = tensor.strides[i];
    std::int64_t reach = 0;
    if (extent < 0 || stride < 0) return false;
    if (extent == 0) return tensor.storage.numbers >= 0;
    if (__builtin_mul_overflow(count, extent, &count) ||
        __builtin_mul_overflow(extent - 1, stride, &reach) ||
        __builtin_add_overflow(last, reach, &last))
      return false;
  }
  return count <= tensor.storage.numbers && last < tensor.storage.numbers;
}

/// The numbers of a storage. The last one read is kept, as some files have all tensors in one.
at::Tensor load_storage(Archive& archive, const std::string& name, const PickleTensor& tensor,
                        const StorageType& type) {
  if (archive.last_name == name && archive.last_storage.scalar_type() == type.type &&
      archive.last_storage.numel() == tensor.storage.numbers)
    return archive.last_storage;
  const auto size = archive.size(name);
  const auto item = static_cast<zip_uint64_t>(c10::elementSize(type.type));
  const auto numbers = static_cast<zip_uint64_t>(tensor.storage.numbers);
  if (!size || *size / item < numbers) {
    raise<ModelError>({archive.path() + ": " + name,
                       "hold " + show(tensor.storage.numbers) + " numbers",
                       size ? "holds fewer" : "is missing"});
  }
  at::Tensor storage = at::empty({tensor.storage.numbers}, type.type);
  archive.read(name, static_cast<std::byte*>(storage.mutable_data_ptr()), numbers * item);
  archive.last_name = name;
  archive.last_storage = storage;
  return storage;
}

/// Walks the dictionaries and collects their tensors.
class Collector {
 public:
  Collector(const Pickle& pickle, std::shared_ptr<Archive> archive, std::string folder)
      : pickle_(pickle), archive_(std::move(archive)), folder_(std::move(folder)) {}

  ForeignTensors run() && {
    visit(pickle_.root, "", 0);
    return std::move(tensors_);
  }

 private:
  void visit(PickleId id, const std::string& name, int depth) {
    const PickleValue& value = pickle_.values[id];
    if (const auto* tensor = std::get_if<std::unique_ptr<PickleTensor>>(&value))
      return add(name, **tensor);
    const auto* dict = std::get_if<PickleDict>(&value);
    if (dict == nullptr) return;
    if (depth == kMostDepth) refuse("are nested deeper than " + show(kMostDepth));
    for (const auto& [key, item] : dict->items) {
      if (++visits_ > kMostVisits)
        refuse("have more than " + show(static_cast<std::int64_t>(kMostVisits)) + " entries");
      const auto* text = std::get_if<std::string>(&pickle_.values[key]);
      if (text == nullptr) continue;  // the numbers by which optimisers count parameters
      if (name.size() + text->size() > kLongestName)
        refuse("have names of more than " + show(static_cast<std::int64_t>(kLongestName)) +
               " bytes");
      visit(item, name.empty() ? *text : name + "." + *text, depth + 1);
    }
  }

  [[noreturn]] void refuse(const std::string& found) const {
    raise<ModelError>({archive_->path(), "hold the dictionaries of a checkpoint", "they " + found});
  }

  void add(const std::string& name, const PickleTensor& tensor) {
    const StorageType* type = find_named(kStorageTypes, tensor.storage.type);
    const std::string where = archive_->path() + ": tensor " + show(name);
    if (type == nullptr) {
      raise<ModelError>({where, "have a type of " + joined(names_in(kStorageTypes)),
                         "is of " + show(tensor.storage.type)});
    }
    if (!fits(tensor))
      raise<ModelError>({where, "lie in its storage", "does not", "the file is damaged"});
    tensors_[name] = {
        tensor.shape, type->shown,
        [archive = archive_, record = folder_ + "data/" + tensor.storage.key, tensor, type] {
          return load_storage(*archive, record, tensor, *type)
              .as_strided(tensor.shape, tensor.strides, tensor.offset)
              .contiguous();
        }};
  }

  const Pickle& pickle_;
  std::shared_ptr<Archive> archive_;
  std::string folder_;
  ForeignTensors tensors_;
  std::size_t visits_ = 0;
};

void require_little_endian(const Archive& archive, const std::string& folder) {
  const std::string name = folder + "byteorder";
  const auto size = archive.size(name);
  if (!size) return;  // files before PyTorch 2.1 do not say it
  constexpr std::string_view kLittle = "little";
  std::string order(kLittle.size(), ' ');
  if (*size == kLittle.size())
    archive.read(name, reinterpret_cast<std::byte*>(order.data()), *size);
  if (order != kLittle)
    raise<ModelError>({archive.path(), "be written on a little-endian machine", "is not"});
}

}  // namespace

ForeignTensors read_torch_file(const std::string& path) {
  const auto archive = std::make_shared<Archive>(path);
  const std::string folder = archive->folder();
  require_little_endian(*archive, folder);
  const std::string name = folder + "data.pkl";
  const auto size = archive->size(name);
  if (!size || *size > kMostPickle) {
    raise<ModelError>({path + ": " + name,
                       "have at most " + show(static_cast<std::int64_t>(kMostPickle)) + " bytes",
                       "has more"});
  }
  std::vector<std::byte> bytes(*size);
  archive->read(name, bytes.data(), *size);
  const Pickle pickle = parse_pickle(bytes, path);
  return Collector(pickle, archive, folder).run();
}

}  // namespace adadiff::detail
