// Reads and writes classifier files.
#include <nlohmann/json.hpp>

#include <ATen/ATen.h>

#include "core/check.h"
#include "features/classifier.h"
#include "io/json_reader.h"
#include "models/model_tensors.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMetadataKey = "adadiff-classifier";
constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMostText = 1 << 16;

std::string text_of(const JsonReader& json, const char* key) {
  const auto field = json.optional(key);
  return field ? field->as_string(kMostText) : std::string();
}

ClassifierConfig parse(const JsonReader& json) {
  json.allow_only({"format", "channels", "size", "classes", "class_names", "name", "accuracy",
                   "license", "origin", "recipe"});
  json.field("format").as_int(kFormat, kFormat);
  ClassifierConfig config;
  const auto channels = json.field("channels");
  config.channels = channels.as_int(1, 3);
  if (config.channels == 2) channels.fail("be 1 or 3");
  config.size = json.field("size").as_int(8, 512);
  config.classes = json.field("classes").as_int(2, kMostClasses);
  if (const auto names = json.optional("class_names")) {
    for (const auto& name : names->elements(kMostClasses))
      config.class_names.push_back(name.as_string(1000));
    const auto count = std::ssize(config.class_names);
    if (count != 0 && count != config.classes) names->fail("have one name per class");
  }
  config.name = json.field("name").as_string(200);
  config.accuracy = json.field("accuracy").as_double(0, 1);
  config.license = text_of(json, "license");
  config.origin = text_of(json, "origin");
  config.recipe = text_of(json, "recipe");
  return config;
}

std::string to_json(const ClassifierConfig& config) {
  const Json json = {
      {"format", kFormat},           {"channels", config.channels},       {"size", config.size},
      {"classes", config.classes},   {"class_names", config.class_names}, {"name", config.name},
      {"accuracy", config.accuracy}, {"license", config.license},         {"origin", config.origin},
      {"recipe", config.recipe}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void check_classifier_config(const ClassifierConfig& config) {
  parse(JsonReader(to_json(config), "ClassifierConfig"));
}

std::unique_ptr<Classifier> read_classifier(const std::string& path) {
  const auto file = SafetensorsFile::open(path);
  const auto description = file.metadata().find(kMetadataKey);
  if (description == file.metadata().end()) {
    raise<ModelError>({path, "have a description under the metadata key \"adadiff-classifier\"",
                       "has none", "make one with adadiff train-classifier"});
  }
  auto classifier = std::make_unique<Classifier>(
      parse(JsonReader(description->second, path, {.error = JsonError::ModelError})));
  load_tensors(
      file, path, [&](const TensorVisitor& visitor) { classifier->visit(visitor); },
      "a classifier");
  return classifier;
}

void write_classifier(Classifier& classifier, const std::string& path) {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  classifier.visit([&](const std::string& name, at::Tensor& tensor) {
    tensors.emplace_back(name, tensor.detach().contiguous());
  });
  save_tensors(path, {{kMetadataKey, to_json(classifier.config())}, {"format", "pt"}}, tensors);
}

}  // namespace adadiff::detail
