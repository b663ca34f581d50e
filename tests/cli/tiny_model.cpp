// A model file that loads in no time: an 8 x 8 U-ViT of three blocks with random weights.
#include "cli/tiny_model.h"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "pipeline/model_description.h"
#include "pipeline/model_file.h"

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
  model.network->visit([&](const std::string&, at::Tensor& tensor) { tensor.copy_(0.3 * at::randn(tensor.sizes(), generator)); });
  detail::write_model(model, path);
}

}  // namespace adadiff::testing
