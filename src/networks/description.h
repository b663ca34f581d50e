// What the "network" object of a model file says, without the network itself: sizes, forms, and how
// to make the network.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <adadiff/trainable_network.h>

#include "nn/uncertainty.h"

namespace adadiff::detail {

/// The description of a network. It is immutable. Each family of networks has one
/// (uvit_description.cpp, dit_description.cpp), and only make() allocates parameters.
class NetworkDescription {
 public:
  virtual ~NetworkDescription() = default;
  virtual std::int64_t blocks() const = 0;
  /// Numbers in all tensors; a double, since hostile sizes overflow integers.
  virtual double parameter_count() const = 0;
  virtual NetworkInfo info(NetworkSettings settings) const = 0;
  virtual UncertaintyForm uncertainty() const = 0;
  /// The whole description as JSON, including the fields that were left to their defaults.
  virtual std::string json() const = 0;

  /// The same description with a separate head for every exit.
  virtual std::unique_ptr<NetworkDescription> with_exit_heads() const = 0;
  /// The same description with UEMs of that form.
  virtual std::unique_ptr<NetworkDescription> with_uncertainty(UncertaintyForm form) const = 0;

  /// Makes the network; its weights are zero until they are read or initialised.
  virtual std::shared_ptr<TrainableNetwork> make(NetworkSettings settings) const = 0;
};

}  // namespace adadiff::detail
