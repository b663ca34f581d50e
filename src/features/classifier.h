// A small convolutional classifier. Its classes measure agreement with labels, and its last hidden
// layer gives the features that distribution metrics compare.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "features/feature_extractor.h"
#include "nn/layers.h"

namespace adadiff::detail {

inline constexpr std::int64_t kMostClasses = 10000;

/// The sizes of a classifier, and what else its file says.
struct ClassifierConfig {
  std::int64_t channels = 1;             ///< 1 or 3
  std::int64_t size = 28;                ///< side of the images in pixels, in [8, 512]
  std::int64_t classes = 10;             ///< in [2, 10000]
  std::vector<std::string> class_names;  ///< may be empty
  std::string name = "classifier";       ///< what reports call the classifier
  double accuracy = 0;                   ///< on images that it was not trained on, in [0, 1]
  std::string license, origin, recipe;   ///< about the weights; recipe is JSON text or empty
};

/// Five 3x3 convolutions, with 32, 32 (at half the side), 64, 64 (at a quarter) and 128 channels,
/// each with group norm and SiLU; then the mean over the image and a linear layer.
class Classifier final : public FeatureExtractor {
 public:
  static constexpr std::int64_t kDimensions = 128;

  /// The weights are zero until they are initialised or read.
  explicit Classifier(ClassifierConfig config);

  /// Refuses images of another size or number of channels.
  ImageFeatures extract(const Images& images) const override;
  std::string name() const override;
  std::vector<std::string> class_names() const override { return config_.class_names; }
  std::optional<double> accuracy() const override { return config_.accuracy; }

  const ClassifierConfig& config() const { return config_; }
  void set_accuracy(double accuracy) { config_.accuracy = accuracy; }

  at::Tensor features(const at::Tensor& x) const;  ///< [B, C, H, W] float32 in [-1, 1] -> [B, 128]
  at::Tensor logits(const at::Tensor& features) const;  ///< [B, 128] -> [B, classes]
  void visit(const ParameterVisitor& visitor);
  void initialise(std::uint64_t seed);  ///< a pure function of the seed

 private:
  struct Stage {
    Conv2d conv;
    LayerNorm norm;  ///< scale and shift of the group norm, [out]
    std::int64_t stride = 1;
  };

  ClassifierConfig config_;
  std::vector<Stage> stages_;
  Linear head_;
};

/// The images [first, first + count) as float32 [count, C, H, W] in [-1, 1], from 8-bit
/// [N, H, W, C].
at::Tensor image_tensor(const Images& images, std::int64_t first, std::int64_t count);

/// Throws InvalidArgument for a config that read_classifier would refuse.
void check_classifier_config(const ClassifierConfig& config);
/// Reads a .safetensors file whose metadata key "adadiff-classifier" holds the config as JSON.
/// Throws FileError, ModelError.
std::unique_ptr<Classifier> read_classifier(const std::string& path);
/// Writes such a file, which is replaced atomically. Throws FileError.
void write_classifier(Classifier& classifier, const std::string& path);

}  // namespace adadiff::detail
