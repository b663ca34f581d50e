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
  DiTPass(const DiT& network, const PassOptions& options)
      : network_(network),
        capacity_(options.capacity),
        type_(scalar_type(options.precision)),
        weights_(network.prepared(options.precision)),
        blocks_(network.config().depth),
        scores_(weights_->uncertainty) {}

  void begin(const PassInputs& inputs) override {
    check_pass_inputs(inputs, network_.info(), capacity_);
    DiTTokens embedded = network_.embed(inputs);
    tokens_ = embedded.tokens.to(type_);
    condition_ = std::move(embedded.condition);
    scores_.begin(std::move(embedded.time_embedding));
    blocks_.restart();
  }

  void run_block(std::uint8_t left_out) override {
    const auto& block = weights_->blocks[static_cast<std::size_t>(blocks_.next())];
    tokens_ = network_.run_block(block, tokens_, condition_, left_out);
  }

  void score(const ScoreSink& sink) const override {
    const std::int64_t block = blocks_.last("score");
    const at::Tensor tokens = tokens_.to(at::kFloat);
    scores_.score(block, tokens, sink.out);
    if (sink.map == nullptr) return;
    const auto& module = network_.uncertainty()[static_cast<std::size_t>(block)];
    sink.map->copy_(
        network_.map_image(uncertainty_values(module, tokens, scores_.time_embedding())));
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

  void keep(const at::Tensor& rows, std::int64_t live) override {
    const bool all_count = live < 0 || live == rows.size(0);
    if (all_count && rows.size(0) == tokens_.size(0)) return;
    tokens_ = tokens_.index_select(0, rows);
    condition_ = condition_.index_select(0, rows);
    scores_.keep(rows);
  }

 private:
  const DiT& network_;
  std::int64_t capacity_;
  at::ScalarType type_;  ///< of the blocks
  std::shared_ptr<const PreparedDiT> weights_;
  BlockCount blocks_;
  ExitScores scores_;
  at::Tensor tokens_;     ///< [R, T, D]
  at::Tensor condition_;  ///< [R, D]
};

}  // namespace

std::unique_ptr<ForwardPass> DiT::new_pass(const PassOptions& options) const {
  check_pass_options(options, info_);
  return std::make_unique<DiTPass>(*this, options);
}

}  // namespace adadiff::detail
