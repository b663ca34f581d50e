// One evaluation of a U-ViT that can stop after any block. Skip connections keep the rows they were
// made with and are compacted when they are used, so rows that leave cost no copy of what nobody
// will read.
#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/check.h"
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
  UViTPass(const UViT& network, std::int64_t capacity) : network_(network), capacity_(capacity) {
    if (!network.info().has_uncertainty) return;
    std::vector<UncertaintyModule> modules;
    for (std::int64_t block = 0; block < network.config().blocks(); ++block)
      modules.push_back(network.uncertainty(block));
    packed_.emplace(modules);
  }

  void begin(const PassInputs& inputs) override {
    check(inputs);
    auto embedded = network_.embed(inputs);
    tokens_ = std::move(embedded.tokens);
    time_embedding_ = std::move(embedded.time_embedding);
    token_free_parts_.reset();
    skips_.clear();
    blocks_run_ = 0;
  }

  void run_block() override {
    if (blocks_run_ >= network_.config().blocks()) {
      raise({"ForwardPass.run_block",
             "be called at most " + show(network_.config().blocks()) + " times after begin",
             "is called once more"});
    }
    tokens_ = network_.run_block(blocks_run_, tokens_,
                                 network_.takes_skip(blocks_run_) ? pop_skip() : at::Tensor());
    if (network_.pushes_skip(blocks_run_)) skips_.push_back({tokens_, {}});
    ++blocks_run_;
  }

  void score(const ScoreSink& sink) const override {
    const auto block = last_block("score");
    if (!packed_)
      raise({"ForwardPass.score", "be called on a network with uncertainty modules",
             "this one has none"});
    if (!token_free_parts_.defined())
      token_free_parts_ = token_free_parts(*packed_, time_embedding_);
    const auto tokens = network_.patch_tokens(tokens_);
    score_tokens(*packed_, block, tokens, token_free_parts_, sink.out);
    if (sink.map != nullptr) write_map(network_.uncertainty(block), tokens, *sink.map);
  }

  void predict(const at::Tensor& rows, const at::Tensor& slots, at::Tensor& out) const override {
    const auto block = last_block("predict");
    const auto everyone = rows.size(0) == tokens_.size(0);
    const auto prediction = network_.predict(block,
                                             everyone ? tokens_ : tokens_.index_select(0, rows));
    out.index_copy_(0, slots, prediction);
  }

  void keep(const at::Tensor& rows) override {
    if (rows.size(0) == tokens_.size(0)) return;
    tokens_ = tokens_.index_select(0, rows);
    time_embedding_ = time_embedding_.index_select(0, rows);
    if (token_free_parts_.defined() && token_free_parts_.size(0) > 1)
      token_free_parts_ = token_free_parts_.index_select(0, rows);
    for (auto& skip : skips_)
      skip.rows = skip.rows.defined() ? skip.rows.index_select(0, rows) : rows;
  }

 private:
  std::int64_t last_block(const char* call) const {
    if (blocks_run_ == 0)
      raise({std::string("ForwardPass.") + call, "follow at least one run_block",
             "no block has run since begin"});
    return blocks_run_ - 1;
  }

  void check(const PassInputs& inputs) const {
    const auto& info = network_.info();
    const auto& x = inputs.x;
    if (x.dim() != 4 || x.size(1) != info.channels || x.size(2) != info.height ||
        x.size(3) != info.width || x.size(0) > capacity_) {
      std::string found = "is [";
      for (std::int64_t i = 0; i < x.dim(); ++i) found += (i ? ", " : "") + show(x.size(i));
      raise({"PassInputs.x",
             "be [R, " + show(info.channels) + ", " + show(info.height) + ", " + show(info.width) +
                 "] with R at most " + show(capacity_),
             found + "]"});
    }
    if (inputs.time.numel() != x.size(0))
      raise({"PassInputs.time", "have one entry per row",
             "has " + show(inputs.time.numel()) + " for " + show(x.size(0)) + " rows"});
    if (info.classes > 0 && (!inputs.labels.defined() || inputs.labels.numel() != x.size(0))) {
      raise({"PassInputs.labels", "have one label per row, since the network is conditional",
             inputs.labels.defined() ? "has " + show(inputs.labels.numel()) : "is undefined"});
    }
    if (info.classes > 0) check_labels(inputs.labels);
  }

  void check_labels(const at::Tensor& labels) const {
    const auto* values = labels.const_data_ptr<std::int64_t>();
    for (std::int64_t row = 0; row < labels.numel(); ++row) {
      require_range("PassInputs.labels[" + show(row) + "]", values[row], std::int64_t{0},
                    network_.info().classes - 1);
    }
  }

  at::Tensor pop_skip() {
    const auto skip = std::move(skips_.back());
    skips_.pop_back();
    return skip.rows.defined() ? skip.tokens.index_select(0, skip.rows) : skip.tokens;
  }

  void write_map(const UncertaintyModule& module, const at::Tensor& tokens, at::Tensor& map) const {
    const auto& c = network_.config();
    const auto values = uncertainty_values(module, tokens, time_embedding_);
    map.copy_(unpatchify(values.expand({-1, c.patches(), c.patch_values()}).contiguous(),
                         c.channels, c.patch_size, c.image_size));
  }

  const UViT& network_;
  std::int64_t capacity_;
  std::int64_t blocks_run_ = 0;
  at::Tensor tokens_;          // [R, L, D]
  at::Tensor time_embedding_;  // [R, D]
  std::vector<Skip> skips_;
  std::optional<PackedUncertainty> packed_;
  mutable at::Tensor
      token_free_parts_;  // [R or 1, blocks x P], made by the first score for these rows
};

}  // namespace

std::unique_ptr<ForwardPass> UViT::new_pass(std::int64_t capacity) const {
  return std::make_unique<UViTPass>(*this, capacity);
}

}  // namespace adadiff::detail
