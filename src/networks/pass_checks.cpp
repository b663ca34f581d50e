// Shapes, labels and the order of calls.
#include "networks/pass_checks.h"

#include <string>

#include <ATen/ATen.h>

#include "core/check.h"

namespace adadiff::detail {
namespace {

void check_label_values(const at::Tensor& labels, std::int64_t classes) {
  const auto* values = labels.const_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < labels.numel(); ++row) {
    require_range("PassInputs.labels[" + show(row) + "]", values[row], std::int64_t{0},
                  classes - 1);
  }
}

void check_labels(const at::Tensor& labels, std::int64_t rows, std::int64_t classes) {
  if (!labels.defined() || labels.numel() != rows) {
    raise({"PassInputs.labels", "have one label per row, since the network is conditional",
           labels.defined() ? "has " + show(labels.numel()) : "is undefined"});
  }
  if (labels.is_cpu()) check_label_values(labels, classes);
}

}  // namespace

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
  if (info.classes > 0) check_labels(inputs.labels, x.size(0), info.classes);
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
