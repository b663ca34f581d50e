// Runs two passes side by side: one runs everything, the other does what it is told.
#include "metrics/excess_network.h"

#include <cmath>
#include <optional>
#include <utility>

#include <ATen/ATen.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

/// [blocks, R] float64: the excess of every exit over the last, for the rows of one evaluation.
at::Tensor every_excess(ForwardPass& pass, const PassInputs& inputs, const NetworkInfo& info) {
  const std::int64_t rows = inputs.x.size(0);
  const at::Tensor all = at::arange(rows, at::kLong);
  std::vector<at::Tensor> predictions;
  predictions.reserve(static_cast<std::size_t>(info.blocks));
  const std::vector<std::int64_t> shape{rows, info.out_channels(), info.height, info.width};
  pass.begin(inputs);
  for (int block = 0; block < info.blocks; ++block) {
    pass.run_block(0);
    predictions.push_back(at::empty(shape, inputs.x.options()));
    pass.predict(all, all, predictions.back());
  }
  std::vector<at::Tensor> excess;
  excess.reserve(predictions.size());
  for (const at::Tensor& prediction : predictions) {
    const at::Tensor difference = (prediction - predictions.back()).narrow(1, 0, info.channels);
    excess.push_back(difference.to(at::kDouble).square().flatten(1).mean(1));
  }
  return at::stack(excess);
}

class ExcessPass final : public ForwardPass {
 public:
  ExcessPass(std::unique_ptr<ForwardPass> pass, std::unique_ptr<ForwardPass> full,
             const NetworkInfo& info, Scores scores, std::shared_ptr<ExcessRecord> record)
      : pass_(std::move(pass)),
        full_(std::move(full)),
        info_(info),
        scores_(scores),
        record_(std::move(record)) {}

  void begin(const PassInputs& inputs) override {
    excess_ = every_excess(*full_, inputs, info_);
    times_ = inputs.time.to(at::kFloat).contiguous();
    rows_ = at::arange(inputs.x.size(0), at::kLong);
    blocks_run_ = 0;
    last_prediction_.assign(static_cast<std::size_t>(rows_.size(0)), std::nullopt);
    const std::int64_t live = inputs.live < 0 ? rows_.size(0) : inputs.live;
    for (std::int64_t row = 0; row < live; ++row) {
      const at::Tensor of_row = excess_.select(1, row).contiguous();
      const auto* values = of_row.const_data_ptr<double>();
      record_->add_rows(time_of(row), {values, values + info_.blocks});
    }
    pass_->begin(inputs);
  }
  void run_block(std::uint8_t left_out) override {
    if (left_out != 0) {
      raise({"evaluate", "measure the excess of plans that run whole blocks",
             "is given one that skips parts of them"});
    }
    pass_->run_block(left_out);
    ++blocks_run_;
  }
  void score(const ScoreSink& sink) const override {
    if (scores_ == Scores::Learned) return pass_->score(sink);
    const at::Tensor rms = excess_.select(0, blocks_run_ - 1).index_select(0, rows_).sqrt();
    sink.out.copy_(rms / (1 + rms));
  }
  void predict(const at::Tensor& rows, const at::Tensor& slots,
               const at::Tensor& out) const override {
    pass_->predict(rows, slots, out);
    const at::Tensor chosen = rows_.index_select(0, rows);
    const auto* index = chosen.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < chosen.size(0); ++i) {
      auto& last = last_prediction_[static_cast<std::size_t>(index[i])];
      const double excess = excess_.index({blocks_run_ - 1, index[i]}).item<double>();
      record_->add_prediction(time_of(index[i]), excess, last);
      last = excess;
    }
  }
  void keep(const at::Tensor& rows, std::int64_t live) override {
    pass_->keep(rows, live);
    rows_ = rows_.index_select(0, rows);
  }

 private:
  float time_of(std::int64_t row) const { return times_.const_data_ptr<float>()[row]; }

  std::unique_ptr<ForwardPass> pass_, full_;
  const NetworkInfo& info_;
  Scores scores_;
  std::shared_ptr<ExcessRecord> record_;
  at::Tensor excess_;  ///< [blocks, R]
  at::Tensor times_;   ///< [R]
  at::Tensor rows_;    ///< rows of the evaluation that are still in the pass
  int blocks_run_ = 0;
  /// Per row: the excess of the latest prediction in this evaluation. A guided row is predicted
  /// more than once; the prediction with which it leaves replaces the earlier ones.
  mutable std::vector<std::optional<double>> last_prediction_;
};

}  // namespace

void ExcessRecord::add_rows(float time, const std::vector<double>& excess) {
  const std::scoped_lock lock(mutex_);
  ExcessAtTime& entry = times_[time];
  entry.exit_excess.resize(excess.size());
  for (std::size_t block = 0; block < excess.size(); ++block)
    entry.exit_excess[block] += excess[block];
  ++entry.rows;
}

void ExcessRecord::add_prediction(float time, double excess, std::optional<double> replaced) {
  const std::scoped_lock lock(mutex_);
  ExcessAtTime& entry = times_[time];
  entry.taken_excess += excess - replaced.value_or(0);
  if (!replaced) ++entry.predictions;
}

std::map<float, ExcessAtTime> ExcessRecord::times() const {
  const std::scoped_lock lock(mutex_);
  return times_;
}

ExcessNetwork::ExcessNetwork(std::shared_ptr<const Network> network, Scores scores,
                             std::shared_ptr<ExcessRecord> record)
    : network_(std::move(network)),
      scores_(scores),
      record_(std::move(record)),
      info_(network_->info()) {
  info_.has_uncertainty = info_.has_uncertainty || scores == Scores::Ideal;
}

std::unique_ptr<ForwardPass> ExcessNetwork::new_pass(const PassOptions& options) const {
  return std::make_unique<ExcessPass>(network_->new_pass(options), network_->new_pass(options),
                                      info_, scores_, record_);
}

}  // namespace adadiff::detail
