// Tells the kinds of files apart.
#include "evaluation/feature_extractor.h"

#include <array>
#include <cstdio>
#include <fstream>

#include "core/check.h"
#include "evaluation/classifier.h"
#include "evaluation/torchscript_features.h"

namespace adadiff::detail {

// TorchScript files are zip archives; a safetensors file begins with the length of its header.
std::unique_ptr<FeatureExtractor> open_features(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> start{};
  file.read(start.data(), start.size());
  const bool is_archive = file && start == std::array<char, 4>{'P', 'K', '\x03', '\x04'};
  return is_archive ? open_torchscript(path) : std::unique_ptr<FeatureExtractor>(read_classifier(path));
}

}  // namespace adadiff::detail
