// Moves the parameters of a network from and to the names and shapes of another program's files.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/trainable_network.h>

#include "convert/foreign_weights.h"

namespace adadiff::detail {

/// What a parameter is in a foreign file.
struct ForeignName {
  std::vector<std::string>
      parts;             ///< the tensors that make it up, joined along the first dimension
  int cells = 0;         ///< dimensions of size 1 that the file's tensors have at the end: a matrix
                         ///< that is stored as the kernel of a convolution
  bool negated = false;  ///< the file holds the negative
};
using NameMap = std::function<ForeignName(const std::string& name)>;

/// Fills the network from the weights, whatever type of floats they have. Tensors that are missing,
/// that have another shape and that nobody asks for are all named in one error. Tensors of the file
/// for which `may_be_left` is true are left out. Throws ModelError.
void fill_network(TrainableNetwork& network, const ForeignWeights& weights, const NameMap& names,
                  const std::function<bool(const std::string&)>& may_be_left = {});

/// The network's parameters as the foreign file holds them, in float32.
std::vector<std::pair<std::string, at::Tensor>> foreign_tensors(TrainableNetwork& network,
                                                                const NameMap& names);

}  // namespace adadiff::detail
