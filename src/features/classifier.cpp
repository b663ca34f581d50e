// The layers of the classifier, and the batches in which it takes images.
#include "features/classifier.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kGroups = 8;
// A batch has at most kBatch images and, unless it has only one image, at most kBatchPixels pixels.
constexpr std::int64_t kBatch = 256, kBatchPixels = 1 << 18;

struct StageSize {
  const char* name;
  std::int64_t width, stride;
};
constexpr StageSize kStages[] = {
    {"conv1", 32, 1}, {"conv2", 32, 2}, {"conv3", 64, 1}, {"conv4", 64, 2}, {"conv5", 128, 1}};

}  // namespace

Classifier::Classifier(ClassifierConfig config) : config_(std::move(config)) {
  std::int64_t in = config_.channels;
  for (const StageSize& size : kStages) {
    stages_.push_back({make_conv(in, size.width, 3), make_layer_norm(size.width), size.stride});
    in = size.width;
  }
  head_ = make_linear(kDimensions, config_.classes);
}

at::Tensor Classifier::features(const at::Tensor& x) const {
  at::Tensor y = x;
  for (const Stage& stage : stages_) {
    y = at::conv2d(y, stage.conv.weight, stage.conv.bias, stage.stride, /*padding=*/1);
    y = at::silu(at::group_norm(y, kGroups, stage.norm.weight, stage.norm.bias));
  }
  return y.mean({2, 3});
}

at::Tensor Classifier::logits(const at::Tensor& features) const { return apply(head_, features); }

void Classifier::visit(const ParameterVisitor& visitor) {
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    stages_[i].conv.visit(kStages[i].name, visitor);
    stages_[i].norm.visit(std::string(kStages[i].name) + ".norm", visitor);
  }
  head_.visit("head", visitor);
}

// Weights start as He et al. 2015 propose for layers that SiLU follows: uniform with variance 2 /
// fan-in. Biases start at 0, and norms stay as they are.
void Classifier::initialise(std::uint64_t seed) {
  visit([&](const std::string& name, at::Tensor& tensor) {
    if (tensor.dim() < 2) return;
    const std::int64_t fan_in = tensor.numel() / tensor.size(0);
    fill_uniform_(tensor, std::sqrt(6 / static_cast<double>(fan_in)), seed, name);
  });
}

at::Tensor image_tensor(const Images& images, std::int64_t first, std::int64_t count) {
  const std::int64_t values = images.height * images.width * images.channels;
  // from_blob takes no const pointer; the memory is only read.
  auto* pixels = const_cast<std::uint8_t*>(images.pixels.data() + first * values);
  return at::from_blob(pixels, {count, images.height, images.width, images.channels}, at::kByte)
      .to(at::kFloat)
      .permute({0, 3, 1, 2})
      .contiguous()
      .div_(127.5)
      .sub_(1);
}

ImageFeatures Classifier::extract(const Images& images) const {
  check_seen_images(images);
  if (images.height != config_.size || images.width != config_.size ||
      images.channels != config_.channels) {
    const auto shape = [](std::int64_t h, std::int64_t w, std::int64_t c) {
      return show(h) + " x " + show(w) + " x " + show(c);
    };
    raise({"images for " + config_.name,
           "be " + shape(config_.size, config_.size, config_.channels),
           "are " + shape(images.height, images.width, images.channels),
           "train a classifier for them: adadiff train-classifier"});
  }
  const at::NoGradGuard no_gradient;
  ImageFeatures out{Features(images.count, kDimensions), {}};
  const std::int64_t batch = std::clamp<std::int64_t>(kBatchPixels / (config_.size * config_.size),
                                                      1, kBatch);
  for (std::int64_t first = 0; first < images.count; first += batch) {
    const std::int64_t count = std::min(batch, images.count - first);
    const at::Tensor seen = features(image_tensor(images, first, count));
    const at::Tensor exact = seen.to(at::kDouble).contiguous(), best = logits(seen).argmax(1);
    std::copy_n(exact.const_data_ptr<double>(), count * kDimensions,
                out.features.data() + first * kDimensions);
    out.classes.insert(out.classes.end(), best.const_data_ptr<std::int64_t>(),
                       best.const_data_ptr<std::int64_t>() + count);
  }
  return out;
}

std::string Classifier::name() const {
  return config_.name + ", a small classifier (not comparable to published FID)";
}

}  // namespace adadiff::detail
