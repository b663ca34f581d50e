// One evaluation of a UNet that can stop after any block.
#include <memory>
#include <utility>

#include <ATen/ATen.h>

#include "networks/exit_scores.h"
#include "networks/pass_checks.h"
#include "networks/skip_stack.h"
#include "networks/unet/unet.h"

namespace adadiff::detail {
namespace {

class UNetPass final : public ForwardPass {
 public:
  UNetPass(const UNet& network, const PassOptions& options)
      : network_(network),
        capacity_(options.capacity),
        type_(scalar_type(options.precision)),
        weights_(network.prepared(options.precision)),
        blocks_(network.config().blocks()),
        scores_(weights_->uncertainty) {}

  void begin(const PassInputs& inputs) override {
    check_pass_inputs(inputs, network_.info(), capacity_);
    UNetFeatures embedded = network_.embed(inputs);
    features_ = embedded.stem.to(type_);
    stem_ = KeptTensor(std::move(embedded.stem));
    embedding_ = std::move(embedded.embedding);
    scores_.begin(std::move(embedded.time_embedding));
    skips_.clear();
    skips_.push(features_);
    blocks_.restart();
  }

  void run_block(std::uint8_t /*skip: there are no parts to leave out*/) override {
    const auto block = static_cast<std::size_t>(blocks_.next());
    const UNetBlockShape& shape = network_.shapes()[block];
    const at::Tensor skip = shape.takes_skip ? skips_.pop() : at::Tensor();
    features_ = network_.run_block(weights_->blocks[block], features_, skip, embedding_);
    if (shape.pushes_skip) skips_.push(features_);
  }

  void score(const ScoreSink& sink) const override {
    const std::int64_t block = blocks_.last("score");
    const at::Tensor tokens = network_.tokens_of(features_);
    scores_.score(block, tokens, sink.out);
    if (sink.map == nullptr) return;
    const auto& module = network_.uncertainty()[static_cast<std::size_t>(block)];
    sink.map->copy_(
        network_.map_image(block, uncertainty_values(module, tokens, scores_.time_embedding())));
  }

  void predict(const at::Tensor& rows, const at::Tensor& slots,
               const at::Tensor& out) const override {
    const std::int64_t block = blocks_.last("predict");
    const bool everyone = rows.size(0) == features_.size(0);
    const at::Tensor features = everyone ? features_ : features_.index_select(0, rows);
    at::Tensor stem;
    if (network_.uses_stem(block)) stem = everyone ? stem_.get() : stem_.get(rows);
    out.index_copy_(0, slots, network_.predict(block, features, stem));
  }

  void keep(const at::Tensor& rows, std::int64_t live) override {
    const bool all_count = live < 0 || live == rows.size(0);
    if (all_count && rows.size(0) == features_.size(0)) return;
    features_ = features_.index_select(0, rows);
    embedding_ = embedding_.index_select(0, rows);
    stem_.keep(rows);
    scores_.keep(rows);
    skips_.keep(rows);
  }

 private:
  const UNet& network_;
  std::int64_t capacity_;
  at::ScalarType type_;  ///< of the blocks
  std::shared_ptr<const PreparedUNet> weights_;
  BlockCount blocks_;
  ExitScores scores_;
  at::Tensor features_;   ///< [R, c, h, w]
  at::Tensor embedding_;  ///< [R, E]
  KeptTensor stem_;       ///< [R, width, H, W]
  SkipStack skips_;
};

}  // namespace

std::unique_ptr<ForwardPass> UNet::new_pass(const PassOptions& options) const {
  check_pass_options(options, info_);
  return std::make_unique<UNetPass>(*this, options);
}

}  // namespace adadiff::detail
