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
  /// Not set for the parameters of the backbone and of the last head. Set for those that serve only
  /// early exits: to the name of the parameter whose values this one takes when exits are added to
  /// a trained network (the last head's, for the head of an exit), or to "" where there is none (a
  /// UEM). Networks that the caller made are not given exits by the library yet.
  std::optional<std::string> exit_source = {};
  /// Whether the parameter is a matrix [out, in], or the kernel of a convolution [out, in, ...],
  /// inside a block. Muon is made for them; it takes a kernel as a matrix [out, in * ...].
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
  /// Shows every parameter, with its final shape from the moment that the network is made. The
  /// visitor may replace the tensor, so that views of it must not be kept.
  virtual void visit(const TensorVisitor& visitor) = 0;
  /// Draws new weights as a pure function of the seed (not from torch's global generator). The
  /// library never calls it for a network that the caller made.
  virtual void initialise(std::uint64_t seed) = 0;
  /// Moves all parameters; passes made before are of no use afterwards. By default every device but
  /// the one where the network is already is refused with DeviceError.
  virtual void move_to(const Device& device);
  /// By default the parameter belongs to the backbone and is no hidden matrix.
  virtual ParameterRole role(const std::string& name) const;
  /// The description: the JSON object that stands under "network" in a model file, with
  /// info().kind as "kind". NetworkKind::make gets it back without white space and with its keys in
  /// alphabetical order.
  virtual std::string config_json() const = 0;
};

/// Checks on random inputs that a network keeps its promises: the sizes and lists of info(), the
/// names of its parameters, the shapes and the range of outputs(), and that passes give what
/// outputs() gives, whichever rows leave and whichever stand beside them. Takes the time of about
/// six evaluations of 4 rows. Throws InvalidArgument or ModelError, which name what is wrong.
/// train(options, network) begins with it; tests of a network may end with it.
void check_network(TrainableNetwork& network);

/// Moves every tensor that the network shows; those that are there already stay.
void move_parameters(TrainableNetwork& network, const Device& device);

}  // namespace adadiff
