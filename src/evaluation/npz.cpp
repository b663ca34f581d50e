// The one file that knows libzip.
#include "evaluation/npz.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <span>
#include <utility>

#include <zip.h>

#include "core/check.h"
#include "io/atomic_file.h"
#include "io/npy_header.h"

namespace adadiff::detail {
namespace {

constexpr std::size_t kMostHeader = 65536 + 64;
constexpr std::int64_t kMostNumbers = std::int64_t{1} << 34;

struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Entry = std::unique_ptr<zip_file_t, CloseEntry>;

std::string message_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return message;
}

/// Reads until `bytes` is full or the entry ends; how much that was.
std::size_t fill(zip_file_t* entry, std::span<std::byte> bytes, const std::string& where) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const zip_int64_t count = zip_fread(entry, bytes.data() + done, bytes.size() - done);
    if (count < 0) raise<ModelError>({where, "be an intact entry", std::string("reading it failed: ") + zip_file_strerror(entry)});
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::size_t size_of_descr(const std::string& descr) {
  const std::pair<const char*, std::size_t> known[] = {{"<f8", 8}, {"<f4", 4}, {"<i8", 8}, {"<i4", 4}, {"|u1", 1}};
  for (const auto& [name, size] : known) {
    if (descr == name) return size;
  }
  return 0;
}

/// The raw numbers of an array.
struct RawArray {
  NpyHeader header;
  std::vector<std::byte> data;
};

std::int64_t count_of(const NpyHeader& header, std::size_t dimensions, std::int64_t most, const std::string& where) {
  if (header.shape.size() != dimensions) {
    raise<ModelError>(
        {where, "have " + show(static_cast<std::int64_t>(dimensions)) + " dimensions", "has " + show(std::ssize(header.shape))});
  }
  std::int64_t count = 1;
  for (const std::int64_t extent : header.shape) {
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count) || count > std::min(most, kMostNumbers)) {
      raise<ModelError>({where, "hold at most " + show(std::min(most, kMostNumbers)) + " numbers", "says more"});
    }
  }
  return count;
}

RawArray read_array(zip_file_t* entry, std::size_t dimensions, std::int64_t most, const std::string& where) {
  std::vector<std::byte> start(kMostHeader);
  start.resize(fill(entry, start, where));
  RawArray array{parse_npy_header(start, where), {}};
  const std::size_t size = size_of_descr(array.header.descr);
  if (size == 0) {
    raise<ModelError>({where, "hold float64, float32, int64, int32 or uint8, little endian", "holds " + show(array.header.descr)});
  }
  const auto count = static_cast<std::size_t>(count_of(array.header, dimensions, most, where));
  const std::span<const std::byte> begun = std::span<const std::byte>(start).subspan(array.header.data_begin);
  const std::size_t wanted = count * size, there = std::min(begun.size(), wanted);
  array.data.assign(begun.begin(), begun.begin() + static_cast<std::ptrdiff_t>(there));
  // In steps, so that an archive that promises more than it holds costs no more than it holds.
  constexpr std::size_t kStep = std::size_t{1} << 24;
  while (array.data.size() < wanted) {
    const std::size_t before = array.data.size();
    array.data.resize(std::min(wanted, before + kStep));
    if (fill(entry, std::span(array.data).subspan(before), where) < array.data.size() - before) {
      raise<ModelError>({where, "hold as many numbers as its shape says", "ends before"});
    }
  }
  std::byte more{};
  if (begun.size() > wanted || fill(entry, {&more, 1}, where) != 0) {
    raise<ModelError>({where, "hold as many numbers as its shape says", "goes on behind them"});
  }
  return array;
}

template <class From>
void convert(const std::vector<std::byte>& data, std::vector<double>& values) {
  values.resize(data.size() / sizeof(From));
  for (std::size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, data.data() + i * sizeof(From), sizeof(From));
    values[i] = static_cast<double>(value);
  }
}

std::string npy_of(const std::string& name, const NpzArray<double>& array) {
  std::size_t count = 1;
  for (const std::int64_t extent : array.shape) count *= static_cast<std::size_t>(extent);
  if (count != array.values.size()) {
    raise({"npz array " + name, "get as many values as its shape says", "gets " + show(std::ssize(array.values))});
  }
  std::string text = make_npy_header("<f8", array.shape);
  text.append(reinterpret_cast<const char*>(array.values.data()), array.values.size() * sizeof(double));
  return text;
}

/// An archive in memory. libzip frees sources that it takes over, so each is freed here only where it did not.
class MemoryArchive {
 public:
  MemoryArchive() {
    zip_error_init(&error_);
    source_ = zip_source_buffer_create(nullptr, 0, 0, &error_);
    if (source_ != nullptr) archive_ = zip_open_from_source(source_, ZIP_TRUNCATE, &error_);
    if (archive_ == nullptr) fail();
    zip_source_keep(source_);
  }
  ~MemoryArchive() {
    if (archive_ != nullptr) zip_discard(archive_);
    zip_source_free(source_);
    zip_error_fini(&error_);
  }
  MemoryArchive(const MemoryArchive&) = delete;
  MemoryArchive& operator=(const MemoryArchive&) = delete;

  /// `content` must live until bytes().
  void add(const std::string& name, const std::string& content) {
    zip_source_t* source = zip_source_buffer(archive_, content.data(), content.size(), 0);
    const zip_int64_t index = source == nullptr ? -1 : zip_file_add(archive_, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      fail();
    }
    const auto entry = static_cast<zip_uint64_t>(index);
    constexpr zip_uint16_t kFirstDate = 1 << 5 | 1;  // 1980-01-01, the first day that the format knows
    zip_set_file_compression(archive_, entry, ZIP_CM_STORE, 0);
    zip_file_set_dostime(archive_, entry, 0, kFirstDate, 0);
  }
  std::vector<std::byte> bytes() {
    if (zip_close(std::exchange(archive_, nullptr)) != 0) fail();
    zip_stat_t facts;
    if (zip_source_stat(source_, &facts) != 0 || zip_source_open(source_) != 0) fail();
    std::vector<std::byte> bytes(static_cast<std::size_t>(facts.size));
    const zip_int64_t count = zip_source_read(source_, bytes.data(), facts.size);
    zip_source_close(source_);
    if (count != static_cast<zip_int64_t>(facts.size)) fail();
    return bytes;
  }

 private:
  [[noreturn]] void fail() { raise<FileError>({"npz archive", "be put together", std::string("failed: ") + zip_error_strerror(&error_)}); }

  zip_error_t error_{};
  zip_source_t* source_ = nullptr;
  zip_t* archive_ = nullptr;
};

}  // namespace

struct NpzFile::Archive {
  explicit Archive(zip_t* opened) : zip(opened) {}
  ~Archive() { zip_discard(zip); }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  Entry open(const std::string& name, const std::string& where) const {
    Entry entry(zip_fopen(zip, (name + ".npy").c_str(), 0));
    if (!entry) raise<ModelError>({where, "be there and readable", std::string("opening it failed: ") + zip_strerror(zip)});
    return entry;
  }

  zip_t* zip;
};

NpzFile::NpzFile(const std::string& path) : path_(path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) raise<FileError>({path, "be a .npz file", "is no file"});
  int code = 0;
  zip_t* zip = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (zip == nullptr && code == ZIP_ER_OPEN) raise<FileError>({path, "be readable", "opening it failed"});
  if (zip == nullptr) raise<ModelError>({path, "be a .npz file", "is none: " + message_of(code)});
  archive_ = std::make_unique<Archive>(zip);
}

NpzFile::~NpzFile() = default;

bool NpzFile::has(const std::string& name) const { return zip_name_locate(archive_->zip, (name + ".npy").c_str(), 0) >= 0; }

NpzArray<double> NpzFile::numbers(const std::string& name, std::size_t dimensions, std::int64_t most) const {
  const std::string where = path_ + ": " + name;
  RawArray raw = read_array(archive_->open(name, where).get(), dimensions, most, where);
  NpzArray<double> array{std::move(raw.header.shape), {}};
  const std::string& descr = raw.header.descr;
  if (descr == "<f8") convert<double>(raw.data, array.values);
  if (descr == "<f4") convert<float>(raw.data, array.values);
  if (descr == "<i8") convert<std::int64_t>(raw.data, array.values);
  if (descr == "<i4") convert<std::int32_t>(raw.data, array.values);
  if (descr == "|u1") convert<std::uint8_t>(raw.data, array.values);
  return array;
}

NpzArray<std::uint8_t> NpzFile::bytes(const std::string& name, std::size_t dimensions, std::int64_t most) const {
  const std::string where = path_ + ": " + name;
  RawArray raw = read_array(archive_->open(name, where).get(), dimensions, most, where);
  if (raw.header.descr != "|u1") raise<ModelError>({where, "hold uint8", "holds " + show(raw.header.descr)});
  NpzArray<std::uint8_t> array{std::move(raw.header.shape), std::vector<std::uint8_t>(raw.data.size())};
  std::memcpy(array.values.data(), raw.data.data(), raw.data.size());
  return array;
}

void write_npz(const std::string& path, const std::map<std::string, NpzArray<double>>& arrays) {
  std::vector<std::string> contents;
  contents.reserve(arrays.size());
  MemoryArchive archive;
  for (const auto& [name, array] : arrays) archive.add(name + ".npy", contents.emplace_back(npy_of(name, array)));
  AtomicFile file(path);
  file.write(archive.bytes());
  file.commit();
}

}  // namespace adadiff::detail
