// Answers from names and shapes alone.
#include "convert/tensor_facts.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/check.h"

namespace adadiff::detail {

std::int64_t TensorFacts::extent(const std::string& name, std::size_t dimension) const {
  const auto found = weights_.tensors.find(name);
  if (found == weights_.tensors.end() || found->second.shape.size() <= dimension) {
    raise<ModelError>(
        {weights_.source + ": tensor " + show(name),
         "have at least " + show(static_cast<std::int64_t>(dimension + 1)) + " dimensions",
         found == weights_.tensors.end() ? "is missing" : "is " + show_shape(found->second.shape)});
  }
  return found->second.shape[dimension];
}

std::int64_t TensorFacts::count(const std::string& prefix) const {
  std::int64_t most = -1;
  for (auto tensor = weights_.tensors.lower_bound(prefix); tensor != weights_.tensors.end();
       ++tensor) {
    const std::string& name = tensor->first;
    if (!name.starts_with(prefix)) break;
    std::int64_t index = -1;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), index);
    most = std::max(most, index);
  }
  constexpr std::int64_t kMost = 1000;  // a name may say any number
  return std::min(most + 1, kMost);
}

double TensorFacts::mlp_ratio(const std::string& first_matrix, std::int64_t width) const {
  return static_cast<double>(extent(first_matrix, 0)) /
         static_cast<double>(std::max<std::int64_t>(width, 1));
}

bool TensorFacts::any_begins_with(const std::string& prefix) const {
  const auto first = weights_.tensors.lower_bound(prefix);
  return first != weights_.tensors.end() && first->first.starts_with(prefix);
}

std::int64_t TensorFacts::square_side(std::int64_t cells, const std::string& of) const {
  const auto side = static_cast<std::int64_t>(
      std::llround(std::sqrt(static_cast<double>(std::max<std::int64_t>(cells, 0)))));
  if (side < 1 || side * side != cells) {
    raise<ModelError>(
        {weights_.source + ": " + of, "cover a square", "covers " + show(cells) + " patches"});
  }
  return side;
}

std::int64_t published_heads(std::int64_t width) {
  constexpr std::int64_t kWidthOfWideHeads = 1152;
  return width == kWidthOfWideHeads ? 16 : std::max<std::int64_t>(width / 64, 1);
}

}  // namespace adadiff::detail
