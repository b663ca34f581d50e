// The face of a network towards training: every exit's prediction and uncertainty at once, with
// gradients, from the same code that samples.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/network.h>

namespace adadiff::detail {

/// After block k + 1: the head's prediction and the UEM's uncertainty.
struct BlockOutput {
  at::Tensor prediction;   ///< [R, C, H, W]
  at::Tensor uncertainty;  ///< sigmoid values: [R, C, H, W] (map forms), [R] (scalar form) or
                           ///< undefined (none). Inputs are detached.
};

/// What a model file says about a network beside its sizes.
struct NetworkSettings {
  std::vector<std::uint8_t> can_exit;  ///< [blocks], NetworkInfo::can_exit
  std::int64_t null_label = -1;        ///< NetworkInfo::null_label
};

/// Calls back with each parameter's name in the model file and the tensor itself, always in the
/// same order.
using TensorVisitor = std::function<void(const std::string& name, at::Tensor& tensor)>;

/// What training has to know of a parameter beside its values.
struct ParameterRole {
  /// Of one that serves early exits only (a UEM's, an early exit's own head's): the name of the one
  /// whose values it takes when exits are added to a trained network, empty where there is none.
  /// Nothing for the backbone's and the last head's.
  std::optional<std::string> exit_source = {};
  /// A matrix [out, in] inside of a block, from tokens to tokens: what Muon is for.
  bool is_hidden_matrix = false;
  bool is_uncertainty = false;  ///< a UEM's
};

class TrainableNetwork : public Network {
 public:
  /// Runs all blocks and gives all [blocks] outputs. Gradients flow where grad mode is on and
  /// parameters ask for them. Blocks compute in `block_type`, the rest in the parameters' type,
  /// which the outputs have.
  virtual std::vector<BlockOutput> outputs(const PassInputs& inputs,
                                           at::ScalarType block_type) const = 0;
  virtual void visit(const TensorVisitor& visitor) = 0;
  /// Draws new weights, a pure function of the seed.
  virtual void initialise(std::uint64_t seed) = 0;
  virtual ParameterRole role(const std::string& name) const = 0;
  /// The network's configuration as the JSON object that stands under "network" in a model file.
  virtual std::string config_json() const = 0;
};

}  // namespace adadiff::detail
