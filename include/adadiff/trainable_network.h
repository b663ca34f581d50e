// What training and model files need of a network: the prediction and the uncertainty of every exit
// at once, with gradients, from the same code that samples; its parameters by name; its
// description. Code that brings a family of networks of its own implements this
// (docs/adding_a_network.md).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <adadiff/network.h>

namespace adadiff {

/// Output k: the head's prediction and the UEM's uncertainty after block k + 1.
struct BlockOutput {
  at::Tensor prediction;   ///< [R, C, H, W]
  at::Tensor uncertainty;  ///< sigmoid values: [R, C, H, W] (map forms), [R] (scalar form) or
                           ///< undefined (none). The inputs of the UEM are detached.
};

/// A callback that gets each parameter's name in the model file and the tensor itself, always in
/// the same order.
using TensorVisitor = std::function<void(const std::string& name, at::Tensor& tensor)>;

/// What training has to know about a parameter besides its values.
struct ParameterRole {
  /// Set for a parameter that serves only early exits, because it belongs to a UEM or to an early
  /// exit's own head. It names the parameter whose values this one takes when exits are added to a
  /// trained network, and is empty where there is no such parameter. Unset for the parameters of
  /// the backbone and of the last head.
  std::optional<std::string> exit_source = {};
  /// Whether the parameter is a matrix [out, in] inside a block, from tokens to tokens. Muon is
  /// made for such matrices.
  bool is_hidden_matrix = false;
  bool is_uncertainty = false;  ///< whether the parameter belongs to a UEM
};

/// A network that can be trained, saved and opened.
class TrainableNetwork : public Network {
 public:
  /// Runs all blocks and returns the outputs of all [blocks]. Gradients flow where grad mode is on
  /// and parameters require them. Blocks compute in `block_type`; everything else, the outputs
  /// included, has the type of the parameters.
  virtual std::vector<BlockOutput> outputs(const PassInputs& inputs,
                                           at::ScalarType block_type) const = 0;
  /// Shows every parameter.
  virtual void visit(const TensorVisitor& visitor) = 0;
  /// Draws new weights as a pure function of the seed.
  virtual void initialise(std::uint64_t seed) = 0;
  /// Moves all parameters; passes made before are of no use afterwards. By default every device but
  /// the one where the network is already is refused with DeviceError.
  virtual void move_to(const Device& device);
  /// By default the parameter belongs to the backbone and is no hidden matrix.
  virtual ParameterRole role(const std::string& name) const;
  /// The description: the JSON object that stands under "network" in a model file, with the name of
  /// the family as "kind".
  virtual std::string config_json() const = 0;
};

/// Moves every tensor that the network shows; those that are there already stay.
void move_parameters(TrainableNetwork& network, const Device& device);

}  // namespace adadiff
