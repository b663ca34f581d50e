// Training of the classifier that evaluation sees images with.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "features/classifier.h"
#include "training/image_source.h"

namespace adadiff::detail {

struct ClassifierTraining {
  std::int64_t epochs = 0;   ///< in [1, 1000]; 0: 12, or as many as make 1,500 steps, so that few
                             ///< images are seen often enough
  std::int64_t batch = 128;  ///< in [1, 65536]
  double learning_rate = 3e-3;  ///< peak, warmed up and brought down by a cosine
  double weight_decay = 0.02;
  double ema = 0.998;  ///< decay of the averaged weights that are kept
  double label_smoothing = 0.1;
  std::int64_t shift = 2;  ///< images are moved by up to so many pixels either way; 0: not
  bool flip = true;        ///< and mirrored half of the time
  std::uint64_t seed = 0;
};

struct ClassifierProgress {
  std::int64_t step = 0, steps = 0;
  double loss = 0;  ///< running mean
};
/// False stops the training.
using ClassifierObserver = std::function<bool(const ClassifierProgress&)>;

/// A classifier of the images' size with weights trained on them; every image needs a label. All
/// draws are functions of the seed. Null where the observer stopped it. Throws InvalidArgument,
/// what the source throws, and Error where the loss is not finite or torch fails.
std::unique_ptr<Classifier> train_classifier(const ImageSource& images,
                                             const ClassifierConfig& config,
                                             const ClassifierTraining& training,
                                             const ClassifierObserver& observer = {});

/// Throws InvalidArgument unless the test images have labels, and shape and classes of the training
/// images.
void check_test_images(const ImageSource& training, const ImageSource& test);

/// Share of images whose class is their label.
double classifier_accuracy(const Classifier& classifier, const ImageSource& images);

}  // namespace adadiff::detail
