// Training of the classifier with which evaluation looks at images.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "features/classifier.h"
#include "training/image_source.h"

namespace adadiff::detail {

struct ClassifierTraining {
  std::int64_t epochs = 0;   ///< in [1, 1000]; 0: 12, or as many as make 1,500 steps, so that each
                             ///< image of a small set is seen often enough
  std::int64_t batch = 128;  ///< in [1, 65536]
  double learning_rate = 3e-3;  ///< peak rate, with a warm-up before it and a cosine decay after it
  double weight_decay = 0.02;
  double ema = 0.998;  ///< decay of the averaged weights that are kept
  double label_smoothing = 0.1;
  std::int64_t shift = 2;  ///< images are moved by up to this many pixels either way; 0: not moved
  bool flip = true;        ///< half of the images are mirrored, drawn at random
  std::uint64_t seed = 0;
};

struct ClassifierProgress {
  std::int64_t step = 0, steps = 0;
  double loss = 0;  ///< running mean
};
/// Returning false stops the training.
using ClassifierObserver = std::function<bool(const ClassifierProgress&)>;

/// Trains a classifier of the images' size; every image needs a label. All random draws are
/// functions of the seed. Returns null where the observer stopped the training. Throws
/// InvalidArgument, what the source throws, and Error where the loss is not finite or torch fails.
std::unique_ptr<Classifier> train_classifier(const ImageSource& images,
                                             const ClassifierConfig& config,
                                             const ClassifierTraining& training,
                                             const ClassifierObserver& observer = {});

/// Throws InvalidArgument unless the test images have labels, and the shape and the classes of the
/// training images.
void check_test_images(const ImageSource& training, const ImageSource& test);

/// The share of images whose class, as the classifier sees it, is their label.
double classifier_accuracy(const Classifier& classifier, const ImageSource& images);

}  // namespace adadiff::detail
