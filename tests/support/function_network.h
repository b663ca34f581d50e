// A network of one block that is any function of state, time and label, one row at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <adadiff/network.h>

namespace adadiff::test {

/// Writes the prediction of one row, `values` floats.
struct RowInputs {
  const float* x = nullptr;
  std::int64_t values = 0;
  double time = 0;
  std::int64_t label = -1;
};
using RowFunction = std::function<void(const RowInputs& row, float* out)>;

struct ImageShape {
  std::int64_t channels = 1, height = 4, width = 4;
};

/// `labels` rows of labels, the last one the null label; 0: no labels.
std::shared_ptr<const Network> function_network(RowFunction function, ImageShape shape = {},
                                                std::int64_t labels = 0);

}  // namespace adadiff::test
