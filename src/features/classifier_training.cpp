// Trains classifiers by cross-entropy on shifted and mirrored images.
#include "features/classifier_training.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/check.h"
#include "core/kernel_status.h"
#include "core/noise_purpose.h"
#include "device/torch_errors.h"
#include "kernels/noise.h"
#include "training/descent.h"
#include "training/draws.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kWarmUp = 200;
constexpr double kLossMemory = 0.98;

Parameters parameters_of(Classifier& classifier) {
  Parameters parameters;
  classifier.visit([&](const std::string& name, at::Tensor& tensor) {
    tensor.requires_grad_(true);
    parameters.names.push_back(name);
    parameters.tensors.push_back(tensor);
    parameters.is_hidden_matrix.push_back(false);
    parameters.is_uncertainty.push_back(false);
  });
  return parameters;
}

/// Norms, biases and the like are not decayed.
std::vector<std::string> undecayed(const Parameters& parameters) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < parameters.names.size(); ++i) {
    if (parameters.tensors[i].dim() < 2) names.push_back(parameters.names[i]);
  }
  return names;
}

/// How one image is shifted and mirrored.
struct Move {
  std::int64_t down = 0, right = 0;
  bool is_mirrored = false;
};

Move draw_move(const ClassifierTraining& training, std::int64_t step, std::int64_t row) {
  std::uint32_t words[3] = {};
  const auto counter = [](std::int64_t number) { return static_cast<std::uint32_t>(number); };
  require_ok(
      kernels::fill_bits({training.seed, counter(step), noise_purpose::kAugmentation, counter(row)},
                         words, 3),
      "fill_bits");
  const auto shift = [&](std::uint32_t word) {
    const auto choices = static_cast<std::uint64_t>(2 * training.shift + 1);
    return static_cast<std::int64_t>(word * choices >> 32) - training.shift;
  };
  return {shift(words[0]), shift(words[1]), training.flip && (words[2] & 1) != 0};
}

class Batches {
 public:
  Batches(const ImageSource& images, const ClassifierTraining& training)
      : images_(images),
        training_(training),
        order_(training.seed, images.count),
        planes_(static_cast<std::size_t>(training.batch * images.values())),
        x_(at::empty({training.batch, images.channels, images.height, images.width})),
        labels_(at::empty({training.batch}, at::kLong)) {}

  void fill(std::int64_t step) {
    std::vector<std::int64_t> chosen;
    for (std::int64_t row = 0; row < training_.batch; ++row)
      chosen.push_back(order_.index(step, training_.batch, row));
    images_.read_all(chosen, planes_);
    for (std::int64_t row = 0; row < training_.batch; ++row) {
      labels_.mutable_data_ptr<std::int64_t>()[row] = images_.label(
          chosen[static_cast<std::size_t>(row)]);
      move_row(row, draw_move(training_, step, row));
    }
  }
  const at::Tensor& x() const { return x_; }
  const at::Tensor& labels() const { return labels_; }

 private:
  // Shifts and mirrors one image. Pixels that come in from outside take the value at the edge.
  void move_row(std::int64_t row, const Move& move) {
    const std::uint8_t* planes = planes_.data() + row * images_.values();
    float* out = x_.mutable_data_ptr<float>() + row * images_.values();
    for (std::int64_t c = 0; c < images_.channels; ++c) {
      for (std::int64_t y = 0; y < images_.height; ++y) {
        const std::int64_t line = (c * images_.height +
                                   std::clamp<std::int64_t>(y - move.down, 0, images_.height - 1)) *
                                  images_.width;
        for (std::int64_t x = 0; x < images_.width; ++x) {
          const std::int64_t from = std::clamp<std::int64_t>(x - move.right, 0, images_.width - 1);
          const std::int64_t place = line + (move.is_mirrored ? images_.width - 1 - from : from);
          *out++ = static_cast<float>(planes[place]) / 127.5F - 1;
        }
      }
    }
  }

  const ImageSource& images_;
  const ClassifierTraining& training_;
  DataOrder order_;
  std::vector<std::uint8_t> planes_;  ///< pixels of a batch
  at::Tensor x_, labels_;
};

void check(const ImageSource& images, const ClassifierConfig& config, const ClassifierTraining& t) {
  require_range<InvalidArgument, std::int64_t>("ClassifierTraining.epochs", t.epochs, 0, 1000);
  require_range<InvalidArgument, std::int64_t>("ClassifierTraining.batch", t.batch, 1, 65536);
  require_range<InvalidArgument, std::int64_t>("ClassifierTraining.shift", t.shift, 0, 64);
  require_range("ClassifierTraining.learning_rate", t.learning_rate, 0.0, 100.0);
  require_range<InvalidArgument, std::int64_t>("image side", images.height, 8, 512);
  if (images.height != images.width) {
    raise({"images", "be square for a classifier",
           "are " + show(images.height) + " by " + show(images.width)});
  }
  if (images.classes < 2) {
    raise({"labels", "tell at least 2 classes", "tell " + show(images.classes),
           "give labels, or a folder with a sub-folder per class"});
  }
  if (images.classes > config.classes) {
    raise({"labels", "be of the classifier's " + show(config.classes) + " classes",
           "are of " + show(images.classes)});
  }
  check_classifier_config(config);
}

std::int64_t steps_of(const ImageSource& images, const ClassifierTraining& t) {
  constexpr std::int64_t kUsualEpochs = 12, kLeastSteps = 1500;
  if (t.epochs > 0) return std::max<std::int64_t>(1, t.epochs * images.count / t.batch);
  return std::max(kLeastSteps, kUsualEpochs * images.count / t.batch);
}

std::string described_classes(const ImageSource& images) {
  std::string text = show(images.classes);
  for (const std::string& name : images.class_names)
    text += (text.find(' ') == std::string::npos ? ": " : ", ") + show(name);
  return text;
}

TrainingOptions options_of(const ClassifierTraining& training, const Parameters& parameters,
                           std::int64_t steps) {
  TrainingOptions options;
  options.optimiser = Optimiser::AdamW;
  options.learning_rate = training.learning_rate;
  options.weight_decay = training.weight_decay;
  options.undecayed = undecayed(parameters);
  options.ema = training.ema;
  options.warmup = kWarmUp;
  options.steps = steps;
  return options;
}

/// The loss of a batch, after its gradients were computed.
double backward(Classifier& classifier, const Batches& batch, double label_smoothing) {
  const at::AutoGradMode with_gradients(true);
  const at::Tensor logits = classifier.logits(classifier.features(batch.x()));
  const at::Tensor loss = at::cross_entropy_loss(logits, batch.labels(), {}, at::Reduction::Mean,
                                                 -100, label_smoothing);
  loss.backward();
  return loss.item<double>();
}

std::unique_ptr<Classifier> run(const ImageSource& images, const ClassifierConfig& config,
                                const ClassifierTraining& training,
                                const ClassifierObserver& observer) {
  auto classifier = std::make_unique<Classifier>(config);
  classifier->initialise(training.seed);
  const Parameters parameters = parameters_of(*classifier);
  ClassifierProgress progress{0, steps_of(images, training), 0};
  Descent descent(parameters, options_of(training, parameters, progress.steps),
                  {.where = "classifier training"});
  Batches batches(images, training);
  while (progress.step < progress.steps) {
    descent.start_step();
    batches.fill(progress.step);
    const double loss = backward(*classifier, batches, training.label_smoothing);
    descent.require_finite(loss, "loss", ++progress.step);
    descent.finish_step(progress.step);
    progress.loss = running_mean(progress.loss, loss, progress.step, kLossMemory);
    if (observer && !observer(progress)) return nullptr;
  }
  descent.keep_averages();
  return classifier;
}

}  // namespace

std::unique_ptr<Classifier> train_classifier(const ImageSource& images,
                                             const ClassifierConfig& config,
                                             const ClassifierTraining& training,
                                             const ClassifierObserver& observer) {
  check(images, config, training);
  try {
    return run(images, config, training, observer);
  } catch (const c10::Error& error) {
    raise_torch_failure<Error>("classifier training", error);
  }
}

void check_test_images(const ImageSource& training, const ImageSource& test) {
  const auto shape = [](const ImageSource& s) {
    return show(s.height) + " x " + show(s.width) + " x " + show(s.channels);
  };
  if (shape(test) != shape(training))
    raise(
        {"test images", "be " + shape(training) + " as the training images", "are " + shape(test)});
  if (test.classes == 0) raise({"test images", "have labels", "have none"});
  if (test.classes > training.classes || test.class_names != training.class_names) {
    raise({"test images", "have the " + show(training.classes) + " classes of the training images",
           "have " + described_classes(test)});
  }
}

double classifier_accuracy(const Classifier& classifier, const ImageSource& images) {
  constexpr std::int64_t kBytesAtOnce = std::int64_t{1} << 26;
  const std::int64_t at_once = std::max<std::int64_t>(1, kBytesAtOnce / images.values());
  std::int64_t right = 0;
  for (std::int64_t first = 0; first < images.count; first += at_once) {
    std::vector<std::int64_t> indices(
        static_cast<std::size_t>(std::min(at_once, images.count - first)));
    std::iota(indices.begin(), indices.end(), first);
    const std::vector<std::int64_t> classes = classifier.extract(read_images(images, indices))
                                                  .classes;
    for (std::size_t i = 0; i < classes.size(); ++i)
      right += classes[i] == images.label(indices[i]) ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(images.count);
}

}  // namespace adadiff::detail
