// Puts the line together.
#include "cli/found_images.h"

namespace adadiff::cli {
namespace {

constexpr std::size_t kShownNames = 12, kShownLabels = 8;

std::string counted(std::int64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string classes(const TrainingImages& found) {
  if (found.classes == 0) return "no classes";
  std::string text = counted(found.classes, "class", "classes");
  for (std::size_t i = 0; i < found.class_names.size() && i <= kShownNames; ++i)
    text += (i == 0 ? ": " : ", ") + (i < kShownNames ? found.class_names[i] : "...");
  return text;
}

std::string unseen(const std::vector<std::int64_t>& labels) {
  if (labels.empty()) return {};
  std::string text = labels.size() == 1 ? "; no image has the label "
                                        : "; no image has the labels ";
  for (std::size_t i = 0; i < labels.size() && i <= kShownLabels; ++i)
    text += (i == 0 ? "" : ", ") + (i < kShownLabels ? std::to_string(labels[i]) : "...");
  return text + (labels.front() == 0 ? ": labels count from 0" : "");
}

std::string pictures(const PictureSurvey& survey, const TrainingImages& found) {
  std::string text;
  const auto add = [&](std::int64_t count, const char* what) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + what;
  };
  add(survey.turned, "turned as their cameras say");
  add(survey.cropped, "cropped around their middle");
  add(survey.recoloured, found.channels == 1 ? "made grey" : "grey, made colour");
  add(survey.transparent, "without their transparency");
  if (text.empty()) return {};
  const bool is_sample = survey.looked_at < found.count;
  return "; " + (is_sample ? "of " + std::to_string(survey.looked_at) + " looked at, " : "") + text;
}

}  // namespace

std::string describe(const TrainingImages& found) {
  const std::string shape = std::to_string(found.channels) + " x " + std::to_string(found.height) +
                            " x " + std::to_string(found.width);
  const bool is_folder = found.pictures.looked_at > 0;
  std::string text = counted(found.count, is_folder ? "picture" : "image",
                             is_folder ? "pictures" : "images") +
                     " as " + shape + ", " + classes(found) + unseen(found.unseen_labels) +
                     pictures(found.pictures, found);
  if (found.ignored > 0)
    text += "; left out " + counted(found.ignored, "other file", "other files");
  return text;
}

}  // namespace adadiff::cli
