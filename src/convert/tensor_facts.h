// Questions that a family asks of a checkpoint's tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "convert/foreign_weights.h"

namespace adadiff::detail {

class TensorFacts {
 public:
  explicit TensorFacts(const ForeignWeights& weights) : weights_(weights) {}

  bool has(const std::string& name) const { return weights_.tensors.contains(name); }
  /// An extent of a tensor that must be there. Throws ModelError.
  std::int64_t extent(const std::string& name, std::size_t dimension) const;
  /// How many of prefix0, prefix1, ... begin the name of a tensor, counted up to the last one.
  std::int64_t count(const std::string& prefix) const;
  bool any_begins_with(const std::string& prefix) const;
  /// The hidden width of an MLP, whose first matrix is named, as a multiple of the network's width.
  double mlp_ratio(const std::string& first_matrix, std::int64_t width) const;
  /// The side of a square of that many cells. Throws ModelError where it is none.
  std::int64_t square_side(std::int64_t cells, const std::string& of) const;

 private:
  const ForeignWeights& weights_;
};

/// The heads of published transformers: 64 channels each, but for the networks of width 1152
/// (DiT-XL and U-ViT-H), whose heads have 72.
std::int64_t published_heads(std::int64_t width);

}  // namespace adadiff::detail
