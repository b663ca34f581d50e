#include "io/jpeg.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

// libjpeg's header uses FILE and size_t without including their headers.
#include <jerror.h>
#include <jpeglib.h>

#include <adadiff/error.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

/// A file may have many scans, each of which costs the time of a whole picture, in a few bytes.
/// Programs write about ten.
int most_scans(const jpeg_decompress_struct& state) {
  constexpr std::int64_t kMostPixelsScanned = 8'000'000'000, kAlways = 32, kNever = 500;
  const std::int64_t pixels = std::int64_t{state.image_width} * state.image_height;
  return static_cast<int>(
      std::clamp(kMostPixelsScanned / std::max<std::int64_t>(pixels, 1), kAlways, kNever));
}

/// libjpeg's decoder and its only way to report an error: a jump out of it. What runs inside
/// `guarded` therefore owns nothing.
class JpegDecoder {
 public:
  JpegDecoder(std::span<const std::byte> jpeg, const std::string& path);
  ~JpegDecoder() { jpeg_destroy_decompress(&state_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  JpegSize size() const {
    return {static_cast<int>(state_.image_width), static_cast<int>(state_.image_height),
            state_.num_components == 1 ? 1 : 3};
  }
  bool has_ink() const { return state_.num_components == 4; }

  /// Decodes everything into `pixels`, of `row_bytes` bytes per row.
  void decode(J_COLOR_SPACE colours, unsigned char* pixels, std::size_t row_bytes);

 private:
  template <typename Step>
  void guarded(Step step) {
    if (setjmp(escape_) != 0) raise_error();
    step();
  }
  [[noreturn]] void raise_error() const;
  [[noreturn]] void escape();
  void require_known_colours() const;
  void require_all_components() const;

  static JpegDecoder& of(j_common_ptr state) {
    return *static_cast<JpegDecoder*>(state->client_data);
  }
  static void on_message(j_common_ptr state, int level);
  static void on_progress(j_common_ptr state);

  const std::string& path_;
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct state_{};
  std::jmp_buf escape_{};
  std::array<char, JMSG_LENGTH_MAX> message_{};
  bool is_cut_short_ = false;
};

JpegDecoder::JpegDecoder(std::span<const std::byte> jpeg, const std::string& path) : path_(path) {
  state_.err = jpeg_std_error(&errors_);
  state_.client_data = this;
  errors_.error_exit = [](j_common_ptr state) { of(state).escape(); };
  errors_.emit_message = on_message;
  progress_.progress_monitor = on_progress;
  try {
    guarded([&] {
      jpeg_create_decompress(&state_);
      state_.progress = &progress_;
      jpeg_mem_src(&state_, reinterpret_cast<const unsigned char*>(jpeg.data()),
                   static_cast<unsigned long>(jpeg.size()));
      jpeg_read_header(&state_, TRUE);
    });
    require_known_colours();
  } catch (...) {
    jpeg_destroy_decompress(&state_);
    throw;
  }
}

void JpegDecoder::on_message(j_common_ptr state, int level) {
  if (level >= 0) return;  // a remark for people who debug libjpeg
  const int code = state->err->msg_code;
  // Cameras and drones pad their files; what follows is found all the same.
  if (code != JWRN_EXTRANEOUS_DATA && code != JWRN_JFIF_MAJOR) of(state).escape();
}

void JpegDecoder::on_progress(j_common_ptr state) {
  JpegDecoder& decoder = of(state);
  const int most = most_scans(decoder.state_);
  if (decoder.state_.input_scan_number <= most) return;
  std::snprintf(decoder.message_.data(), decoder.message_.size(), "More than %d scans", most);
  std::longjmp(decoder.escape_, 1);
}

void JpegDecoder::escape() {
  errors_.format_message(reinterpret_cast<j_common_ptr>(&state_), message_.data());
  is_cut_short_ = errors_.msg_code == JWRN_JPEG_EOF || errors_.msg_code == JWRN_HIT_MARKER;
  std::longjmp(escape_, 1);
}

void JpegDecoder::raise_error() const {
  raise<ModelError>({path_, "be an undamaged JPEG of 8 bits per value",
                     std::string("libjpeg says: ") + message_.data(),
                     is_cut_short_ ? "the file seems to be cut short or changed"
                                   : "open it elsewhere and save it again, or fetch it again"});
}

/// Four components are inks, which programs store inverted, and say so in an Adobe segment. Without
/// one, nothing tells which way round they are.
void JpegDecoder::require_known_colours() const {
  if (!has_ink() || state_.saw_Adobe_marker == TRUE) return;
  raise<ModelError>({path_, "say in an Adobe segment what its 4 components are",
                     "has no such segment",
                     "convert it to RGB with the program that it comes from"});
}

/// libjpeg draws a component of which no scan tells anything as 0.
void JpegDecoder::require_all_components() const {
  const std::span components(state_.comp_info, static_cast<std::size_t>(state_.num_components));
  if (std::ranges::all_of(components, [](const auto& c) { return c.quant_table != nullptr; }))
    return;
  raise<ModelError>({path_, "be an undamaged JPEG of 8 bits per value",
                     "has no data for one of its components",
                     "the file seems to be cut short or changed"});
}

void JpegDecoder::decode(J_COLOR_SPACE colours, unsigned char* pixels, std::size_t row_bytes) {
  guarded([&] {
    state_.out_color_space = colours;
    state_.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&state_);
    while (state_.output_scanline < state_.output_height) {
      JSAMPROW row = pixels + row_bytes * state_.output_scanline;
      jpeg_read_scanlines(&state_, &row, 1);
    }
  });
  require_all_components();
  guarded([&] { jpeg_finish_decompress(&state_); });
}

unsigned char product(int a, int b) { return static_cast<unsigned char>((a * b + 127) / 255); }

/// The brightness of ITU-R BT.601, as libjpeg computes it from RGB.
unsigned char brightness(const std::array<unsigned char, 3>& rgb) {
  return static_cast<unsigned char>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
}

/// Pixels of four inverted inks as colours: each of cyan, magenta and yellow is darkened by black.
std::vector<unsigned char> from_inks(const std::vector<unsigned char>& inks, int channels) {
  const std::size_t pixels = inks.size() / 4;
  std::vector<unsigned char> colours(pixels * static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < pixels; ++i) {
    const unsigned char* ink = &inks[4 * i];
    const std::array rgb{product(ink[0], ink[3]), product(ink[1], ink[3]), product(ink[2], ink[3])};
    if (channels == 1) {
      colours[i] = brightness(rgb);
    } else {
      std::ranges::copy(rgb, &colours[3 * i]);
    }
  }
  return colours;
}

}  // namespace

bool is_jpeg(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0xff} && bytes[1] == std::byte{0xd8};
}

JpegSize read_jpeg_size(std::span<const std::byte> jpeg, const std::string& path) {
  return JpegDecoder(jpeg, path).size();
}

std::vector<unsigned char> decode_jpeg(std::span<const std::byte> jpeg, int channels,
                                       const std::string& path) {
  JpegDecoder decoder(jpeg, path);
  const JpegSize size = decoder.size();
  const auto row = static_cast<std::size_t>(size.width) *
                   static_cast<std::size_t>(decoder.has_ink() ? 4 : channels);
  std::vector<unsigned char> pixels(row * static_cast<std::size_t>(size.height));
  const J_COLOR_SPACE colours = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  decoder.decode(decoder.has_ink() ? JCS_CMYK : colours, pixels.data(), row);
  return decoder.has_ink() ? from_inks(pixels, channels) : pixels;
}

}  // namespace adadiff::detail
