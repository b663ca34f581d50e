// Files that torch.save wrote (tests/golden/record_checkpoints.py), whole and damaged.
#include "convert/torch_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string path_of(const char* name) {
  return std::string(ADADIFF_TEST_DATA) + "/checkpoints/" + name;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(TorchFile, HoldsEveryTypeAndLayout) {
  const ForeignTensors tensors = read_torch_file(path_of("tensors.pt"));
  const auto of = [&](const char* name) {
    return tensors.at(std::string("state.net.") + name).load();
  };
  const at::Tensor base = at::arange(24, at::kFloat);
  EXPECT_TRUE(at::equal(of("plain"), base.view({2, 3, 4})));
  EXPECT_TRUE(at::equal(of("transposed"), base.view({4, 6}).t()));
  EXPECT_TRUE(at::equal(of("window"), base.slice(0, 5, 17, 3)));
  EXPECT_TRUE(at::equal(of("scalar"), at::scalar_tensor(2.5)));
  EXPECT_EQ(of("empty").sizes(), (std::vector<std::int64_t>{0, 3}));
  const at::Tensor values = at::tensor({-1.5, 0.25, 3.0});
  for (const auto& [name, type] :
       {std::pair{"double", at::kDouble}, std::pair{"half", at::kHalf},
        std::pair{"bfloat16", at::kBFloat16}, std::pair{"long", at::kLong}})
    EXPECT_TRUE(at::equal(of(name), values.to(type))) << name;
  EXPECT_TRUE(at::equal(of("parameter"), at::tensor({7.0F})));
  EXPECT_EQ(tensors.size(), 10u);
}

TEST(TorchFile, IsRefusedWhereItNamesAFunction) {
  EXPECT_THAT([] { read_torch_file(path_of("evil.pt")); },
              ThrowsMessage<ModelError>(HasSubstr("but names \"posix.system\"")));
}

TEST(TorchFile, IsRefusedWhereItIsCompressed) {
  EXPECT_THAT([] { read_torch_file(path_of("compressed.pt")); },
              ThrowsMessage<ModelError>(HasSubstr("be stored without compression")));
}

class Damaged : public testing::Test {
 protected:
  /// Reads a file of these bytes, and all its tensors; whether it could be read.
  bool reads(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), std::ssize(bytes));
    try {
      for (const auto& [name, tensor] : read_torch_file(path_)) tensor.load();
      return true;
    } catch (const Error&) {
      return false;
    }
  }
  ~Damaged() override { std::filesystem::remove(path_); }

  std::string whole_ = bytes_of(path_of("tensors.pt"));
  std::string path_ = testing::TempDir() + "adadiff_damaged_" +
                      testing::UnitTest::GetInstance()->current_test_info()->name() + ".pt";
};

TEST_F(Damaged, FileIsRefusedWhereverItEnds) {
  ASSERT_TRUE(reads(whole_));
  for (std::size_t length = 0; length < whole_.size(); length += 3)
    EXPECT_FALSE(reads(whole_.substr(0, length))) << length;
}

TEST_F(Damaged, FileIsReadOrRefusedWhicheverByteDiffers) {
  int refused = 0;
  for (std::size_t place = 0; place < whole_.size(); ++place) {
    std::string bytes = whole_;
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << place % 8));
    if (!reads(bytes)) ++refused;
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace adadiff::detail
