// One evaluation of a U-ViT that can stop after any block. Skip connections keep the rows they were
// made with and are compacted when they are used, so rows that leave cost no copy of what nobody
// will read.
#include <ATen/ATen.h>

#include <memory>
#include <utility>
#include <vector>

#include "networks/exit_scores.h"
#include "networks/pass_checks.h"
#include "networks/skip_stack.h"
#include "networks/uvit/uvit.h"

namespace adadiff::detail {
namespace {

class UViTPass final : public ForwardPass {
 public:
  UViTPass(const UViT& network, const PassOptions& options)
      : network_(network),
        capacity_(options.capacity),
        type_(scalar_type(options.precision)),
        weights_(network.prepared(options.precision)),
        blocks_(network.config().blocks()),
        scores_(weights_->uncertainty) {}

  void begin(const PassInputs& inputs) override {
    check_pass_inputs(inputs, network_.info(), capacity_);
    auto embedded = network_.embed(inputs);
    tokens_ = embedded.tokens.to(type_);
    scores_.begin(std::move(embedded.time_embedding));
    skips_.clear();
    blocks_.restart();
  }

  void run_block(std::uint8_t left_out) override {
    const auto block = blocks_.next();
    const at::Tensor skip = network_.takes_skip(block) ? skips_.pop() : at::Tensor();
    tokens_ = network_.run_block(weights_->blocks[static_cast<std::size_t>(block)], tokens_, skip,
                                 left_out);
    if (network_.pushes_skip(block)) skips_.push(tokens_);
  }

  void score(const ScoreSink& sink) const override {
    const auto block = blocks_.last("score");
    const auto tokens = network_.patch_tokens(tokens_);
    scores_.score(block, tokens, sink.out);
    if (sink.map != nullptr) write_map(block, tokens, *sink.map);
  }

  void predict(const at::Tensor& rows, const at::Tensor& slots,
               const at::Tensor& out) const override {
    const auto block = blocks_.last("predict");
    const auto everyone = rows.size(0) == tokens_.size(0);
    out.index_copy_(0, slots,
                    network_.predict(block, everyone ? tokens_ : tokens_.index_select(0, rows)));
  }

  void keep(const at::Tensor& rows, std::int64_t live) override {
    const bool all_count = live < 0 || live == rows.size(0);
    if (all_count && rows.size(0) == tokens_.size(0)) return;
    tokens_ = tokens_.index_select(0, rows);
    scores_.keep(rows);
    skips_.keep(rows);
  }

 private:
  void write_map(std::int64_t block, const at::Tensor& tokens, const at::Tensor& map) const {
    const auto& c = network_.config();
    const auto& module = network_.uncertainty()[static_cast<std::size_t>(block)];
    const auto values = uncertainty_values(module, tokens, scores_.time_embedding());
    map.copy_(unpatchify(values.expand({-1, c.patches(), c.patch_values()}).contiguous(),
                         c.channels, c.patch_size, c.image_size));
  }

  const UViT& network_;
  std::int64_t capacity_;
  at::ScalarType type_;  ///< of the blocks
  std::shared_ptr<const PreparedUViT> weights_;
  BlockCount blocks_;
  ExitScores scores_;
  at::Tensor tokens_;  ///< [R, L, D]
  SkipStack skips_;
};

}  // namespace

std::unique_ptr<ForwardPass> UViT::new_pass(const PassOptions& options) const {
  check_pass_options(options, info_);
  return std::make_unique<UViTPass>(*this, options);
}

}  // namespace adadiff::detail
