// Devices by name.
#include "device/device.h"

#include <gmock/gmock.h>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

template <class E>
std::string refusal(const std::string& name) {
  try {
    find_device(name, "device");
  } catch (const E& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(Device, CpuIsAlwaysThere) {
  EXPECT_EQ(find_device("cpu", "device"), at::Device(c10::DeviceType::CPU));
}

TEST(Device, RefusesNamesThatAreNone) {
  for (const char* name : {"", "gpu", "CPU", "cpu:0", "cud", "cuda:", "cuda:x", "cuda:-1",
                           "cuda:1x", "cuda:128", "cuda0", "mps"}) {
    EXPECT_THAT(refusal<InvalidArgument>(name),
                StartsWith("device: must be cpu, cuda or cuda:N, but is "))
        << name;
  }
}

// Whether LibTorch lacks CUDA, or the machine lacks so many devices.
TEST(Device, SaysWhatIsMissingForOneThatIsNotHere) {
  EXPECT_THAT(refusal<DeviceError>("cuda:127"), StartsWith("device: must be a device "));
  EXPECT_THAT(refusal<DeviceError>("cuda:127"), HasSubstr("is \"cuda:127\", and "));
}

}  // namespace
}  // namespace adadiff::detail
