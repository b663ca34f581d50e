// Lists a folder when it is opened, and reads each picture when it is needed.
#include "training/image_folder.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include <ATen/Parallel.h>

#include <adadiff/error.h>
#include <adadiff/image.h>

#include "core/check.h"
#include "core/fnv.h"
#include "io/image_resize.h"
#include "io/json_reader.h"
#include "io/picture_info.h"
#include "models/model_description.h"

namespace adadiff::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPictures = 20'000'000;
constexpr std::int64_t kLongestSide = 4096;
constexpr std::int64_t kMostKept = std::int64_t{1}  // The most bytes of decoded pictures that are
                                                    // kept, as they are trained on.
                                   << 30;
constexpr std::int64_t kMostSurveyed = 1000;  // pictures
constexpr int kMostReaders = 8;               // threads
constexpr int kDeepest = 32;                  // folders nested in each other

struct Picture {
  std::string path;
  std::int64_t label = -1;
};

/// What a folder holds.
struct Listing {
  std::vector<Picture> pictures;
  std::int64_t ignored = 0;  ///< number of other files
};

bool is_picture(const fs::directory_entry& entry) {
  std::error_code ignored;
  std::string ending = entry.path().extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return (ending == ".png" || ending == ".jpg" || ending == ".jpeg") &&
         entry.is_regular_file(ignored);
}

/// The entries of a folder, sorted by name, without hidden ones.
std::vector<fs::directory_entry> list(const std::string& folder) {
  std::error_code error;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator place(folder, error), end; !error && place != end;
       place.increment(error)) {
    if (place->path().filename().string().starts_with(".")) continue;
    entries.push_back(*place);
    if (entries.size() > kMostPictures)
      raise<FileError>(
          {folder, "hold at most " + show(std::int64_t{kMostPictures}) + " files", "holds more"});
  }
  if (error)
    raise<FileError>(
        {folder, "be a folder that can be read", "reading it failed: " + error.message()});
  std::sort(entries.begin(), entries.end());
  return entries;
}

void add_pictures(const std::vector<fs::directory_entry>& entries, std::int64_t label,
                  Listing& listing) {
  for (const fs::directory_entry& entry : entries) {
    std::error_code ignored;
    if (is_picture(entry)) {
      listing.pictures.push_back({entry.path().string(), label});
    } else if (!entry.is_directory(ignored)) {
      ++listing.ignored;
    }
  }
}

/// Adds the pictures of a folder and of the folders below it. Links to folders are not followed,
/// since they may lead back up.
void add_pictures_below(const fs::path& folder, std::int64_t label, Listing& listing,
                        int depth = 0) {
  if (depth > kDeepest)
    raise<FileError>({folder.string(), "be at most " + show(kDeepest) + " folders below its class",
                      "is deeper"});
  const std::vector<fs::directory_entry> entries = list(folder.string());
  add_pictures(entries, label, listing);
  for (const fs::directory_entry& entry : entries) {
    std::error_code ignored;
    if (!entry.is_symlink(ignored) && entry.is_directory(ignored))
      add_pictures_below(entry.path(), label, listing, depth + 1);
  }
}

/// Checks the name of a folder, which becomes a class name in the model file.
void require_class_name(const std::string& folder, const std::string& name) {
  const std::string path = (fs::path(folder) / name).string();
  const std::string advice = "rename it, or train without labels";
  if (!is_utf8(name)) raise<FileError>({path, "have a name in UTF-8", "has not", advice});
  if (name.size() <= kMostClassName) return;
  raise<FileError>({path, "have a name of at most " + show(std::int64_t{kMostClassName}) + " bytes",
                    "has " + show(std::ssize(name)), advice});
}

/// Throws the same error, with advice on what to do.
template <class E>
[[noreturn]] void raise_with_advice(const E& error) {
  throw E(std::string(error.what()) + "; remove it, or put a picture of this name in its place");
}

Images read_picture(const std::string& path, std::int64_t channels) {
  try {
    return read_image(path, static_cast<int>(channels));
  } catch (const FileError& error) {
    raise_with_advice(error);
  } catch (const ModelError& error) {
    raise_with_advice(error);
  }
}

/// Calls work(0) to work(count - 1), each once, on `threads` threads. Where several calls throw,
/// rethrows the exception of the lowest number.
void share_out(std::size_t count, std::size_t threads,
               const std::function<void(std::size_t)>& work) {
  std::vector<std::exception_ptr> errors(count);
  std::atomic<std::size_t> next{0};
  const auto take = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t t = 1; t < std::min(threads, count); ++t) others.emplace_back(take);
    take();
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

class ImageFolder final : public ImageSource {
 public:
  ImageFolder(const std::string& path, const ImageShape& shape, Labels labels);

  void read(std::int64_t index, std::span<std::uint8_t> planes) const override {
    read_all({&index, 1}, planes);
  }
  void read_all(std::span<const std::int64_t> indices,
                std::span<std::uint8_t> planes) const override;
  PictureSurvey survey() const override;
  std::int64_t label(std::int64_t index) const override {
    return pictures_[static_cast<std::size_t>(index)].label;
  }

 private:
  void forget_labels();
  void add_classes(const std::vector<fs::directory_entry>& entries, Listing& listing);
  std::uint64_t fingerprint_of_names(const std::string& path) const;
  void decode(std::int64_t index, std::span<std::uint8_t> planes) const;

  std::vector<Picture> pictures_;
  std::size_t readers_;  ///< threads that decode
  // The pictures that were read before. The system assigns memory to these bytes only when they are
  // written.
  std::unique_ptr<std::uint8_t[]>
      kept_;  // NOLINT(*-avoid-c-arrays): a vector would write all of them at once
  mutable std::vector<bool> is_kept_;
};

ImageFolder::ImageFolder(const std::string& path, const ImageShape& shape, Labels labels)
    : readers_(static_cast<std::size_t>(std::clamp(at::get_num_threads(), 1, kMostReaders))) {
  require_range<InvalidArgument, std::int64_t>("image height", shape.height, 1, kLongestSide);
  require_range<InvalidArgument, std::int64_t>("image width", shape.width, 1, kLongestSide);
  const std::vector<fs::directory_entry> entries = list(path);
  Listing listing;
  add_pictures(entries, -1, listing);
  const std::size_t unlabelled = listing.pictures.size();
  add_classes(entries, listing);
  pictures_ = std::move(listing.pictures);
  ignored = listing.ignored;
  if (pictures_.empty())
    raise<FileError>({path, "hold PNG or JPEG files, or folders of them", "holds none"});
  if (unlabelled > 0 && unlabelled < pictures_.size()) {
    raise<FileError>({path, "hold pictures or folders of pictures, one per class", "holds both",
                      "move the loose ones into a folder of their class"});
  }
  if (labels == Labels::None) forget_labels();
  for (const std::string& name : class_names) require_class_name(path, name);
  count = std::ssize(pictures_);
  fingerprint = fingerprint_of_names(path);
  channels = shape.channels != 0 ? shape.channels
                                 : read_picture(pictures_.front().path, 0).channels;
  height = shape.height;
  width = shape.width;
  if (count <= kMostKept / values()) {
    kept_ = std::make_unique_for_overwrite<std::uint8_t[]>(
        static_cast<std::size_t>(count * values()));  // NOLINT(*-avoid-c-arrays)
    is_kept_.resize(static_cast<std::size_t>(count));
  }
}

PictureSurvey ImageFolder::survey() const {
  PictureSurvey survey;
  const std::int64_t looked_at = std::min(count, kMostSurveyed);
  for (std::int64_t i = 0; i < looked_at; ++i) {
    const auto index = static_cast<std::size_t>(i * count / looked_at);
    try {
      const PictureInfo info = read_picture_info(pictures_[index].path);
      ++survey.looked_at;
      survey.turned += info.orientation != 1 ? 1 : 0;
      survey.transparent += info.has_transparency ? 1 : 0;
      survey.recoloured += info.is_grey != (channels == 1) ? 1 : 0;
      survey.cropped += info.width * height != info.height * width ? 1 : 0;
    } catch (const Error&) {
      // The error is raised when the picture itself is read.
    }
  }
  return survey;
}

/// Adds the classes of a folder. A sub-folder without pictures is not a class.
void ImageFolder::add_classes(const std::vector<fs::directory_entry>& entries, Listing& listing) {
  for (const fs::directory_entry& entry : entries) {
    std::error_code no_error;
    if (!entry.is_directory(no_error)) continue;
    const std::size_t before = listing.pictures.size();
    add_pictures_below(entry.path(), classes, listing);
    if (listing.pictures.size() == before) continue;
    class_names.push_back(entry.path().filename().string());
    ++classes;
  }
}

void ImageFolder::forget_labels() {
  classes = 0;
  class_names.clear();
  for (Picture& picture : pictures_) picture.label = -1;
}

/// Takes names relative to the folder, so that the folder may be moved.
std::uint64_t ImageFolder::fingerprint_of_names(const std::string& path) const {
  std::uint64_t names = kFnv64Start;
  for (const Picture& picture : pictures_) {
    const std::string name = fs::path(picture.path).lexically_relative(path).string() + "\n";
    names = fnv64(names, {reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
  }
  return names;
}

void ImageFolder::read_all(std::span<const std::int64_t> indices,
                           std::span<std::uint8_t> planes) const {
  const auto bytes = static_cast<std::size_t>(values());
  const auto place = [&](std::size_t i) { return planes.subspan(i * bytes, bytes); };
  const auto kept = [&](std::size_t i) {
    return std::span(kept_.get() + static_cast<std::size_t>(indices[i]) * bytes, bytes);
  };
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (kept_ && is_kept_[static_cast<std::size_t>(indices[i])]) {
      std::ranges::copy(kept(i), place(i).begin());
    } else {
      missing.push_back(i);
    }
  }
  share_out(missing.size(), readers_,
            [&](std::size_t m) { decode(indices[missing[m]], place(missing[m])); });
  if (!kept_) return;
  for (const std::size_t i : missing) {
    std::ranges::copy(place(i), kept(i).begin());
    is_kept_[static_cast<std::size_t>(indices[i])] = true;
  }
}

void ImageFolder::decode(std::int64_t index, std::span<std::uint8_t> planes) const {
  const Images picture = read_picture(pictures_[static_cast<std::size_t>(index)].path, channels);
  const Images image = crop_and_resize(picture, height, width);
  const std::int64_t plane = height * width;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    for (std::int64_t place = 0; place < plane; ++place) {
      planes[static_cast<std::size_t>(channel * plane + place)] =
          image.pixels[static_cast<std::size_t>(place * channels + channel)];
    }
  }
}

}  // namespace

std::unique_ptr<ImageSource> open_image_folder(const std::string& path, const ImageShape& shape,
                                               Labels labels) {
  return std::make_unique<ImageFolder>(path, shape, labels);
}

}  // namespace adadiff::detail
