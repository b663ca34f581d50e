// Gathers guided rows, moves them away from their guides' predictions, and writes them back.
#include "execution/guide_store.h"

#include <algorithm>
#include <limits>

#include <ATen/ATen.h>

#include "execution/index_tensor.h"

namespace adadiff::detail {

void GuideStore::begin(std::span<const RowGroup> groups, const at::Tensor& out) {
  guides_.clear();
  int slots = 0;
  for (const RowGroup& group : groups) {
    slots = std::max(slots, group.plan.guide_slots());
    for (const EvaluationRow& row : group.rows)
      guides_.push_back(&group.plan.rule_of(row.evaluation).guide);
  }
  const std::int64_t needed = slots * capacity_;
  if (needed == 0) return;
  if (!store_.defined() || store_.size(0) < needed) {
    std::vector<std::int64_t> shape = out.sizes().vec();
    shape[0] = needed;
    store_ = at::empty(shape, out.options());
  }
  store_.fill_(std::numeric_limits<float>::quiet_NaN());  // found where a network writes nothing
}

int GuideStore::slot(std::int64_t row, int exit) const {
  const CompiledGuide& guide = guide_at(row);
  return guide.is_empty() ? kNoGuide : guide.slot[static_cast<std::size_t>(exit)];
}

int GuideStore::guide_of(std::int64_t row, int exit) const {
  const CompiledGuide& guide = guide_at(row);
  return guide.is_empty() ? kNoGuide : guide.guide_of[static_cast<std::size_t>(exit)];
}

void GuideStore::guide(std::span<const std::int64_t> rows, int exit, const at::Tensor& out) {
  guided_.clear();
  places_.clear();
  extra_weights_.clear();
  for (const std::int64_t row : rows) {
    const int guide = guide_of(row, exit);
    if (guide == kNoGuide) continue;
    guided_.push_back(row);
    places_.push_back(place(row, guide));
    extra_weights_.push_back(static_cast<float>(guide_at(row).weight - 1));
  }
  if (guided_.empty()) return;
  const at::Tensor index = index_tensor(guided_, out.device());
  const at::Tensor predictions = out.narrow(1, 0, channels_);
  at::Tensor taken = predictions.index_select(0, index);
  at::Tensor away = store_.narrow(1, 0, channels_)
                        .index_select(0, index_tensor(places_, out.device()));
  const at::Tensor
      weights = at::tensor(extra_weights_, at::kFloat).view({-1, 1, 1, 1}).to(out.device());
  away.neg_().add_(taken).mul_(weights);
  predictions.index_copy_(0, index, taken.add_(away));
}

}  // namespace adadiff::detail
