// One evaluation of a U-ViT that can stop after any block. Skip connections keep the rows they were
// made with and are compacted when they are used, so rows that leave cost no copy of what nobody
// will read.
#include <ATen/ATen.h>

#include <memory>
#include <utility>
#include <vector>

#include "networks/exit_scores.h"
#include "networks/pass_checks.h"
#include "networks/uvit/uvit.h"

namespace adadiff::detail {
namespace {

/// An in-block's output waiting for its out-block.
struct Skip {
  at::Tensor tokens;  ///< [rows at that time, L, D]
  at::Tensor rows;    ///< [R] which of them are still in the pass; undefined: all
};

class UViTPass final : public ForwardPass {
 public:
  UViTPass(const UViT& network, std::int64_t capacity)
      : network_(network),
        capacity_(capacity),
        blocks_(network.config().blocks()),
        scores_(network.uncertainty()) {}

  void begin(const PassInputs& inputs) override {
    check_pass_inputs(inputs, network_.info(), capacity_);
    auto embedded = network_.embed(inputs);
    tokens_ = std::move(embedded.tokens);
    scores_.begin(std::move(embedded.time_embedding));
    skips_.clear();
    blocks_.restart();
  }

  void run_block() override {
    const auto block = blocks_.next();
    tokens_ = network_.run_block(block, tokens_,
                                 network_.takes_skip(block) ? pop_skip() : at::Tensor());
    if (network_.pushes_skip(block)) skips_.push_back({tokens_, {}});
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

  void keep(const at::Tensor& rows) override {
    if (rows.size(0) == tokens_.size(0)) return;
    tokens_ = tokens_.index_select(0, rows);
    scores_.keep(rows);
    for (auto& skip : skips_)
      skip.rows = skip.rows.defined() ? skip.rows.index_select(0, rows) : rows;
  }

 private:
  at::Tensor pop_skip() {
    const auto skip = std::move(skips_.back());
    skips_.pop_back();
    return skip.rows.defined() ? skip.tokens.index_select(0, skip.rows) : skip.tokens;
  }

  void write_map(std::int64_t block, const at::Tensor& tokens, const at::Tensor& map) const {
    const auto& c = network_.config();
    const auto& module = network_.uncertainty()[static_cast<std::size_t>(block)];
    const auto values = uncertainty_values(module, tokens, scores_.time_embedding());
    map.copy_(unpatchify(values.expand({-1, c.patches(), c.patch_values()}).contiguous(),
                         c.channels, c.patch_size, c.image_size));
  }

  const UViT& network_;
  std::int64_t capacity_;
  BlockCount blocks_;
  ExitScores scores_;
  at::Tensor tokens_;  ///< [R, L, D]
  std::vector<Skip> skips_;
};

}  // namespace

std::unique_ptr<ForwardPass> UViT::new_pass(std::int64_t capacity) const {
  return std::make_unique<UViTPass>(*this, capacity);
}

}  // namespace adadiff::detail
