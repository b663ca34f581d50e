// Applies the function when asked for a prediction.
#include "support/function_network.h"

#include <utility>

#include <ATen/ATen.h>

namespace adadiff::test {
namespace {

class FunctionPass final : public ForwardPass {
 public:
  explicit FunctionPass(const RowFunction& function) : function_(function) {}
  void begin(const PassInputs& inputs) override {
    x_ = inputs.x;
    time_ = inputs.time;
    if (inputs.conditions.labels != nullptr)
      labels_ = inputs.conditions.labels->index_select(0, inputs.entries);
  }
  void run_block(std::uint8_t) override {}
  void score(const ScoreSink& sink) const override { sink.out.fill_(0.5f); }
  void predict(const at::Tensor& rows, const at::Tensor& slots,
               const at::Tensor& out) const override {
    const std::int64_t values = x_[0].numel();
    for (std::int64_t i = 0; i < rows.numel(); ++i) {
      const std::int64_t row = rows.data_ptr<std::int64_t>()[i],
                         slot = slots.data_ptr<std::int64_t>()[i];
      const std::int64_t label = labels_.defined() ? labels_.data_ptr<std::int64_t>()[row] : -1;
      function_({x_.data_ptr<float>() + row * values, values,
                 static_cast<double>(time_.data_ptr<float>()[row]), label},
                out.data_ptr<float>() + slot * values);
    }
  }
  void keep(const at::Tensor&, std::int64_t) override {}

 private:
  const RowFunction& function_;
  at::Tensor x_, time_, labels_;
};

class FunctionNetwork final : public Network {
 public:
  FunctionNetwork(RowFunction function, ImageShape shape, std::int64_t labels)
      : function_(std::move(function)) {
    info_.kind = "function";
    info_.blocks = 1;
    info_.channels = shape.channels;
    info_.height = shape.height;
    info_.width = shape.width;
    info_.classes = labels;
    info_.null_label = labels - 1;
    info_.can_exit = {0};
    info_.cost = {1, {2}, {3}, {4}};
  }
  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions&) const override {
    return std::make_unique<FunctionPass>(function_);
  }

 private:
  RowFunction function_;
  NetworkInfo info_;
};

}  // namespace

std::shared_ptr<const Network> function_network(RowFunction function, ImageShape shape,
                                                std::int64_t labels) {
  return std::make_shared<FunctionNetwork>(std::move(function), shape, labels);
}

}  // namespace adadiff::test
