// Reads exactly as many bytes as the header says, from the file itself or through zlib, and asks
// for the end behind them.
#include "io/idx.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "core/check.h"
#include "io/file_kind.h"
#include "io/mapped_file.h"

namespace adadiff::detail {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;  // memory grows with what has arrived, not
                                                      // with what the header promises
constexpr int kUnsignedBytes = 0x08;
constexpr std::size_t kMostDimensions = 8;
constexpr int kGzipOnly = 16 + MAX_WBITS;

/// Bytes in order, from wherever they come.
class Source {
 public:
  explicit Source(std::string name) : name_(std::move(name)) {}
  virtual ~Source() = default;
  /// Fills `to` as far as there are bytes; returns how many.
  virtual std::size_t read(std::span<std::uint8_t> to) = 0;

  void read_all(std::span<std::uint8_t> to) {
    if (read(to) != to.size())
      raise<ModelError>({name_, "hold as many bytes as its idx header says", "ends too early"});
  }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

class PlainSource final : public Source {
 public:
  PlainSource(std::string name, std::span<const std::byte> bytes)
      : Source(std::move(name)), bytes_(bytes) {}
  std::size_t read(std::span<std::uint8_t> to) override {
    const std::size_t count = std::min(to.size(), bytes_.size());
    if (count > 0) std::memcpy(to.data(), bytes_.data(), count);
    bytes_ = bytes_.subspan(count);
    return count;
  }

 private:
  std::span<const std::byte> bytes_;
};

class GzipSource final : public Source {
 public:
  GzipSource(std::string name, std::span<const std::byte> bytes)
      : Source(std::move(name)), left_(bytes) {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK)
      raise<Error>({this->name(), "be readable", "zlib has no memory"});
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { inflateEnd(&stream_); }

  std::size_t read(std::span<std::uint8_t> to) override {
    std::size_t done = 0;
    while (done < to.size() && !is_finished_) done += inflate_piece(to.subspan(done));
    return done;
  }

 private:
  std::size_t inflate_piece(std::span<std::uint8_t> to) {
    const auto input = static_cast<uInt>(std::min(left_.size(), kPiece));
    const auto output = static_cast<uInt>(std::min(to.size(), kPiece));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(left_.data()));
    stream_.avail_in = input;
    stream_.next_out = to.data();
    stream_.avail_out = output;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    left_ = left_.subspan(input - stream_.avail_in);
    const std::size_t made = output - stream_.avail_out;
    if (result == Z_STREAM_END) {
      is_finished_ = true;
      if (!left_.empty())
        raise<ModelError>({name(), "end with its gzip stream", "has bytes behind it"});
    } else if (result != Z_OK) {
      raise<ModelError>({name(), "be an undamaged gzip file",
                         result == Z_BUF_ERROR ? "is cut short" : "is damaged"});
    }
    return made;
  }

  z_stream stream_ = {};
  std::span<const std::byte> left_;
  bool is_finished_ = false;
};

std::vector<std::int64_t> read_shape(Source& source) {
  std::uint8_t magic[4] = {};
  source.read_all(magic);
  if (magic[0] != 0 || magic[1] != 0)
    raise<ModelError>({source.name(), "be an idx file", "does not begin like one"});
  if (magic[2] != kUnsignedBytes) {
    raise<ModelError>({source.name(), "hold unsigned bytes (idx type 8)",
                       "holds idx type " + show(static_cast<int>(magic[2]))});
  }
  if (magic[3] == 0 || magic[3] > kMostDimensions) {
    raise<ModelError>(
        {source.name(), "have 1 to 8 dimensions", "has " + show(static_cast<int>(magic[3]))});
  }
  std::vector<std::int64_t> shape;
  for (int i = 0; i < magic[3]; ++i) {
    std::uint8_t extent[4] = {};
    source.read_all(extent);
    shape.push_back(std::int64_t{extent[0]} << 24 | extent[1] << 16 | extent[2] << 8 | extent[3]);
  }
  return shape;
}

std::size_t element_count(const std::vector<std::int64_t>& shape, std::size_t most_bytes,
                          const std::string& name) {
  std::size_t count = 1;
  bool fits = true;
  for (const std::int64_t extent : shape)
    fits = fits && !__builtin_mul_overflow(count, static_cast<std::size_t>(extent), &count);
  if (!fits || count > most_bytes) {
    raise<ModelError>(
        {name, "hold at most " + std::to_string(most_bytes) + " bytes", "says that it holds more"});
  }
  return count;
}

IdxArray read_from(Source& source, std::size_t most_bytes) {
  IdxArray array;
  array.shape = read_shape(source);
  const std::size_t count = element_count(array.shape, most_bytes, source.name());
  while (array.values.size() < count) {
    const std::size_t done = array.values.size();
    array.values.resize(done + std::min(kPiece, count - done));
    source.read_all(std::span(array.values).subspan(done));
  }
  std::uint8_t behind = 0;
  if (source.read({&behind, 1}) != 0)
    raise<ModelError>({source.name(), "end with its last element", "has bytes behind it"});
  return array;
}

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

}  // namespace

IdxArray read_idx(const std::string& path, std::size_t most_bytes) {
  const MappedFile file(path);
  if (is_gzip(file.bytes())) {
    GzipSource source(path, file.bytes());
    return read_from(source, most_bytes);
  }
  const auto byte_at = [&](std::size_t i) {
    return file.bytes().size() > i ? std::to_integer<int>(file.bytes()[i]) : -1;
  };
  const bool may_be_idx = byte_at(0) == 0 && byte_at(1) == 0 && byte_at(2) != 0;
  const auto kind = may_be_idx ? std::nullopt : kind_of(file.bytes());
  if (kind) raise<ModelError>({path, "be an idx file", "is " + kind->name, kind->advice});
  PlainSource source(path, file.bytes());
  return read_from(source, most_bytes);
}

}  // namespace adadiff::detail
