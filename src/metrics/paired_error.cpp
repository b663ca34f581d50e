// Mean squares, PSNR and SSIM in double.
#include "metrics/paired_error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kWindow = 11, kCentre = kWindow / 2;
constexpr double kDeviation = 1.5;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::int64_t image_values(const ImagePair& pair) {
  return pair.channels * pair.height * pair.width;
}

std::int64_t count_images(const ImagePair& pair) {
  const std::int64_t values = image_values(pair);
  if (values < 1 || pair.first.empty() || pair.first.size() != pair.second.size() ||
      std::ssize(pair.first) % values != 0) {
    raise({"paired images", "be as many of one size, at least one",
           "are " + show(std::ssize(pair.first)) + " and " + show(std::ssize(pair.second)) +
               " values for images of " + show(values)});
  }
  return std::ssize(pair.first) / values;
}

/// A value as it is shown, in [0, 1].
double shown(float value, const ImagePair& pair) {
  return (static_cast<double>(std::clamp(value, pair.low, pair.high)) -
          static_cast<double>(pair.low)) /
         (static_cast<double>(pair.high) - static_cast<double>(pair.low));
}

std::vector<double> plane(const std::vector<float>& values, std::int64_t index,
                          const ImagePair& pair) {
  const std::int64_t size = pair.height * pair.width;
  std::vector<double> out(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i)
    out[static_cast<std::size_t>(i)] = shown(values[static_cast<std::size_t>(index * size + i)],
                                             pair);
  return out;
}

std::array<double, kWindow> gaussian() {
  std::array<double, kWindow> weights{};
  double sum = 0;
  for (std::int64_t i = 0; i < kWindow; ++i) {
    const double distance = static_cast<double>(i - kCentre) / kDeviation;
    sum += weights[static_cast<std::size_t>(i)] = std::exp(-0.5 * distance * distance);
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// The windowed means of a plane: [height, width] -> [height - 10, width - 10], first along the
/// lines, then across them.
std::vector<double> blur(const std::vector<double>& values, std::int64_t height,
                         std::int64_t width) {
  static const std::array<double, kWindow> weights = gaussian();
  const std::int64_t narrow = width - kWindow + 1, low = height - kWindow + 1;
  std::vector<double> lines(static_cast<std::size_t>(height * narrow)),
      out(static_cast<std::size_t>(low * narrow));
  const auto sum = [](const std::vector<double>& from, std::int64_t start, std::int64_t stride) {
    double total = 0;
    for (std::int64_t k = 0; k < kWindow; ++k)
      total += weights[static_cast<std::size_t>(k)] *
               from[static_cast<std::size_t>(start + k * stride)];
    return total;
  };
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < narrow; ++x)
      lines[static_cast<std::size_t>(y * narrow + x)] = sum(values, y * width + x, 1);
  }
  for (std::int64_t i = 0; i < low * narrow; ++i)
    out[static_cast<std::size_t>(i)] = sum(lines, i, narrow);
  return out;
}

std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> out(a.size());
  std::transform(a.begin(), a.end(), b.begin(), out.begin(), std::multiplies<>());
  return out;
}

double mean_similarity(const ImagePair& pair) {
  if (pair.height < kWindow || pair.width < kWindow) return kNaN;
  const std::int64_t planes = count_images(pair) * pair.channels;
  double sum = 0;
  for (std::int64_t i = 0; i < planes; ++i) {
    sum += structural_similarity(plane(pair.first, i, pair), plane(pair.second, i, pair),
                                 pair.height, pair.width);
  }
  return sum / static_cast<double>(planes);
}

}  // namespace

double structural_similarity(const std::vector<double>& first, const std::vector<double>& second,
                             std::int64_t height, std::int64_t width) {
  constexpr double kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;
  const auto blurred = [&](const std::vector<double>& values) {
    return blur(values, height, width);
  };
  const auto mean1 = blurred(first), mean2 = blurred(second);
  const auto square1 = blurred(product(first, first)), square2 = blurred(product(second, second)),
             mixed = blurred(product(first, second));
  double sum = 0;
  for (std::size_t i = 0; i < mean1.size(); ++i) {
    const double m1 = mean1[i], m2 = mean2[i], variance1 = square1[i] - m1 * m1,
                 variance2 = square2[i] - m2 * m2;
    const double covariance = mixed[i] - m1 * m2;
    sum += (2 * m1 * m2 + kC1) * (2 * covariance + kC2) /
           ((m1 * m1 + m2 * m2 + kC1) * (variance1 + variance2 + kC2));
  }
  return sum / static_cast<double>(mean1.size());
}

double mean_square(const ImagePair& pair) {
  count_images(pair);
  double sum = 0;
  for (std::size_t i = 0; i < pair.first.size(); ++i) {
    const double difference = shown(pair.first[i], pair) - shown(pair.second[i], pair);
    sum += difference * difference;
  }
  return sum / static_cast<double>(pair.first.size());
}

double psnr_db(double mse) { return mse > 0 ? -10 * std::log10(mse) : kNaN; }

PairedError paired_error(const ImagePair& pair) {
  const double mse = mean_square(pair);
  return {mse, psnr_db(mse), mean_similarity(pair)};
}

}  // namespace adadiff::detail
