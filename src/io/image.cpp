// Image files; the one file with stb, which reads and writes PNG. Everything that stb allocates is
// bounded by the picture's own size, and zero where stb leaves it alone.
#include <adadiff/error.h>
#include <adadiff/image.h>

#include <climits>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "core/check.h"
#include "io/atomic_file.h"
#include "io/exif.h"
#include "io/file_kind.h"
#include "io/image_check.h"
#include "io/jpeg.h"
#include "io/mapped_file.h"
#include "io/picture_info.h"
#include "io/png_chunks.h"

namespace adadiff::detail {
namespace {

/// The largest single allocation that stb may make on this thread: a PNG's stream may inflate to
/// any size, whatever its header says.
thread_local std::size_t stb_limit = 0;

void* stb_allocate(std::size_t size) { return size > stb_limit ? nullptr : std::calloc(1, size); }
void* stb_reallocate(void* memory, std::size_t size) {
  return size > stb_limit ? nullptr : std::realloc(memory, size);
}

}  // namespace
}  // namespace adadiff::detail

#define STBI_MALLOC(size) adadiff::detail::stb_allocate(size)
#define STBI_REALLOC(memory, size) adadiff::detail::stb_reallocate(memory, size)
#define STBI_FREE(memory) std::free(memory)
#define STBI_NO_STDIO
#define STBI_ONLY_PNG
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image.h>
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace adadiff {
namespace detail {

std::size_t pixel_bytes(const Images& images, const std::string& where) {
  std::size_t pixels = 1;
  bool fits = images.channels >= 0 && images.channels <= 4;
  for (const std::int64_t extent : {images.count, images.height, images.width}) {
    fits = fits && extent >= 0 &&
           !__builtin_mul_overflow(pixels, static_cast<std::size_t>(extent), &pixels);
  }
  if (!fits || pixels > kMostPixels) {
    raise({where, "have at most 4 channels and 256 megapixels in all",
           "has " + show(images.count) + " x " + show(images.height) + " x " + show(images.width) +
               " of " + show(images.channels) + " channels"});
  }
  return pixels * static_cast<std::size_t>(images.channels);
}

void check_pixels(const Images& images, const std::string& where) {
  const std::size_t wanted = pixel_bytes(images, where);
  if (images.pixels.size() == wanted) return;
  raise({where, "get " + std::to_string(wanted) + " bytes of pixels",
         "gets " + std::to_string(images.pixels.size())});
}

namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 29;

struct StbFree {
  void operator()(stbi_uc* memory) const { stbi_image_free(memory); }
};

struct Header {
  int width = 0, height = 0, channels = 0;
};

Header read_png_header(std::span<const std::byte> bytes, const std::string& path) {
  check_png_chunks(bytes, path);
  stb_limit = std::size_t{1} << 20;
  Header header;
  if (stbi_info_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()),
                            static_cast<int>(bytes.size()), &header.width, &header.height,
                            &header.channels) == 0) {
    raise<ModelError>(with_kind({path, "be a PNG or JPEG image",
                                 std::string("reading it failed: ") + stbi_failure_reason()},
                                bytes, {"\x89PNG"}));
  }
  return header;
}

Header read_jpeg_header(std::span<const std::byte> bytes, const std::string& path) {
  const JpegSize size = read_jpeg_size(bytes, path);
  return {size.width, size.height, size.channels};
}

Header read_header(std::span<const std::byte> bytes, const std::string& path) {
  if (bytes.empty())
    raise<ModelError>(with_kind({path, "be a PNG or JPEG image", "is empty"}, bytes));
  if (bytes.size() > kLargestFile)
    raise<ModelError>(
        {path, "have at most 512 MiB", "has " + std::to_string(bytes.size()) + " bytes"});
  const Header header = is_jpeg(bytes) ? read_jpeg_header(bytes, path)
                                       : read_png_header(bytes, path);
  const std::size_t pixels = static_cast<std::size_t>(header.width) *
                             static_cast<std::size_t>(header.height);
  if (pixels > kMostPixels)
    raise<ModelError>(
        {path, "have at most 256 megapixels", "has " + std::to_string(pixels) + " pixels"});
  return header;
}

/// Room for 16 bits in four channels, doubled as stb doubles its buffers, and for the compressed
/// bytes.
std::size_t limit_for(const Header& header, std::size_t file_size) {
  const std::size_t pixels = static_cast<std::size_t>(header.width) *
                             static_cast<std::size_t>(header.height);
  return 18 * pixels + 2 * file_size + (std::size_t{1} << 20);
}

/// Grey stays grey, colour is colour; transparency is dropped.
int wanted_channels(int asked, int stored) {
  if (asked != 0) return asked;
  return stored <= 2 ? 1 : 3;
}

std::vector<unsigned char> decode_png(std::span<const std::byte> bytes, const Header& header,
                                      int channels, const std::string& path) {
  stb_limit = limit_for(header, bytes.size());
  int width = 0, height = 0, stored = 0;
  const std::unique_ptr<stbi_uc, StbFree> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()),
                            static_cast<int>(bytes.size()), &width, &height, &stored, channels));
  if (pixels == nullptr)
    raise<ModelError>({path, "be an undamaged image",
                       std::string("reading it failed: ") + stbi_failure_reason()});
  const std::size_t size = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                           static_cast<std::size_t>(channels);
  return {pixels.get(), pixels.get() + size};
}

void append(void* to, void* data, int size) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(data),
                                        static_cast<std::size_t>(size));
}

std::string encode_png(const Images& image, const std::string& path) {
  const auto width = static_cast<int>(image.width), height = static_cast<int>(image.height),
             channels = static_cast<int>(image.channels);
  std::string encoded;
  if (stbi_write_png_to_func(append, &encoded, width, height, channels, image.pixels.data(),
                             width * channels) == 0) {
    raise<FileError>({path, "be encoded as PNG", "the encoder has no memory"});
  }
  return encoded;
}

}  // namespace
}  // namespace detail

void write_png(const Images& images, const std::string& path) {
  const Images image = tile(images);
  if (image.count == 0 || image.pixels.empty() || (image.channels != 1 && image.channels != 3)) {
    detail::raise({path, "get at least one image of 1 or 3 channels",
                   "gets " + detail::show(images.count) + " of " + detail::show(images.channels)});
  }
  const std::string encoded = detail::encode_png(image, path);
  detail::AtomicFile file(path);
  file.write(encoded);
  file.commit();
}

Images read_image(const std::string& path, int channels) {
  if (channels != 0 && channels != 1 && channels != 3) {
    detail::raise({"read_image.channels", "be 0, 1 or 3", "is " + detail::show(channels)});
  }
  const detail::MappedFile file(path);
  const detail::Header header = detail::read_header(file.bytes(), path);
  const int wanted = detail::wanted_channels(channels, header.channels);
  Images image{.count = 1, .height = header.height, .width = header.width, .channels = wanted};
  image.pixels = detail::is_jpeg(file.bytes())
                     ? detail::decode_jpeg(file.bytes(), wanted, path)
                     : detail::decode_png(file.bytes(), header, wanted, path);
  return detail::turn(std::move(image), detail::exif_orientation(file.bytes()));
}

detail::PictureInfo detail::read_picture_info(const std::string& path) {
  const MappedFile file(path);
  const Header header = read_header(file.bytes(), path);
  PictureInfo info{.height = header.height,
                   .width = header.width,
                   .is_grey = header.channels <= 2,
                   .has_transparency = header.channels % 2 == 0,
                   .orientation = exif_orientation(file.bytes())};
  if (info.orientation >= 5) std::swap(info.height, info.width);
  return info;
}

}  // namespace adadiff
