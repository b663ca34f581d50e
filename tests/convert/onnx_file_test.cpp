// ONNX files as sources of weights (tests/golden/record_checkpoints.py), whole and damaged.
#include "convert/onnx_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

std::string path() { return std::string(ADADIFF_TEST_DATA) + "/checkpoints/tensors.onnx"; }

TEST(OnnxFile, HoldsNamedWeights) {
  const ForeignTensors tensors = read_onnx_file(path());
  EXPECT_TRUE(at::equal(tensors.at("net.conv.weight").load(),
                        at::arange(8, at::kFloat).view({4, 2, 1, 1})));
  EXPECT_TRUE(at::equal(tensors.at("net.conv.bias").load(),
                        at::tensor({1.5, -2.0, 0.0, 4.0}).to(at::kHalf)));
  EXPECT_FALSE(tensors.contains("val_1"));
  EXPECT_EQ(tensors.size(), 6u);
}

TEST(OnnxFile, CountsUnnamedNormsInTheOrderOfTheGraph) {
  const ForeignTensors tensors = read_onnx_file(path());
  for (int norm = 0; norm < 2; ++norm) {
    const std::string name = kUnnamedNorm + std::to_string(norm);
    const at::Tensor weight = at::arange(4, at::kFloat).view({4, 1, 1}) + 10 * norm;
    EXPECT_TRUE(at::equal(tensors.at(name + ".weight").load(), weight));
    EXPECT_TRUE(at::equal(tensors.at(name + ".bias").load(), weight + 100));
  }
}

TEST(OnnxFile, IsReadOrRefusedWhereverItEndsOrDiffers) {
  std::ifstream file(path(), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  const std::string damaged = testing::TempDir() + "adadiff_damaged.onnx";
  const auto read = [&](const std::string& bytes) {
    std::ofstream(damaged, std::ios::binary).write(bytes.data(), std::ssize(bytes));
    try {
      for (const auto& [name, tensor] : read_onnx_file(damaged)) tensor.load();
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  ASSERT_TRUE(read(whole));
  int refused = 0;
  for (std::size_t place = 0; place < whole.size(); ++place) {
    std::string bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << place % 8));
    if (!read(bytes)) ++refused;
    if (!read(whole.substr(0, place))) ++refused;
  }
  std::filesystem::remove(damaged);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace adadiff::detail
