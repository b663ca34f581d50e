// Reads image sets and mixes them with noise, row by row, into buffers that live as long as the training.
#include "training/data.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <ATen/ATen.h>

#include "core/check.h"
#include "io/idx.h"

namespace adadiff::detail {
namespace {

float clean_value(std::uint8_t pixel) { return static_cast<float>(pixel) / 127.5F - 1; }

/// What the network should say, as factors of noise and clean image.
struct TruthFactors {
  float noise = 0, clean = 0;
};

TruthFactors truth_factors(Prediction prediction, double alpha, double sigma) {
  switch (prediction) {
    case Prediction::Noise:
      return {1, 0};
    case Prediction::Clean:
      return {0, 1};
    case Prediction::Velocity:
      break;
  }
  return {static_cast<float>(alpha), static_cast<float>(-sigma)};
}

std::string show_shape(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text.append(i > 0 ? ", " : "").append(show(shape[i]));
  return text + "]";
}

void read_labels(const std::string& path, ImageSet& set) {
  IdxArray labels = read_idx(path);
  if (labels.shape != std::vector<std::int64_t>{set.count}) {
    raise<ModelError>({path, "hold one label per image, " + show_shape({set.count}), "has " + show_shape(labels.shape)});
  }
  set.labels = std::move(labels.values);
  set.classes = *std::max_element(set.labels.begin(), set.labels.end()) + std::int64_t{1};
}

}  // namespace

ImageSet read_image_set(const std::string& images, const std::string& labels) {
  IdxArray array = read_idx(images);
  const std::size_t dimensions = array.shape.size();
  if ((dimensions != 3 && dimensions != 4) || array.values.empty()) {
    raise<ModelError>({images, "hold images as [N, H, W] or [N, C, H, W]", "has " + show_shape(array.shape)});
  }
  ImageSet set;
  set.count = array.shape[0];
  set.channels = dimensions == 4 ? array.shape[1] : 1;
  set.height = array.shape[dimensions - 2];
  set.width = array.shape[dimensions - 1];
  set.pixels = std::move(array.values);
  if (!labels.empty()) read_labels(labels, set);
  return set;
}

double data_std(const ImageSet& set) {
  std::array<std::int64_t, 256> histogram{};
  for (const std::uint8_t pixel : set.pixels) ++histogram[pixel];
  double sum = 0;
  for (int value = 0; value < 256; ++value) {
    const double clean = value / 127.5 - 1;
    sum += clean * clean * static_cast<double>(histogram[static_cast<std::size_t>(value)]);
  }
  return std::sqrt(sum / static_cast<double>(set.pixels.size()));
}

Batches::Batches(const ImageSet& set, const TrainingOptions& options, BatchForm form)
    : set_(set),
      options_(options),
      form_(std::move(form)),
      order_(options.seed, set.count),
      noise_(static_cast<std::size_t>(set.values())) {
  batch_.x = at::empty({options.batch, set.channels, set.height, set.width}, at::kFloat);
  batch_.truth = at::empty_like(batch_.x);
  batch_.time = at::empty({options.batch}, at::kFloat);
  if (form_.has_labels) batch_.labels = at::empty({options.batch}, at::kLong);
}

const Batch& Batches::at_step(std::int64_t step) {
  const std::vector<double> times = draw_times(options_, *form_.schedule, step);
  for (std::int64_t row = 0; row < options_.batch; ++row) fill_row(step, row, times[static_cast<std::size_t>(row)]);
  return batch_;
}

void Batches::fill_row(std::int64_t step, std::int64_t row, double time) {
  const std::int64_t image = order_.index(step, options_.batch, row), values = set_.values();
  const std::uint8_t* pixels = set_.pixels.data() + image * values;
  float* x = batch_.x.mutable_data_ptr<float>() + row * values;
  float* truth = batch_.truth.mutable_data_ptr<float>() + row * values;
  const double alpha = form_.schedule->alpha(time), sigma = form_.schedule->sigma(time);
  const TruthFactors factors = truth_factors(options_.prediction, alpha, sigma);
  const auto alpha_value = static_cast<float>(alpha), sigma_value = static_cast<float>(sigma);
  draw_noise(options_, step, row, noise_);
  for (std::int64_t i = 0; i < values; ++i) {
    const float clean = clean_value(pixels[i]), noise = noise_[static_cast<std::size_t>(i)];
    x[i] = alpha_value * clean + sigma_value * noise;
    truth[i] = factors.noise * noise + factors.clean * clean;
  }
  batch_.time.mutable_data_ptr<float>()[row] = static_cast<float>(form_.time_scale * time);
  if (!form_.has_labels) return;
  const bool is_dropped = set_.labels.empty() || (form_.null_label >= 0 && drops_label(options_, step, row));
  batch_.labels.mutable_data_ptr<std::int64_t>()[row] =
      is_dropped ? form_.null_label : std::int64_t{set_.labels[static_cast<std::size_t>(image)]};
}

}  // namespace adadiff::detail
