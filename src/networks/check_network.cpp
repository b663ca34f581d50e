// check_network: does a network keep the promises of network.h and trainable_network.h?
#include "networks/check_network.h"

#include <adadiff/error.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include "core/check.h"
#include "device/device.h"
#include "networks/info_checks.h"

namespace adadiff {
namespace detail {
namespace {

constexpr std::int64_t kRows = 4;
/// Of the largest value. Sums in another order differ by about 1e-6 of it.
constexpr double kTolerance = 1e-3;

[[noreturn]] void refuse(const NetworkInfo& info, const std::string& must,
                         const std::string& found) {
  raise<ModelError>({"network \"" + info.kind + "\"", must, found});
}

std::string shape_of(at::IntArrayRef sizes) {
  std::string text = "[";
  for (const std::int64_t size : sizes) text += (text.size() > 1 ? ", " : "") + show(size);
  return text + "]";
}

/// Random inputs of a few rows, each with a condition of its own.
class Sample {
 public:
  explicit Sample(const NetworkInfo& info) {
    at::Generator generator = at::detail::createCPUGenerator(20240717);
    const auto normal = [&](at::IntArrayRef sizes) {
      return at::randn(sizes, generator, at::kFloat).to(torch_device(info.device));
    };
    const auto device = torch_device(info.device);
    x_ = normal({kRows, info.channels, info.height, info.width});
    time_ = at::tensor({950.F, 600.F, 300.F, 20.F}).to(device);
    if (info.classes == 0 && info.condition.is_empty()) return;
    entries_ = at::arange(kRows, at::kLong).to(device);
    if (info.classes > 0) labels_ = at::arange(kRows, at::kLong).remainder(info.classes).to(device);
    const ConditionInfo& condition = info.condition;
    if (condition.tokens > 0) {
      tokens_ = normal({kRows, condition.tokens, condition.token_width});
      mask_ = at::ones({kRows, condition.tokens}, at::kBool).to(device);
    }
    if (condition.pooled_width > 0) pooled_ = normal({kRows, condition.pooled_width});
  }

  /// The rows at these positions.
  Sample rows(const std::vector<std::int64_t>& positions) const {
    const at::Tensor index = at::tensor(positions, at::kLong).to(x_.device());
    Sample some = *this;
    some.x_ = x_.index_select(0, index);
    some.time_ = time_.index_select(0, index);
    if (entries_.defined()) some.entries_ = entries_.index_select(0, index);
    return some;
  }

  PassInputs inputs() const {
    const auto set = [](const at::Tensor& tensor) { return tensor.defined() ? &tensor : nullptr; };
    return {x_, time_, entries_, {set(labels_), set(tokens_), set(mask_), set(pooled_)}};
  }

 private:
  at::Tensor x_, time_, entries_, labels_, tokens_, mask_, pooled_;
};

/// The largest difference as a share of the largest value; infinite where one is not finite.
double difference(const at::Tensor& found, const at::Tensor& expected) {
  const at::Tensor error = (found - expected).abs().max();
  const auto share = (error / expected.abs().max().clamp_min(1e-6)).item<double>();
  return std::isfinite(share) ? share : std::numeric_limits<double>::infinity();
}

/// Compares passes with outputs. Rows that only fill up a pass repeat the first one.
class PassCheck {
 public:
  PassCheck(const TrainableNetwork& network, const Sample& sample,
            const std::vector<BlockOutput>& outputs)
      : network_(network), info_(network.info()), sample_(sample), outputs_(outputs) {}

  /// A pass of these rows, of which the ones at positions `staying` go on after block `leave`.
  void run(const std::vector<std::int64_t>& rows, int leave,
           const std::vector<std::int64_t>& staying) {
    if (!pass_) {
      pass_ = network_.new_pass({network_.padded_rows(kRows), Precision::Float32, info_.device});
    }
    if (!pass_) refuse(info_, "make a pass", "new_pass gives none");
    const Sample some = sample_.rows(filled(rows));
    PassInputs inputs = some.inputs();
    inputs.live = std::ssize(rows);
    pass_->begin(inputs);
    std::vector<std::int64_t> now = rows;
    for (int block = 0; block < info_.blocks; ++block) {
      pass_->run_block(0);
      compare(block, now);
      if (block != leave) continue;
      pass_->keep(indices(filled(staying)), std::ssize(staying));
      std::vector<std::int64_t> kept;
      kept.reserve(staying.size());
      for (const std::int64_t position : staying)
        kept.push_back(now[static_cast<std::size_t>(position)]);
      now = kept;
    }
  }

 private:
  std::vector<std::int64_t> filled(std::vector<std::int64_t> rows) const {
    rows.resize(static_cast<std::size_t>(network_.padded_rows(std::ssize(rows))), rows.front());
    return rows;
  }
  at::Tensor nothing(at::IntArrayRef sizes) const {
    return at::full(sizes, std::numeric_limits<double>::quiet_NaN(), at::kFloat)
        .to(torch_device(info_.device));
  }
  at::Tensor indices(const std::vector<std::int64_t>& values) const {
    return at::tensor(values, at::kLong).to(torch_device(info_.device));
  }

  void compare(int block, const std::vector<std::int64_t>& rows) {
    const bool is_exit = block + 1 == info_.blocks ||
                         info_.can_exit[static_cast<std::size_t>(block) + 1] != 0;
    if (!is_exit) return;
    const BlockOutput& expected = outputs_[static_cast<std::size_t>(block)];
    const std::string where = std::to_string(rows.size()) + " rows after block " +
                              std::to_string(block + 1);
    const auto count = static_cast<std::int64_t>(rows.size());
    std::vector<std::int64_t> all(rows.size());
    std::iota(all.begin(), all.end(), std::int64_t{0});
    const at::Tensor out = nothing({count, info_.out_channels(), info_.height, info_.width});
    pass_->predict(indices(all), indices(all), out);
    require_same("predict", where, out.narrow(1, 0, info_.channels),
                 expected.prediction.index_select(0, indices(rows)));
    if (!info_.has_uncertainty || block + 1 == info_.blocks) return;
    const at::Tensor scores = nothing({network_.padded_rows(count)});
    pass_->score({scores});
    const at::Tensor uncertainty = expected.uncertainty.index_select(0, indices(rows));
    require_same("score", where, scores.narrow(0, 0, count),
                 uncertainty.dim() == 1 ? uncertainty : uncertainty.flatten(1).mean(1));
  }

  void require_same(const std::string& call, const std::string& where, const at::Tensor& found,
                    const at::Tensor& expected) {
    const double share = difference(found, expected);
    if (share <= kTolerance) return;
    refuse(
        info_,
        "give in its passes what outputs() gives, to " + show(kTolerance) + " of the largest value",
        call + " of " + where + " differs by " + show(share));
  }

  const TrainableNetwork& network_;
  const NetworkInfo& info_;
  const Sample& sample_;
  const std::vector<BlockOutput>& outputs_;
  std::unique_ptr<ForwardPass> pass_;
};

void check_names(TrainableNetwork& network) {
  std::set<std::string> names;
  network.visit([&](const std::string& name, at::Tensor& tensor) {
    if (!names.insert(name).second)
      refuse(network.info(), "show each parameter once", "shows \"" + name + "\" twice");
    if (!tensor.defined())
      refuse(network.info(), "show parameters that exist", "\"" + name + "\" is undefined");
  });
  if (names.empty()) refuse(network.info(), "show its parameters", "shows none");
}

void check_range(const NetworkInfo& info, const std::vector<BlockOutput>& outputs) {
  for (std::size_t block = 0; block < outputs.size(); ++block) {
    const at::Tensor& u = outputs[block].uncertainty;
    if (!u.defined() || at::logical_and(u >= 0, u <= 1).all().item<bool>()) continue;
    refuse(info, "give uncertainties in [0, 1]",
           "those of output " + std::to_string(block) + " go from " + show(u.min().item<double>()) +
               " to " + show(u.max().item<double>()));
  }
}

}  // namespace

void check_outputs(const NetworkInfo& info, const std::vector<BlockOutput>& outputs,
                   std::int64_t rows) {
  if (std::ssize(outputs) != info.blocks) {
    refuse(info, "give an output per block, " + std::to_string(info.blocks),
           "gives " + std::to_string(outputs.size()));
  }
  const std::vector<std::int64_t> image{rows, info.channels, info.height, info.width};
  const auto require = [&](std::size_t block, const char* what, const at::Tensor& tensor,
                           bool may_be_row) {
    const std::string name = "output " + std::to_string(block) + ": " + what;
    const std::string shapes = shape_of(image) + (may_be_row ? " or " + shape_of({rows}) : "");
    if (!tensor.defined()) refuse(info, "give " + shapes + " as " + name, "it is undefined");
    if (tensor.sizes() == at::IntArrayRef(image)) return;
    if (may_be_row && tensor.sizes() == at::IntArrayRef({rows})) return;
    refuse(info, "give " + shapes + " as " + name, "it is " + shape_of(tensor.sizes()));
  };
  for (std::size_t block = 0; block < outputs.size(); ++block) {
    const bool is_last = block + 1 == outputs.size();
    const bool is_exit = !is_last && info.can_exit[block + 1] != 0;
    if (is_last || is_exit || outputs[block].prediction.defined())
      require(block, "prediction", outputs[block].prediction, false);
    if (info.has_uncertainty && is_exit)
      require(block, "uncertainty", outputs[block].uncertainty, true);
  }
}

}  // namespace detail

void check_network(TrainableNetwork& network) {
  const NetworkInfo& info = network.info();
  detail::check_info(info);
  detail::check_names(network);
  const at::NoGradGuard no_gradient;
  const detail::Sample sample(info);
  const std::vector<BlockOutput> outputs = network.outputs(sample.inputs(), at::kFloat);
  detail::check_outputs(info, outputs, detail::kRows);
  detail::check_range(info, outputs);
  const c10::InferenceMode as_in_sampling;
  detail::PassCheck passes(network, sample, outputs);
  passes.run({0, 1, 2, 3}, -1, {});
  passes.run({2}, -1, {});
  const std::set<int> leaves{0, (info.blocks - 1) / 2, info.blocks - 2};
  for (const int leave : leaves) {
    if (leave >= 0 && leave + 1 < info.blocks) passes.run({0, 1, 2, 3}, leave, {1, 3});
  }
}

}  // namespace adadiff
