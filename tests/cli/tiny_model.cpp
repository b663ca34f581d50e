// A model file that loads in no time: an 8 x 8 U-ViT of three blocks with random weights.
#include "cli/tiny_model.h"

#include <filesystem>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <adadiff/image.h>

#include "features/classifier.h"
#include "models/model_description.h"
#include "models/model_file.h"

namespace adadiff::testing {
namespace {

constexpr const char* kDescription = R"({
  "format": 1,
  "network": {"kind": "uvit", "image_size": 8, "channels": 1, "patch_size": 4, "width": 16, "depth": 2, "heads": 2,
              "label_rows": 4, "uncertainty": "timed-map"},
  "prediction": "velocity",
  "schedule": {"name": "cosine"},
  "time": {"scale": 1000, "shift": 0},
  "labels": {"null": 3, "names": ["red", "green", "blue"]},
  "solver": {"name": "ddim", "steps": 4},
  "license": "MIT", "origin": "random numbers"
})";

}  // namespace

void write_tiny_model(const std::string& path) { write_tiny_model(path, "{}"); }

void write_tiny_model(const std::string& path, const std::string& changes) {
  nlohmann::json description = nlohmann::json::parse(kDescription);
  description.update(nlohmann::json::parse(changes));
  detail::Model model = detail::parse_description(description.dump(), "tiny");
  at::Generator generator = at::detail::createCPUGenerator(7);
  model.network->visit([&](const std::string&, at::Tensor& tensor) {
    tensor.copy_(0.3 * at::randn(tensor.sizes(), generator));
  });
  detail::write_model(model, path);
}

void write_tiny_classifier(const std::string& path) {
  detail::ClassifierConfig config;
  config.size = 8;
  config.classes = 3;
  config.name = "tiny";
  detail::Classifier classifier(config);
  classifier.initialise(1);
  write_classifier(classifier, path);
}

void write_tiny_pictures(const std::string& folder) {
  for (int i = 0; i < 12; ++i) {
    const std::string of_class = folder + (i % 2 == 0 ? "/dark" : "/light");
    std::filesystem::create_directories(of_class);
    Images image{.count = 1, .height = 8, .width = 8, .channels = 1};
    for (std::int64_t v = 0; v < 64; ++v)
      image.pixels.push_back(static_cast<std::uint8_t>((i * 37 + v * v) % 100 + i % 2 * 150));
    write_png(image, of_class + "/" + std::to_string(i) + ".png");
  }
}

}  // namespace adadiff::testing
