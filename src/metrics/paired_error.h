// How much images differ from those of another run on the same noise.
#pragma once

#include <cstdint>
#include <vector>

namespace adadiff::detail {

/// Two sets of images [count, channels, height, width], and the range of values that is shown as
/// black to white; values are clamped to this range.
struct ImagePair {
  const std::vector<float>& first;
  const std::vector<float>& second;
  std::int64_t channels = 1, height = 0, width = 0;
  float low = -1, high = 1;
};

struct PairedError {
  double mse = 0;      ///< mean square of the differences, in units of the range squared
  double psnr_db = 0;  ///< psnr_db(mse); NaN for identical images
  double ssim = 0;     ///< mean structural similarity; NaN for images with a side below 11
};

/// Compares all images together. Throws InvalidArgument where the sets differ in size or are empty.
PairedError paired_error(const ImagePair& pair);

/// Computes only the mean square. Throws the same errors.
double mean_square(const ImagePair& pair);
/// Peak signal-to-noise ratio of a mean square in units of the range squared; NaN for 0.
double psnr_db(double mse);

/// The structural similarity (Wang et al. 2004, eq. 13) of two planes [height, width] with values
/// in [0, 1]: a Gaussian window of 11 × 11 with deviation 1.5, K1 0.01, K2 0.03, and the mean over
/// the windows that lie inside the plane. Both sides must be at least 11.
double structural_similarity(const std::vector<double>& first, const std::vector<double>& second,
                             std::int64_t height, std::int64_t width);

}  // namespace adadiff::detail
