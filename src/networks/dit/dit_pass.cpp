// One evaluation of a DiT that can stop after any block.
#include <memory>
#include <utility>

#include <ATen/ATen.h>

#include "networks/dit/dit.h"
#include "networks/exit_scores.h"
#include "networks/pass_checks.h"

namespace adadiff::detail {
namespace {

class DiTPass final : public ForwardPass {
 public:
  DiTPass(const DiT& network, std::int64_t capacity)
      : network_(network),
        capacity_(capacity),
        blocks_(network.config().depth),
        scores_(network.uncertainty()) {}

  void begin(const PassInputs& inputs) override {
    check_pass_inputs(inputs, network_.info(), capacity_);
    DiTTokens embedded = network_.embed(inputs);
    tokens_ = std::move(embedded.tokens);
    condition_ = std::move(embedded.condition);
    scores_.begin(std::move(embedded.time_embedding));
    blocks_.restart();
  }

  void run_block() override { tokens_ = network_.run_block(blocks_.next(), tokens_, condition_); }

  void score(const ScoreSink& sink) const override {
    const std::int64_t block = blocks_.last("score");
    scores_.score(block, tokens_, sink.out);
    if (sink.map == nullptr) return;
    const auto& module = network_.uncertainty()[static_cast<std::size_t>(block)];
    sink.map->copy_(
        network_.map_image(uncertainty_values(module, tokens_, scores_.time_embedding())));
  }

  void predict(const at::Tensor& rows, const at::Tensor& slots,
               const at::Tensor& out) const override {
    const std::int64_t block = blocks_.last("predict");
    const bool everyone = rows.size(0) == tokens_.size(0);
    const auto chosen = [&](const at::Tensor& all) {
      return everyone ? all : all.index_select(0, rows);
    };
    out.index_copy_(0, slots, network_.predict(block, chosen(tokens_), chosen(condition_)));
  }

  void keep(const at::Tensor& rows) override {
    if (rows.size(0) == tokens_.size(0)) return;
    tokens_ = tokens_.index_select(0, rows);
    condition_ = condition_.index_select(0, rows);
    scores_.keep(rows);
  }

 private:
  const DiT& network_;
  std::int64_t capacity_;
  BlockCount blocks_;
  ExitScores scores_;
  at::Tensor tokens_;     ///< [R, T, D]
  at::Tensor condition_;  ///< [R, D]
};

}  // namespace

std::unique_ptr<ForwardPass> DiT::new_pass(std::int64_t capacity) const {
  return std::make_unique<DiTPass>(*this, capacity);
}

}  // namespace adadiff::detail
