// Tells the kinds of feature files apart, and checks the images that all extractors take.
#include "features/feature_extractor.h"

#include <array>
#include <fstream>
#include <iterator>

#include "core/check.h"
#include "features/classifier.h"
#include "features/texture_features.h"
#include "features/torchscript_features.h"

namespace adadiff::detail {

void check_seen_images(const Images& images) {
  if (images.channels != 1 && images.channels != 3) {
    raise({"images for features", "have 1 or 3 channels", "have " + show(images.channels)});
  }
  std::int64_t bytes = images.channels;
  bool fits = true;
  for (const std::int64_t extent : {images.count, images.height, images.width}) {
    fits = fits && extent >= 0 && !__builtin_mul_overflow(bytes, extent, &bytes);
  }
  if (!fits || bytes != std::ssize(images.pixels)) {
    raise({"images for features",
           "have the pixels of " + show(images.count) + " x " + show(images.height) + " x " +
               show(images.width),
           "have " + show(std::ssize(images.pixels)) + " bytes"});
  }
}

// TorchScript files are zip archives; a safetensors file begins with the length of its header.
std::unique_ptr<FeatureExtractor> open_features(const std::string& path) {
  if (path == kTextureName) return std::make_unique<TextureFeatures>();
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> start{};
  file.read(start.data(), start.size());
  const bool is_archive = file && start == std::array<char, 4>{'P', 'K', '\x03', '\x04'};
  return is_archive ? open_torchscript(path)
                    : std::unique_ptr<FeatureExtractor>(read_classifier(path));
}

}  // namespace adadiff::detail
