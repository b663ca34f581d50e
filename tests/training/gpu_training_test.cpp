// Whole trainings on a GPU, against the same on the CPU.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <adadiff/error.h>

#include "device/device.h"
#include "models/model_file.h"
#include "training/temporary_folder.h"
#include "training/tiny_data.h"

namespace adadiff::detail {
namespace {

class GpuTraining : public testing::Test {
 protected:
  void SetUp() override {
    try {
      find_device("cuda", "device");
    } catch (const DeviceError& error) {
      GTEST_SKIP() << error.what();
    }
    at::set_num_threads(1);
    test::write_tiny_data(folder_);
  }
  TrainingOptions options(const std::string& name, std::int64_t steps,
                          const std::string& device) const {
    TrainingOptions o = test::tiny_options(folder_, name, steps);
    o.device = device;
    return o;
  }
  test::TemporaryFolder folder_;
};

std::vector<double> losses(const TrainingOptions& options) {
  std::vector<double> seen;
  train(options, [&](const TrainingProgress& progress) {
    seen.push_back(progress.loss);
    return true;
  });
  return seen;
}

/// The largest difference between the weights of two models.
double distance(const std::string& a, const std::string& b) {
  const Model left = read_model(a), right = read_model(b);
  std::vector<at::Tensor> values;
  left.network->visit([&](const std::string&, at::Tensor& tensor) { values.push_back(tensor); });
  double largest = 0;
  std::size_t i = 0;
  right.network->visit([&](const std::string&, at::Tensor& tensor) {
    largest = std::max(largest, (tensor - values[i++]).abs().max().item<double>());
  });
  return largest;
}

// Single precision rounds otherwise in other orders of summing; 20 steps of AdamW and Muon carry
// 1e-7 to some 1e-5.
TEST_F(GpuTraining, HasTheLossesOfTheCpu) {
  const auto gpu = losses(options("gpu", 20, "cuda")), cpu = losses(options("cpu", 20, "cpu"));
  ASSERT_EQ(gpu.size(), cpu.size());
  for (std::size_t i = 0; i < gpu.size(); ++i) EXPECT_NEAR(gpu[i], cpu[i], 1e-3 * cpu[i]) << i;
}

TEST_F(GpuTraining, ComesToTheModelOfTheCpu) {
  train(options("gpu", 5, "cuda"));
  train(options("cpu", 5, "cpu"));
  EXPECT_LT(distance(folder_.file("gpu"), folder_.file("cpu")), 1e-3);
}

TEST_F(GpuTraining, TrainsWithAdamWAlone) {
  TrainingOptions gpu = options("gpu", 5, "cuda"), cpu = options("cpu", 5, "cpu");
  gpu.optimiser = cpu.optimiser = Optimiser::AdamW;
  train(gpu);
  train(cpu);
  EXPECT_LT(distance(gpu.model, cpu.model), 1e-3);
}

TEST_F(GpuTraining, TrainsInBFloat16WhateverTheProcessor) {
  TrainingOptions half = options("half", 20, "cuda");
  half.precision = Precision::BFloat16;
  const auto rounded = losses(half), exact = losses(options("exact", 20, "cuda"));
  ASSERT_EQ(rounded.size(), exact.size());
  for (std::size_t i = 0; i < rounded.size(); ++i)
    EXPECT_NEAR(rounded[i], exact[i], 0.05 * exact[i]) << i;
}

TEST_F(GpuTraining, GoesOnFromItsCheckpoint) {
  const auto whole = losses(options("whole", 10, "cuda"));
  TrainingOptions parts = options("parts", 10, "cuda");
  train(parts, [](const TrainingProgress& progress) { return progress.step < 5; });
  parts.start = Start::Resume;
  const auto rest = losses(parts);
  ASSERT_EQ(rest.size(), 5u);
  ASSERT_EQ(whole.size(), 10u);
  for (std::size_t i = 0; i < rest.size(); ++i)
    EXPECT_NEAR(rest[i], whole[5 + i], 1e-3 * whole[5 + i]) << i;
}

TEST_F(GpuTraining, GoesOnFromACheckpointOfTheCpu) {
  const auto whole = losses(options("whole", 10, "cpu"));
  TrainingOptions parts = options("parts", 10, "cpu");
  train(parts, [](const TrainingProgress& progress) { return progress.step < 5; });
  parts.start = Start::Resume;
  parts.device = "cuda";
  const auto rest = losses(parts);
  ASSERT_EQ(rest.size(), 5u);
  ASSERT_EQ(whole.size(), 10u);
  for (std::size_t i = 0; i < rest.size(); ++i)
    EXPECT_NEAR(rest[i], whole[5 + i], 1e-3 * whole[5 + i]) << i;
}

TEST_F(GpuTraining, TrainsTheExitsOfAModel) {
  train(options("base", 5, "cpu"));
  TrainingOptions o = options("exits", 5, "cuda");
  o.from = folder_.file("base");
  o.trained = Trained::Exits;
  EXPECT_TRUE(train(o).completed);
  const Model before = read_model(o.from), after = read_model(o.model);
  std::map<std::string, at::Tensor> old;
  before.network->visit(
      [&](const std::string& name, at::Tensor& tensor) { old.emplace(name, tensor); });
  int moved = 0;
  after.network->visit([&](const std::string& name, at::Tensor& tensor) {
    const bool is_exit = after.network->role(name).exit_source.has_value(),
               is_same = tensor.equal(old.at(name));
    EXPECT_TRUE(is_exit || is_same) << name;
    if (!is_same) ++moved;
  });
  EXPECT_GT(moved, 0);
}

TEST_F(GpuTraining, TrainsTheOtherUncertaintiesAndTargets) {
  for (const char* form : {"map", "scalar", "pooled"}) {
    TrainingOptions o = options(form, 3, "cuda");
    o.uncertainty = form;
    o.loss.target = UncertaintyTarget::LogExcess;
    EXPECT_TRUE(train(o).completed) << form;
    o.model = folder_.file(std::string(form) + "-likelihood");
    o.log = o.model + ".csv";
    o.loss.target = UncertaintyTarget::Likelihood;
    o.loss.distillation = 1;
    o.loss.distilled_exits = DistilledExits::One;
    EXPECT_TRUE(train(o).completed) << form;
  }
}

TEST_F(GpuTraining, ReportsALossThatIsNoNumber) {
  train(options("base", 2, "cpu"));
  const Model base = read_model(folder_.file("base"));
  base.network->visit([](const std::string& name, at::Tensor& tensor) {
    if (name == "decoder_pred.weight") tensor.mul_(1e30);  // whose outputs' squares are beyond 3e38
  });
  TrainingOptions o = options("model", 4, "cuda");
  o.from = folder_.file("large");
  write_model(base, o.from);
  EXPECT_THAT(test::message_of<Error>([&] { train(o); }),
              testing::HasSubstr("training: must keep a finite loss, but step 1 has inf"));
}

}  // namespace
}  // namespace adadiff::detail
