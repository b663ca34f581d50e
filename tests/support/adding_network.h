// A trainable network whose blocks each add what they see times a weight, and whose promises can be
// broken one by one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include <adadiff/trainable_network.h>

namespace adadiff::test {

enum class Flaw {
  None,
  TooFewExits,
  NoExits,
  OtherKind,
  TooFewOutputs,
  FlatPrediction,
  NoUncertainty,
  Logits,
  NameTwice,
  NoPass,
  KeepsAllRows,
  MixesRows,
  OtherScores
};

class Adding final : public TrainableNetwork {
 public:
  static constexpr int kBlocks = 3;

  explicit Adding(Flaw flaw = Flaw::None, std::int64_t side = 2, std::int64_t padding = 1)
      : flaw_(flaw), padding_(padding) {
    info_.kind = "adding";
    info_.blocks = kBlocks;
    info_.channels = 1;
    info_.height = info_.width = side;
    info_.can_exit.assign(flaw == Flaw::TooFewExits ? 2 : kBlocks, 1);
    if (flaw == Flaw::NoExits) info_.can_exit.assign(kBlocks, 0);
    info_.cost = {1, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}};
    for (int k = 0; k < kBlocks; ++k) weight_.push_back(at::full({1, 1, 1, 1}, 0.5 + k));
  }

  const NetworkInfo& info() const override { return info_; }
  std::int64_t padded_rows(std::int64_t rows) const override {
    return (rows + padding_ - 1) / padding_ * padding_;
  }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions&) const override;

  at::Tensor embed(const PassInputs& inputs) const {
    return inputs.x + inputs.time.view({-1, 1, 1, 1}) / 1000;
  }
  at::Tensor block(const at::Tensor& x, int k) const {
    const at::Tensor& seen = flaw_ == Flaw::MixesRows ? x.mean(0, true) : x;
    return x + weight_[static_cast<std::size_t>(k)] * seen.sin();
  }
  at::Tensor score(const at::Tensor& x) const { return x.flatten(1).mean(1).sigmoid(); }
  Flaw flaw() const { return flaw_; }

  std::vector<BlockOutput> outputs(const PassInputs& inputs, at::ScalarType) const override {
    std::vector<BlockOutput> outputs;
    at::Tensor x = embed(inputs);
    for (int k = 0; k < kBlocks - (flaw_ == Flaw::TooFewOutputs ? 1 : 0); ++k) {
      x = block(x, k);
      BlockOutput output{x, score(x)};
      if (flaw_ == Flaw::FlatPrediction) output.prediction = x.flatten(1);
      if (flaw_ == Flaw::NoUncertainty) output.uncertainty = at::Tensor();
      if (flaw_ == Flaw::Logits) output.uncertainty = output.uncertainty.logit() * 10;
      outputs.push_back(output);
    }
    return outputs;
  }
  void visit(const TensorVisitor& visitor) override {
    for (int k = 0; k < kBlocks; ++k) {
      visitor("weight." + std::to_string(flaw_ == Flaw::NameTwice ? 0 : k),
              weight_[static_cast<std::size_t>(k)]);
    }
  }
  void initialise(std::uint64_t) override {}
  std::string config_json() const override {
    return flaw_ == Flaw::OtherKind ? R"({"kind": "other"})" : R"({"kind": "adding"})";
  }

 private:
  Flaw flaw_;
  std::int64_t padding_;
  NetworkInfo info_;
  std::vector<at::Tensor> weight_;
};

class AddingPass final : public ForwardPass {
 public:
  explicit AddingPass(const Adding& network) : network_(network) {}
  void begin(const PassInputs& inputs) override {
    x_ = network_.embed(inputs);
    blocks_ = 0;
  }
  void run_block(std::uint8_t) override { x_ = network_.block(x_, blocks_++); }
  void score(const ScoreSink& sink) const override {
    sink.out.copy_(network_.score(x_) * (network_.flaw() == Flaw::OtherScores ? 0.9 : 1));
  }
  void predict(const at::Tensor& rows, const at::Tensor& slots,
               const at::Tensor& out) const override {
    at::Tensor(out).index_copy_(0, slots, x_.index_select(0, rows));
  }
  void keep(const at::Tensor& rows, std::int64_t) override {
    x_ = network_.flaw() == Flaw::KeepsAllRows ? x_.narrow(0, 0, rows.size(0))
                                               : x_.index_select(0, rows);
  }

 private:
  const Adding& network_;
  at::Tensor x_;
  int blocks_ = 0;
};

inline std::unique_ptr<ForwardPass> Adding::new_pass(const PassOptions&) const {
  return flaw_ == Flaw::NoPass ? nullptr : std::make_unique<AddingPass>(*this);
}

}  // namespace adadiff::test
