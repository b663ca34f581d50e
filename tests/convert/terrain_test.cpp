// A foreign model that people use: the consistency UNet for height maps in the wheel
// adaptive-terrain-diffusion 0.4.2, against ONNX Runtime (tests/golden/record_terrain.py). The
// wheel is not part of the source; ADADIFF_TERRAIN_ONNX names the file that lies in it.
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <adadiff/pipeline.h>

#include "convert/families.h"
#include "io/safetensors.h"
#include "io/text_file.h"
#include "networks/unet_fixture.h"
#include "support/stored_tensor.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kSide = 128, kStride = 7;
constexpr int kDifficulties[] = {1, 60, 100};

class Terrain : public testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("ADADIFF_TERRAIN_ONNX");
    if (path == nullptr || !std::filesystem::exists(path)) {
      GTEST_SKIP() << "ADADIFF_TERRAIN_ONNX does not name the ONNX file of "
                      "adaptive-terrain-diffusion 0.4.2";
    }
    const std::string facts = std::string(ADADIFF_SOURCE_DIR) + "/examples/terrain/facts.json";
    model_ = import_foreign(path, "", read_text(facts), facts).model;
  }

  Model model_;
};

TEST_F(Terrain, AgreesWithOnnxRuntime) {
  const Pipeline pipeline = make_pipeline(model_.network, model_.sampler);
  Request request{.count = std::ssize(kDifficulties)};
  for (const int difficulty : kDifficulties) {
    const at::Tensor noise = unet_weight(std::string("noise.").append(std::to_string(difficulty)),
                                         {1, 1, kSide, kSide}) *
                             static_cast<double>(kSide);
    const float* values = noise.const_data_ptr<float>();
    request.initial_noise.insert(request.initial_noise.end(), values, values + noise.numel());
    request.conditions.push_back({.pooled = {static_cast<float>(difficulty - 1) / 99}});
  }
  const Result result = pipeline.generate(request);
  const auto golden = SafetensorsFile::open(std::string(ADADIFF_TEST_DATA) +
                                            "/terrain.safetensors");
  const at::Tensor maps = stored_tensor(golden, "golden.maps");
  const std::span<const float> expected(maps.const_data_ptr<float>(),
                                        static_cast<std::size_t>(maps.numel()));
  const std::size_t per_map = expected.size() / std::size(kDifficulties);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::size_t map = i / per_map, place = i % per_map;
    const float found = result.images.values[map * kSide * kSide + place * kStride];
    ASSERT_NEAR(found, expected[i], 1e-3) << "map " << map << ", value " << place * kStride;
  }
}

}  // namespace
}  // namespace adadiff::detail
