// Numbers that describe an image's grain, the fine noise that a classifier hardly notices, and say
// nothing about its content.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "features/feature_extractor.h"

namespace adadiff::detail {

/// The name with which open_features() gives these numbers. A file of that name can be opened as
/// ./texture.
inline constexpr const char* kTextureName = "texture";

/// The number of bands into which the spectrum of an image of this size is cut. Rings of equal
/// width reach from frequency 0 to half a cycle per pixel. There are as many rings as that highest
/// frequency has cycles along the shorter side, at most 15. One more band holds the corners beyond
/// the last ring.
std::int64_t texture_bands(std::int64_t height, std::int64_t width);
/// The number of features of such an image: its bands, the total variation, the noise and the
/// peakedness.
std::int64_t texture_dimensions(std::int64_t height, std::int64_t width);

/// Describes each image, of any size, by numbers that need no training. Each number is 0 for a
/// blank image, and the first two kinds are 1 where p or t is 1. Here x is in [0, 1],
/// e = 1 / (12 * 255^2) is the variance of rounding to 8 bits, and all means run over the channels
/// too:
///   bands       log(1 + p / e) / log(1 + 1 / e), where p is the mean of |DFT(x)|^2 / (H W) over
///               the band, without frequency 0. White noise of variance s^2 has p = s^2 in every
///               band on average
///   variation   log(1 + t / sqrt(e)) / log(1 + 1 / sqrt(e)), where
///               t = mean |x(i, j + 1) - x(i, j)| + mean |x(i + 1, j) - x(i, j)|
///   noise       the same with n = sqrt(pi / 2) / 6 * mean |r| in place of t, where
///               r = [1 -2 1; -2 4 -2; 1 -2 1] * x over whole windows; n is the deviation of white
///               noise, whatever straight edges there are (Immerkaer 1996)
///   peakedness  log((mean r^4 + 3 q^2) / (3 (mean r^2 + q)^2)) / log(1 + 1 / e), where q = 36 e;
///               above 0 where specks are few and stand out
/// Throws InvalidArgument for images without pixels and for images that check_seen_images()
/// refuses.
class TextureFeatures final : public FeatureExtractor {
 public:
  ImageFeatures extract(const Images& images) const override;
  std::string name() const override { return "texture (grain only; it says nothing of content)"; }
  std::vector<std::string> class_names() const override { return {}; }
};

/// How strong the texture of generated images is in comparison with that of real ones. A number is
/// NaN or infinite where the real images have no such texture.
struct TextureLevels {
  double total_variation_ratio = 0;  ///< mean total variation t of the generated images over that
                                     ///< of the real ones
  std::vector<double> spectrum_db;   ///< [bands] 10 log10 of the same ratio of mean powers p, from
                                     ///< low frequencies to the corners
};

/// Compares the features of both sets after undoing their logarithms. Throws InvalidArgument where
/// their dimensions differ or a set is empty.
TextureLevels compare_levels(const Features& real, const Features& generated);

}  // namespace adadiff::detail
