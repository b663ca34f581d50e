// Computes the spectrum in bands, the total variation, and the responses of a mask that answers to
// specks.
#include "features/texture_features.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/check.h"
#include "device/parallel.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kMostRings = 15, kPixelNumbers = 3;
// A batch has at most this many values, and at least one image.
constexpr std::int64_t kBatchValues = 1 << 20;
constexpr double kRoundingVariance = 1 / (12 * 255.0 * 255);  // of rounding to 8 bits
constexpr double kMaskGain = 36;                              // the sum of the mask's squares

struct ImageSize {
  std::int64_t channels, height, width;
  /// The number of coefficients that describe the transform of a real row.
  std::int64_t half_width() const { return width / 2 + 1; }
};

std::int64_t rings_of(std::int64_t height, std::int64_t width) {
  return std::clamp<std::int64_t>(std::min(height, width) / 2, 1, kMostRings);
}

/// The band to which each coefficient of the half spectrum [H, W / 2 + 1] counts, and the share of
/// its squared magnitude that counts.
struct BandMap {
  std::vector<std::int64_t> band;
  std::vector<double> share;
};

BandMap map_bands(const ImageSize& size) {
  const std::int64_t rings = rings_of(size.height, size.width);
  const double height = static_cast<double>(size.height), width = static_cast<double>(size.width);
  std::vector<double> counts(static_cast<std::size_t>(rings + 1));
  BandMap map;
  for (std::int64_t u = 0; u < size.height; ++u) {
    for (std::int64_t v = 0; v < size.half_width(); ++v) {
      const double down = static_cast<double>(std::min(u, size.height - u)) * width,
                   across = static_cast<double>(v) * height;
      // The squared frequency in units of a ring's width. The sums are of whole numbers, so a
      // frequency on the edge between two rings is in the inner one.
      const double square = 4 * static_cast<double>(rings * rings) *
                            (down * down + across * across) / (height * height * width * width);
      const std::int64_t band = std::min<std::int64_t>(std::llround(std::ceil(std::sqrt(square))),
                                                       rings + 1) -
                                1;
      // The complex conjugate of such a coefficient is in the other half.
      const bool is_pair = v > 0 && 2 * v != size.width;
      const double weight = band < 0 ? 0 : is_pair ? 2 : 1;
      map.band.push_back(std::max<std::int64_t>(band, 0));
      map.share.push_back(weight);
      counts[static_cast<std::size_t>(map.band.back())] += weight;
    }
  }
  for (std::size_t i = 0; i < map.share.size(); ++i) {
    if (map.share[i] > 0)
      map.share[i] /= counts[static_cast<std::size_t>(map.band[i])] * height * width *
                      static_cast<double>(size.channels);
  }
  return map;
}

/// Sums over all channels of one image.
struct PixelSums {
  double across = 0, down = 0;  ///< magnitudes of differences between neighbours
  double magnitudes = 0, squares = 0, fourth_powers = 0;  ///< sums over the responses of the mask
};

void add_differences(const double* plane, const ImageSize& size, PixelSums& sums) {
  for (std::int64_t y = 0; y < size.height; ++y) {
    const double* row = plane + y * size.width;
    for (std::int64_t x = 0; x + 1 < size.width; ++x) sums.across += std::abs(row[x + 1] - row[x]);
    if (y + 1 == size.height) continue;
    for (std::int64_t x = 0; x < size.width; ++x)
      sums.down += std::abs(row[x + size.width] - row[x]);
  }
}

void add_responses(const double* plane, const ImageSize& size, PixelSums& sums) {
  for (std::int64_t y = 1; y + 1 < size.height; ++y) {
    const double *row = plane + y * size.width, *above = row - size.width,
                 *below = row + size.width;
    for (std::int64_t x = 1; x + 1 < size.width; ++x) {
      const auto column = [&](std::int64_t at) { return above[at] - 2 * row[at] + below[at]; };
      const double response = column(x - 1) - 2 * column(x) + column(x + 1),
                   square = response * response;
      sums.magnitudes += std::abs(response);
      sums.squares += square;
      sums.fourth_powers += square * square;
    }
  }
}

double mean_of(double sum, std::int64_t count) {
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

/// A logarithmic scale: 0 for 0, 1 for 1, and nearly linear where a value is smaller than rounding.
double level(double value, double rounding) {
  return std::log1p(value / rounding) / std::log1p(1 / rounding);
}
double undo_level(double number, double rounding) {
  return rounding * std::expm1(number * std::log1p(1 / rounding));
}

/// Writes the total variation, the noise and the peakedness of an image into `numbers`.
void describe_pixels(const double* image, const ImageSize& size, double* numbers) {
  PixelSums sums;
  for (std::int64_t c = 0; c < size.channels; ++c) {
    add_differences(image + c * size.height * size.width, size, sums);
    add_responses(image + c * size.height * size.width, size, sums);
  }
  const std::int64_t windows = size.channels * std::max<std::int64_t>(size.height - 2, 0) *
                               std::max<std::int64_t>(size.width - 2, 0);
  const double variation = mean_of(sums.across, size.channels * size.height * (size.width - 1)) +
                           mean_of(sums.down, size.channels * (size.height - 1) * size.width);
  const double noise = std::sqrt(std::numbers::pi / 2) / std::sqrt(kMaskGain) *
                       mean_of(sums.magnitudes, windows);
  const double rounding = kMaskGain * kRoundingVariance,
               square = mean_of(sums.squares, windows) + rounding;
  const double deviation = std::sqrt(kRoundingVariance);
  const double ratio = (mean_of(sums.fourth_powers, windows) + 3 * rounding * rounding) /
                       (3 * square * square);
  numbers[0] = level(variation, deviation);
  numbers[1] = level(noise, deviation);
  numbers[2] = std::log(ratio) / std::log1p(1 / kRoundingVariance);
}

/// The images [first, first + count) as float64 [count, C, H, W] in [0, 1].
at::Tensor planes_of(const Images& images, std::int64_t first, std::int64_t count) {
  const std::int64_t values = images.height * images.width * images.channels;
  // from_blob takes no const pointer; the memory is only read.
  auto* pixels = const_cast<std::uint8_t*>(images.pixels.data() + first * values);
  return at::from_blob(pixels, {count, images.height, images.width, images.channels}, at::kByte)
      .to(at::kDouble)
      .permute({0, 3, 1, 2})
      .contiguous()
      .div_(255);
}

}  // namespace

std::int64_t texture_bands(std::int64_t height, std::int64_t width) {
  return rings_of(height, width) + 1;
}

std::int64_t texture_dimensions(std::int64_t height, std::int64_t width) {
  return texture_bands(height, width) + kPixelNumbers;
}

ImageFeatures TextureFeatures::extract(const Images& images) const {
  check_seen_images(images);
  if (images.height < 1 || images.width < 1) {
    raise({"images for texture", "have pixels",
           "are " + show(images.height) + " x " + show(images.width)});
  }
  const at::NoGradGuard no_gradient;
  const ImageSize size{images.channels, images.height, images.width};
  const BandMap map = map_bands(size);
  const std::int64_t bands = texture_bands(size.height, size.width),
                     values = size.channels * size.height * size.width;
  ImageFeatures out{Features::Zero(images.count, bands + kPixelNumbers), {}};
  const std::int64_t batch = std::max<std::int64_t>(kBatchValues / values, 1);
  for (std::int64_t first = 0; first < images.count; first += batch) {
    const std::int64_t count = std::min(batch, images.count - first);
    const at::Tensor x = planes_of(images, first, count);
    const at::Tensor power = at::view_as_real(at::fft_rfft2(x))
                                 .square()
                                 .sum({1, 4})
                                 .contiguous();  // [count, H, W / 2 + 1]
    const std::int64_t coefficients = std::ssize(map.band);
    parallel_rows(count, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t image = begin; image < end; ++image) {
        double* numbers = out.features.row(first + image).data();
        const double* powers = power.const_data_ptr<double>() + image * coefficients;
        for (std::size_t i = 0; i < map.band.size(); ++i)
          numbers[map.band[i]] += map.share[i] * powers[i];
        for (std::int64_t band = 0; band < bands; ++band)
          numbers[band] = level(numbers[band], kRoundingVariance);
        describe_pixels(x.const_data_ptr<double>() + image * values, size, numbers + bands);
      }
    });
  }
  return out;
}

TextureLevels compare_levels(const Features& real, const Features& generated) {
  check_features(real, "real texture", 1);
  check_features(generated, "generated texture", 1);
  check_same_dimensions(real, generated);
  const Eigen::Index bands = real.cols() - kPixelNumbers;
  if (bands < 1)
    raise({"texture", "have more than " + show(kPixelNumbers) + " numbers per image",
           "has " + show(std::int64_t{real.cols()})});
  const auto ratio = [&](Eigen::Index column, double rounding) {
    const auto mean = [&](const Features& set) {
      return set.col(column).unaryExpr([&](double n) { return undo_level(n, rounding); }).mean();
    };
    return mean(generated) / mean(real);
  };
  TextureLevels levels{.total_variation_ratio = ratio(bands, std::sqrt(kRoundingVariance)),
                       .spectrum_db = {}};
  for (Eigen::Index band = 0; band < bands; ++band)
    levels.spectrum_db.push_back(10 * std::log10(ratio(band, kRoundingVariance)));
  return levels;
}

}  // namespace adadiff::detail
