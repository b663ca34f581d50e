// Lists first, pictures later.
#include "training/image_folder.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include <adadiff/image.h>

#include "core/check.h"
#include "io/image_resize.h"

namespace adadiff::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPictures = 20'000'000;
constexpr std::int64_t kLongestSide = 4096;

struct Picture {
  std::string path;
  std::int64_t label = -1;
};

bool is_picture(const fs::directory_entry& entry) {
  std::error_code ignored;
  std::string ending = entry.path().extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return (ending == ".png" || ending == ".jpg" || ending == ".jpeg") && entry.is_regular_file(ignored);
}

/// Sorted by name; hidden ones are left out.
std::vector<fs::directory_entry> list(const std::string& folder) {
  std::error_code error;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator place(folder, error), end; !error && place != end; place.increment(error)) {
    if (place->path().filename().string().starts_with(".")) continue;
    entries.push_back(*place);
    if (entries.size() > kMostPictures)
      raise<FileError>({folder, "hold at most " + show(std::int64_t{kMostPictures}) + " files", "holds more"});
  }
  if (error) raise<FileError>({folder, "be a folder that can be read", "reading it failed: " + error.message()});
  std::sort(entries.begin(), entries.end());
  return entries;
}

void add_pictures(const std::string& folder, std::int64_t label, std::vector<Picture>& pictures) {
  for (const fs::directory_entry& entry : list(folder)) {
    if (is_picture(entry)) pictures.push_back({entry.path().string(), label});
  }
}

class ImageFolder final : public ImageSource {
 public:
  ImageFolder(const std::string& path, const ImageShape& shape);

  void read(std::int64_t index, std::span<std::uint8_t> planes) const override;
  std::int64_t label(std::int64_t index) const override { return pictures_[static_cast<std::size_t>(index)].label; }

 private:
  void add_classes(const std::string& path);
  std::uint64_t fingerprint_of_names(const std::string& path) const;

  std::vector<Picture> pictures_;
};

ImageFolder::ImageFolder(const std::string& path, const ImageShape& shape) {
  require_range<InvalidArgument, std::int64_t>("image height", shape.height, 1, kLongestSide);
  require_range<InvalidArgument, std::int64_t>("image width", shape.width, 1, kLongestSide);
  add_pictures(path, -1, pictures_);
  const std::size_t unlabelled = pictures_.size();
  add_classes(path);
  if (pictures_.empty()) raise<FileError>({path, "hold PNG or JPEG files, or folders of them", "holds none"});
  if (unlabelled > 0 && unlabelled < pictures_.size()) {
    raise<FileError>({path, "hold pictures or folders of pictures, one per class", "holds both"});
  }
  count = std::ssize(pictures_);
  fingerprint = fingerprint_of_names(path);
  channels = shape.channels != 0 ? shape.channels : read_image(pictures_.front().path).channels;
  height = shape.height;
  width = shape.width;
}

/// A folder without pictures is no class.
void ImageFolder::add_classes(const std::string& path) {
  for (const fs::directory_entry& entry : list(path)) {
    std::error_code ignored;
    if (!entry.is_directory(ignored)) continue;
    const std::size_t before = pictures_.size();
    add_pictures(entry.path().string(), classes, pictures_);
    if (pictures_.size() == before) continue;
    class_names.push_back(entry.path().filename().string());
    ++classes;
  }
}

/// Names from the folder downwards, so that it may be moved.
std::uint64_t ImageFolder::fingerprint_of_names(const std::string& path) const {
  std::uint64_t names = kNoBytes;
  for (const Picture& picture : pictures_) {
    const std::string name = fs::path(picture.path).lexically_relative(path).string() + "\n";
    names = fingerprint_with(names, {reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
  }
  return names;
}

void ImageFolder::read(std::int64_t index, std::span<std::uint8_t> planes) const {
  const Images picture = read_image(pictures_[static_cast<std::size_t>(index)].path, static_cast<int>(channels));
  const Images image = crop_and_resize(picture, height, width);
  const std::int64_t plane = height * width;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    for (std::int64_t place = 0; place < plane; ++place) {
      planes[static_cast<std::size_t>(channel * plane + place)] = image.pixels[static_cast<std::size_t>(place * channels + channel)];
    }
  }
}

}  // namespace

std::unique_ptr<ImageSource> open_image_folder(const std::string& path, const ImageShape& shape) {
  return std::make_unique<ImageFolder>(path, shape);
}

}  // namespace adadiff::detail
