// Whatever torch throws, within the network or without, arrives as an error of adadiff's.
#include "pipeline/run_errors.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"

namespace adadiff::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

// Far more than any address space.
constexpr std::int64_t kTooMany = std::int64_t{1} << 50;

void generate_with(std::function<void(int)> on_block) {
  PyramidOptions options = labelled();
  options.on_block = std::move(on_block);
  make_sampled(options).pipeline.generate({});
}

TEST(TorchErrors, WithinTheNetworkAreDeviceErrorsOfOneLine) {
  EXPECT_THAT([] { generate_with([](int) { TORCH_CHECK(false, "shapes differ\nsecond line"); }); },
              ThrowsMessage<DeviceError>(AllOf(HasSubstr("Run.advance: PyTorch failed: "),
                                               HasSubstr("shapes differ"), Not(HasSubstr("\n")))));
}

TEST(TorchErrors, OfMemoryWithinTheNetworkNameTheBatch) {
  // 1 x 8 x 8 floats: state, two clean images and the output.
  EXPECT_THAT([] { generate_with([](int) { C10_THROW_ERROR(OutOfMemoryError, "no more"); }); },
              ThrowsMessage<InvalidArgument>(
                  AllOf(HasSubstr("Request.batch: must fit into memory, but needs 1024 bytes and "
                                  "what the network takes: PyTorch said \"no more"),
                        HasSubstr("ask for a smaller batch"))));
}

TEST(TorchErrors, FailTheRunOnce) {
  PyramidOptions options = labelled();
  options.on_block = [](int) { TORCH_CHECK(false, "shapes differ"); };
  adadiff::Run run = make_sampled(options).pipeline.start({});
  EXPECT_THROW(run.advance(std::chrono::hours(1)), DeviceError);
  EXPECT_EQ(run.advance(std::chrono::hours(1)), Status::Failed);
}

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // their allocators end the program instead
TEST(TorchErrors, OfTheAllocatorAreOnesOfMemory) {
  EXPECT_THAT([] { generate_with([](int) { at::empty({kTooMany}, at::kByte); }); },
              ThrowsMessage<InvalidArgument>(HasSubstr("Request.batch: must fit into memory")));
}
#endif

TEST(OtherErrors, PassUnchanged) {
  EXPECT_THAT([] { generate_with([](int) { throw std::domain_error("mine"); }); },
              ThrowsMessage<std::domain_error>("mine"));
}

/// A network that fails when a run is set up.
struct NoPass final : Network {
  NetworkInfo claims = PyramidNetwork(labelled()).info();
  const NetworkInfo& info() const override { return claims; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions&) const override {
    C10_THROW_ERROR(OutOfMemoryError, "no more");
  }
};

TEST(TorchErrors, OfSettingUpARunNameTheBatch) {
  const Pipeline pipeline = make_pipeline(std::make_shared<NoPass>(), six_steps());
  EXPECT_THAT([&] { pipeline.start({}); },
              ThrowsMessage<InvalidArgument>(HasSubstr("Request.batch: must fit into memory")));
}

/// What loading "model.safetensors" says of this error.
template <class E>
std::string load_message(const char* text) {
  try {
    detail::raise_load_error(E({__func__, __FILE__, __LINE__}, text), "model.safetensors");
  } catch (const DeviceError& error) {
    return error.what();
  }
}

TEST(TorchErrors, OfLoadingNameTheFile) {
  EXPECT_THAT(load_message<c10::OutOfMemoryError>("no more"),
              HasSubstr("model.safetensors: must fit into memory, but PyTorch said \"no more"));
  EXPECT_THAT(load_message<c10::Error>("odd"), HasSubstr("model.safetensors: PyTorch failed: odd"));
}

}  // namespace
}  // namespace adadiff::test
