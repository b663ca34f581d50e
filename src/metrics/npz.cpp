// The one file that uses libzip.
#include "metrics/npz.h"

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
#include "io/file_kind.h"
#include "io/mapped_file.h"
#include "io/npy_header.h"
#include "metrics/spread.h"

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

/// Reads until `bytes` is full or the entry ends, and returns how many bytes that were.
std::size_t fill(zip_file_t* entry, std::span<std::byte> bytes, const std::string& where) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const zip_int64_t count = zip_fread(entry, bytes.data() + done, bytes.size() - done);
    if (count < 0)
      raise<ModelError>({where, "be an intact entry",
                         std::string("reading it failed: ") + zip_file_strerror(entry)});
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

/// Reads an array's header, and then its bytes one after the other.
class ArrayReader {
 public:
  ArrayReader(Entry entry, std::string where)
      : entry_(std::move(entry)), where_(std::move(where)), start_(kMostHeader) {
    start_.resize(fill(entry_.get(), start_, where_));
    header_ = parse_npy_header(start_, where_);
    place_ = header_.data_begin;
  }

  const NpyHeader& header() const { return header_; }
  void read(std::span<std::byte> bytes) {
    const std::size_t begun = std::min(bytes.size(), start_.size() - place_);
    std::copy_n(start_.data() + place_, begun, bytes.data());
    place_ += begun;
    if (fill(entry_.get(), bytes.subspan(begun), where_) == bytes.size() - begun) return;
    raise<ModelError>({where_, "hold as many numbers as its shape says", "ends before"});
  }
  void skip(std::uint64_t count) {
    std::vector<std::byte> dropped(static_cast<std::size_t>(std::min<std::uint64_t>(count, kStep)));
    for (std::uint64_t left = count; left > 0; left -= std::min<std::uint64_t>(left, kStep)) {
      read(
          std::span(dropped).first(static_cast<std::size_t>(std::min<std::uint64_t>(left, kStep))));
    }
  }
  void require_end() {
    std::byte more{};
    if (place_ == start_.size() && fill(entry_.get(), {&more, 1}, where_) == 0) return;
    raise<ModelError>({where_, "hold as many numbers as its shape says", "goes on behind them"});
  }

  /// In bytes; divisible by the size of every type of number.
  static constexpr std::size_t kStep = std::size_t{1} << 20;

 private:
  Entry entry_;
  std::string where_;
  std::vector<std::byte> start_;  ///< the header and the bytes that were read with it
  NpyHeader header_;
  std::size_t place_ = 0;  ///< position in start_
};

/// Which rows of an array are kept.
struct Kept {
  std::int64_t rows = 0, of = 0;  ///< how many rows of the first dimension are kept, and of how
                                  ///< many
  std::uint64_t row_numbers = 1;
};

Kept kept_of(const NpyHeader& header, const ArrayLimits& limits, const std::string& where) {
  if (header.shape.size() != limits.dimensions) {
    raise<ModelError>({where,
                       "have " + show(static_cast<std::int64_t>(limits.dimensions)) + " dimensions",
                       "has " + show(std::ssize(header.shape))});
  }
  const auto refuse = [&] {
    raise<ModelError>({where, "hold at most " + show(limits.most) + " numbers", "says more"});
  };
  std::int64_t all = 1, numbers = 0;
  for (const std::int64_t extent : header.shape) {
    if (extent < 1) raise<ModelError>({where, "hold numbers", "is empty"});
    if (__builtin_mul_overflow(all, extent, &all) || all > kMostNumbers) refuse();
  }
  const std::int64_t rows = header.shape.front(), kept = std::min(rows, limits.most_rows),
                     row = all / rows;
  if (__builtin_mul_overflow(kept, row, &numbers) || numbers > limits.most) refuse();
  return {kept, rows, static_cast<std::uint64_t>(row)};
}

std::vector<std::int64_t> kept_shape(const NpyHeader& header, const Kept& kept) {
  std::vector<std::int64_t> shape = header.shape;
  shape.front() = kept.rows;
  return shape;
}

/// Reads the kept rows in pieces, so that an archive that promises more than it holds costs no more
/// than it holds.
template <class From, class To>
void read_numbers(ArrayReader& reader, Kept kept, std::vector<To>& values) {
  if (kept.rows == kept.of) kept = {1, 1, static_cast<std::uint64_t>(kept.of) * kept.row_numbers};
  constexpr std::uint64_t kPiece = ArrayReader::kStep / sizeof(From);
  std::vector<From> piece;
  std::int64_t next = 0;  // the row at which the reader stands
  for (std::int64_t i = 0; i < kept.rows; ++i) {
    const std::int64_t row = evenly_spread(i, kept.rows, kept.of);
    reader.skip(static_cast<std::uint64_t>(row - next) * kept.row_numbers * sizeof(From));
    next = row + 1;
    for (std::uint64_t left = kept.row_numbers; left > 0; left -= piece.size()) {
      piece.resize(static_cast<std::size_t>(std::min(left, kPiece)));
      reader.read(std::as_writable_bytes(std::span(piece)));
      values.insert(values.end(), piece.begin(), piece.end());
    }
  }
  reader.skip(static_cast<std::uint64_t>(kept.of - next) * kept.row_numbers * sizeof(From));
  reader.require_end();
}

std::string npy_of(const std::string& name, const NpzArray<double>& array) {
  std::size_t count = 1;
  for (const std::int64_t extent : array.shape) count *= static_cast<std::size_t>(extent);
  if (count != array.values.size()) {
    raise({"npz array " + name, "get as many values as its shape says",
           "gets " + show(std::ssize(array.values))});
  }
  std::string text = make_npy_header("<f8", array.shape);
  text.append(reinterpret_cast<const char*>(array.values.data()),
              array.values.size() * sizeof(double));
  return text;
}

struct FreeSource {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
struct DiscardArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Source = std::unique_ptr<zip_source_t, FreeSource>;

/// An archive in memory. libzip takes over a source where a call with it succeeds, and only there.
class MemoryArchive {
 public:
  MemoryArchive() {
    zip_error_t error;
    zip_error_init(&error);
    source_.reset(zip_source_buffer_create(nullptr, 0, 0, &error));
    if (source_) archive_.reset(zip_open_from_source(source_.get(), ZIP_TRUNCATE, &error));
    const std::string message = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (!archive_) fail(message);
    zip_source_keep(source_.get());  // the archive is read from it after it is closed
  }

  /// `content` must live until bytes().
  void add(const std::string& name, const std::string& content) {
    Source source(zip_source_buffer(archive_.get(), content.data(), content.size(), 0));
    const zip_int64_t index = source ? zip_file_add(archive_.get(), name.c_str(), source.get(),
                                                    ZIP_FL_ENC_UTF_8)
                                     : -1;
    if (index < 0) fail(zip_strerror(archive_.get()));
    static_cast<void>(source.release());
    const auto entry = static_cast<zip_uint64_t>(index);
    constexpr zip_uint16_t kFirstDate = 1 << 5 |
                                        1;  // 1980-01-01, the first day that the format knows
    zip_set_file_compression(archive_.get(), entry, ZIP_CM_STORE, 0);
    zip_file_set_dostime(archive_.get(), entry, 0, kFirstDate, 0);
  }
  /// Closes the archive and returns its bytes.
  std::vector<std::byte> bytes() {
    if (zip_close(archive_.get()) != 0) fail(zip_strerror(archive_.get()));
    static_cast<void>(archive_.release());
    zip_stat_t facts;
    if (zip_source_stat(source_.get(), &facts) != 0 || zip_source_open(source_.get()) != 0)
      fail(source_error());
    std::vector<std::byte> bytes(static_cast<std::size_t>(facts.size));
    const zip_int64_t count = zip_source_read(source_.get(), bytes.data(), facts.size);
    zip_source_close(source_.get());
    if (count != static_cast<zip_int64_t>(facts.size)) fail(source_error());
    return bytes;
  }

 private:
  std::string source_error() { return zip_error_strerror(zip_source_error(source_.get())); }
  [[noreturn]] static void fail(const std::string& reason) {
    raise<FileError>({"npz archive", "be put together", "failed: " + reason});
  }

  Source source_;
  std::unique_ptr<zip_t, DiscardArchive> archive_;
};

}  // namespace

struct NpzFile::Archive {
  explicit Archive(zip_t* opened) : zip(opened) {}
  ~Archive() { zip_discard(zip); }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  Entry open(const std::string& name, const std::string& where) const {
    Entry entry(zip_fopen(zip, (name + ".npy").c_str(), 0));
    if (!entry)
      raise<ModelError>(
          {where, "be there and readable", std::string("opening it failed: ") + zip_strerror(zip)});
    return entry;
  }

  zip_t* zip;
};

NpzFile::NpzFile(const std::string& path) : path_(path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    raise<FileError>({path, "be a .npz file", "is no file"});
  int code = 0;
  zip_t* zip = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (zip == nullptr && code == ZIP_ER_OPEN)
    raise<FileError>({path, "be readable", "opening it failed"});
  if (zip == nullptr)
    raise<ModelError>(with_kind({path, "be a .npz file", "is none: " + message_of(code)},
                                MappedFile(path).bytes(), {"PK"}));
  archive_ = std::make_unique<Archive>(zip);
}

NpzFile::~NpzFile() = default;

bool NpzFile::has(const std::string& name) const {
  return zip_name_locate(archive_->zip, (name + ".npy").c_str(), 0) >= 0;
}

std::vector<std::int64_t> NpzFile::shape(const std::string& name) const {
  const std::string where = path_ + ": " + name;
  return ArrayReader(archive_->open(name, where), where).header().shape;
}

NpzArray<double> NpzFile::numbers(const std::string& name, const ArrayLimits& limits) const {
  const std::string where = path_ + ": " + name;
  ArrayReader reader(archive_->open(name, where), where);
  const std::string& descr = reader.header().descr;
  const Kept kept = kept_of(reader.header(), limits, where);
  NpzArray<double> array{kept_shape(reader.header(), kept), {}};
  if (descr == "<f8") {
    read_numbers<double>(reader, kept, array.values);
  } else if (descr == "<f4") {
    read_numbers<float>(reader, kept, array.values);
  } else if (descr == "<i8") {
    read_numbers<std::int64_t>(reader, kept, array.values);
  } else if (descr == "<i4") {
    read_numbers<std::int32_t>(reader, kept, array.values);
  } else if (descr == "|u1") {
    read_numbers<std::uint8_t>(reader, kept, array.values);
  } else {
    raise<ModelError>({where, "hold float64, float32, int64, int32 or uint8, little endian",
                       "holds " + show(descr)});
  }
  return array;
}

NpzArray<std::uint8_t> NpzFile::bytes(const std::string& name, const ArrayLimits& limits) const {
  const std::string where = path_ + ": " + name;
  ArrayReader reader(archive_->open(name, where), where);
  if (reader.header().descr != "|u1")
    raise<ModelError>({where, "hold uint8", "holds " + show(reader.header().descr)});
  const Kept kept = kept_of(reader.header(), limits, where);
  NpzArray<std::uint8_t> array{kept_shape(reader.header(), kept), {}};
  read_numbers<std::uint8_t>(reader, kept, array.values);
  return array;
}

void write_npz(const std::string& path, const std::map<std::string, NpzArray<double>>& arrays) {
  std::vector<std::string> contents;
  contents.reserve(arrays.size());
  MemoryArchive archive;
  for (const auto& [name, array] : arrays)
    archive.add(name + ".npy", contents.emplace_back(npy_of(name, array)));
  AtomicFile file(path);
  file.write(archive.bytes());
  file.commit();
}

}  // namespace adadiff::detail
