// Images in memory, from IDX files.
#include "training/image_source.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/check.h"
#include "core/fnv.h"
#include "io/idx.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kMeasuredImages = 128;
constexpr std::size_t kTogether = 8;  // images that are read at once, so that large ones are not
                                      // held twice

void read_labels(const std::string& path, ImageSet& set) {
  IdxArray labels = read_idx(path);
  if (labels.shape != std::vector<std::int64_t>{set.count}) {
    raise<ModelError>({path, "hold one label per image, " + show_shape(std::array{set.count}),
                       "has " + show_shape(labels.shape)});
  }
  set.labels = std::move(labels.values);
  set.classes = *std::max_element(set.labels.begin(), set.labels.end()) + std::int64_t{1};
}

}  // namespace

void ImageSet::read(std::int64_t index, std::span<std::uint8_t> planes) const {
  std::copy_n(pixels.begin() + index * values(), values(), planes.begin());
}

std::int64_t ImageSet::label(std::int64_t index) const {
  return labels.empty() ? -1 : labels[static_cast<std::size_t>(index)];
}

ImageSet read_image_set(const std::string& images, const std::string& labels) {
  IdxArray array = read_idx(images);
  const std::size_t dimensions = array.shape.size();
  if ((dimensions != 3 && dimensions != 4) || array.values.empty()) {
    raise<ModelError>(
        {images, "hold images as [N, H, W] or [N, C, H, W]", "has " + show_shape(array.shape)});
  }
  ImageSet set;
  set.count = array.shape[0];
  set.channels = dimensions == 4 ? array.shape[1] : 1;
  set.height = array.shape[dimensions - 2];
  set.width = array.shape[dimensions - 1];
  set.pixels = std::move(array.values);
  if (!labels.empty()) read_labels(labels, set);
  set.fingerprint = fnv64(fnv64(kFnv64Start, set.pixels), set.labels);
  return set;
}

void ImageSource::read_all(std::span<const std::int64_t> indices,
                           std::span<std::uint8_t> planes) const {
  const auto bytes = static_cast<std::size_t>(values());
  for (std::size_t i = 0; i < indices.size(); ++i)
    read(indices[i], planes.subspan(i * bytes, bytes));
}

Images read_images(const ImageSource& source, const std::vector<std::int64_t>& indices) {
  const std::int64_t plane = source.height * source.width, values = source.values();
  Images images{.count = std::ssize(indices),
                .height = source.height,
                .width = source.width,
                .channels = source.channels};
  std::vector<std::uint8_t> planes;
  images.pixels.reserve(indices.size() * static_cast<std::size_t>(values));
  for (std::size_t first = 0; first < indices.size(); first += kTogether) {
    const auto some = std::span(indices).subspan(first,
                                                 std::min(kTogether, indices.size() - first));
    planes.resize(some.size() * static_cast<std::size_t>(values));
    source.read_all(some, planes);
    for (std::int64_t image = 0; image < std::ssize(some); ++image) {
      for (std::int64_t i = 0; i < values; ++i) {
        const std::int64_t place = image * values + i % source.channels * plane +
                                   i / source.channels;
        images.pixels.push_back(planes[static_cast<std::size_t>(place)]);
      }
    }
  }
  return images;
}

namespace {

/// The labels in [0, classes) that no image has.
std::vector<std::int64_t> unseen_labels(const ImageSource& source) {
  std::vector<bool> is_seen(static_cast<std::size_t>(source.classes));
  for (std::int64_t index = 0; index < source.count && source.classes > 0; ++index)
    is_seen[static_cast<std::size_t>(source.label(index))] = true;
  std::vector<std::int64_t> unseen;
  for (std::size_t label = 0; label < is_seen.size(); ++label) {
    if (!is_seen[label]) unseen.push_back(static_cast<std::int64_t>(label));
  }
  return unseen;
}

}  // namespace

TrainingImages training_images(const ImageSource& source) {
  return {.count = source.count,
          .channels = source.channels,
          .height = source.height,
          .width = source.width,
          .classes = source.classes,
          .class_names = source.class_names,
          .ignored = source.ignored,
          .unseen_labels = unseen_labels(source),
          .pictures = source.survey()};
}

double data_std(const ImageSource& source) {
  const std::int64_t every = (source.count + kMeasuredImages - 1) / kMeasuredImages;
  std::array<std::int64_t, 256> histogram{};
  std::vector<std::int64_t> indices;
  std::vector<std::uint8_t> planes;
  for (std::int64_t index = 0; index < source.count; index += every) {
    indices.push_back(index);
    if (indices.size() < kTogether && index + every < source.count) continue;
    planes.resize(indices.size() * static_cast<std::size_t>(source.values()));
    source.read_all(indices, planes);
    for (const std::uint8_t pixel : planes) ++histogram[pixel];
    indices.clear();
  }
  double sum = 0, count = 0;
  for (int value = 0; value < 256; ++value) {
    const double clean = value / 127.5 - 1,
                 pixels = static_cast<double>(histogram[static_cast<std::size_t>(value)]);
    sum += clean * clean * pixels;
    count += pixels;
  }
  return std::sqrt(sum / count);
}

}  // namespace adadiff::detail
