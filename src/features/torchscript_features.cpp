// The one file that uses TorchScript.
#include "features/torchscript_features.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kBatch = 32;
constexpr std::int64_t kMostDimensions = 65536;

/// The last line of a script's message that is not blank: it says what went wrong, while the lines
/// before it list calls.
std::string last_line(const std::string& text) {
  const std::string trimmed = text.substr(0, text.find_last_not_of("\n ") + 1);
  const std::size_t line = trimmed.rfind('\n');
  return line == std::string::npos ? trimmed : trimmed.substr(line + 1);
}

at::Tensor input_of(const Images& images, std::int64_t first, std::int64_t count) {
  const std::int64_t values = images.height * images.width * images.channels;
  // from_blob takes no const pointer; the memory is only read.
  auto* pixels = const_cast<std::uint8_t*>(images.pixels.data() + first * values);
  return at::from_blob(pixels, {count, images.height, images.width, images.channels}, at::kByte)
      .permute({0, 3, 1, 2})
      .to(at::kFloat)
      .expand({-1, 3, -1, -1})
      .contiguous();
}

class TorchScriptFeatures final : public FeatureExtractor {
 public:
  explicit TorchScriptFeatures(const std::string& path) : path_(path), module_(load(path)) {
    module_.eval();
    const auto method = module_.find_method("forward");
    if (!method) fail("have a method forward", "has none");
    const auto& arguments = method->function().getSchema().arguments();
    returns_features_ = std::any_of(arguments.begin(), arguments.end(),
                                    [](const auto& a) { return a.name() == "return_features"; });
  }

  ImageFeatures extract(const Images& images) const override {
    check_seen_images(images);
    ImageFeatures out;
    for (std::int64_t first = 0; first < images.count; first += kBatch) {
      const std::int64_t count = std::min(kBatch, images.count - first);
      const at::Tensor features = run(input_of(images, first, count));
      if (first == 0) out.features.resize(images.count, features.size(1));
      if (features.size(1) != out.features.cols())
        fail("give as many features for every image", "gave " + show(features.size(1)));
      std::copy_n(features.const_data_ptr<double>(), features.numel(),
                  out.features.data() + first * features.size(1));
    }
    return out;
  }
  std::vector<std::string> class_names() const override { return {}; }
  std::string name() const override {
    return "TorchScript " + std::filesystem::path(path_).filename().string();
  }

 private:
  static torch::jit::Module load(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored))
      raise<FileError>({path, "be a TorchScript file", "is no file"});
    try {
      return torch::jit::load(path, c10::Device(c10::kCPU));
    } catch (const std::exception&) {
      raise<ModelError>({path, "be a classifier of adadiff train-classifier or a TorchScript file",
                         "is neither"});
    }
  }

  [[noreturn]] void fail(const std::string& must, const std::string& found) const {
    raise<ModelError>({path_, must, found});
  }

  /// Runs the script on x and returns its features [B, D] float64.
  at::Tensor run(const at::Tensor& x) const {
    const at::NoGradGuard no_gradient;
    const at::IValue result = call(x);
    at::Tensor features;
    if (result.isTensor()) features = result.toTensor();
    if (result.isTuple() && !result.toTupleRef().elements().empty() &&
        result.toTupleRef().elements()[0].isTensor()) {
      features = result.toTupleRef().elements()[0].toTensor();
    }
    if (!features.defined()) fail("give a tensor of features", "gave " + result.tagKind());
    if (features.dim() == 4 && features.size(2) == 1 && features.size(3) == 1)
      features = features.flatten(1);
    if (features.dim() != 2 || features.size(0) != x.size(0) || features.size(1) < 1 ||
        features.size(1) > kMostDimensions) {
      std::string shape;
      for (const std::int64_t size : features.sizes())
        shape += (shape.empty() ? "" : ", ") + show(size);
      fail("give features [images, D]", "gave [" + shape + "] for " + show(x.size(0)) + " images");
    }
    features = features.to(at::kDouble).contiguous();
    if (!at::isfinite(features).all().item<bool>())
      fail("give finite features", "gave NaN or infinity");
    return features;
  }

  at::IValue call(const at::Tensor& x) const {
    const std::scoped_lock lock(mutex_);
    try {
      std::unordered_map<std::string, at::IValue> named;
      if (returns_features_) named.emplace("return_features", true);
      return module_.get_method("forward")({x}, named);
    } catch (const c10::Error& error) {
      fail("run on images", "failed: " + last_line(error.what_without_backtrace()));
    } catch (const std::exception& error) {
      fail("run on images", "failed: " + last_line(error.what()));
    }
  }

  std::string path_;
  torch::jit::Module module_;
  mutable std::mutex mutex_;  ///< scripts may keep state
  bool returns_features_ = false;
};

}  // namespace

std::unique_ptr<FeatureExtractor> open_torchscript(const std::string& path) {
  return std::make_unique<TorchScriptFeatures>(path);
}

}  // namespace adadiff::detail
