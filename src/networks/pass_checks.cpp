// Options, shapes, labels and the order of calls.
#include "networks/pass_checks.h"

#include <algorithm>
#include <limits>
#include <string>

#include <ATen/ATen.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

/// `table` has an entry per condition; null where the caller gives none.
void require_table(const char* name, const at::Tensor* table) {
  if (table != nullptr) return;
  raise({std::string("PassInputs.conditions.") + name, "be set, since the network is conditional",
         "is null"});
}

/// Entries on a GPU are not looked at.
void check_entries(const at::Tensor& entries, std::int64_t rows, std::int64_t conditions) {
  if (!entries.defined() || entries.numel() != rows) {
    raise({"PassInputs.entries", "have one entry of the table of conditions per row",
           entries.defined() ? "has " + show(entries.numel()) : "is undefined"});
  }
  if (!entries.is_cpu()) return;
  const auto* entry = entries.const_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row) {
    if (entry[row] >= 0 && entry[row] < conditions) continue;
    require_range("PassInputs.entries[" + show(row) + "]", entry[row], std::int64_t{0},
                  conditions - 1);
  }
}

void check_labels(const PassInputs& inputs, std::int64_t rows, std::int64_t classes) {
  require_table("labels", inputs.conditions.labels);
  const at::Tensor &entries = inputs.entries, &labels = *inputs.conditions.labels;
  check_entries(entries, rows, labels.numel());
  if (!entries.is_cpu() || !labels.is_cpu()) return;
  const auto *entry = entries.const_data_ptr<std::int64_t>(),
             *label = labels.const_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row) {
    if (label[entry[row]] >= 0 && label[entry[row]] < classes) continue;
    require_range("PassInputs.conditions.labels[" + show(entry[row]) + "]", label[entry[row]],
                  std::int64_t{0}, classes - 1);
  }
}

void check_pooled(const PassInputs& inputs, std::int64_t rows, std::int64_t width) {
  require_table("pooled", inputs.conditions.pooled);
  const at::Tensor& pooled = *inputs.conditions.pooled;
  if (pooled.dim() != 2 || pooled.size(1) != width) {
    raise({"PassInputs.conditions.pooled", "be [E, " + show(width) + "]",
           "is " + show_shape(pooled.sizes())});
  }
  check_entries(inputs.entries, rows, pooled.size(0));
}

}  // namespace

void check_pass_options(const PassOptions& options, const NetworkInfo& info) {
  require_range("PassOptions.capacity", options.capacity, std::int64_t{1},
                std::numeric_limits<std::int64_t>::max());
  const auto& runs = info.precisions;
  if (std::find(runs.begin(), runs.end(), options.precision) == runs.end()) {
    raise({"PassOptions.precision", "be a type that the network runs in here", "is another one",
           "NetworkInfo::precisions lists them"});
  }
  if (options.device != info.device) {
    raise({"PassOptions.device", "be " + to_string(info.device) + ", where the network is",
           "is " + to_string(options.device)});
  }
}

void check_pass_inputs(const PassInputs& inputs, const NetworkInfo& info, std::int64_t capacity) {
  const at::Tensor& x = inputs.x;
  const bool has_shape = x.dim() == 4 && x.size(1) == info.channels && x.size(2) == info.height &&
                         x.size(3) == info.width && x.size(0) <= capacity;
  if (!has_shape) {
    raise({"PassInputs.x",
           "be [R, " + show(info.channels) + ", " + show(info.height) + ", " + show(info.width) +
               "] with R at most " + show(capacity),
           "is " + show_shape(x.sizes())});
  }
  if (inputs.time.numel() != x.size(0)) {
    raise({"PassInputs.time", "have one entry per row",
           "has " + show(inputs.time.numel()) + " for " + show(x.size(0)) + " rows"});
  }
  if (info.classes > 0) check_labels(inputs, x.size(0), info.classes);
  const std::int64_t width = info.condition.pooled_width;
  if (width > 0) check_pooled(inputs, x.size(0), width);
}

std::int64_t BlockCount::next() {
  if (run_ >= blocks_) {
    raise({"ForwardPass.run_block", "be called at most " + show(blocks_) + " times after begin",
           "is called once more"});
  }
  return run_++;
}

std::int64_t BlockCount::last(const char* call) const {
  if (run_ == 0) {
    raise({std::string("ForwardPass.") + call, "follow at least one run_block",
           "no block has run since begin"});
  }
  return run_ - 1;
}

}  // namespace adadiff::detail
