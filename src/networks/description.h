// What a model file's "network" object says, without the network: sizes, forms, and how to make it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "networks/trainable.h"
#include "nn/uncertainty.h"

namespace adadiff::detail {

/// Immutable. Each family of networks has one (uvit_description.cpp, dit_description.cpp); nothing
/// here allocates a parameter but make().
class NetworkDescription {
 public:
  virtual ~NetworkDescription() = default;
  virtual std::int64_t blocks() const = 0;
  /// Numbers in all tensors; a double, since hostile sizes overflow integers.
  virtual double parameter_count() const = 0;
  virtual NetworkInfo info(NetworkSettings settings) const = 0;
  virtual UncertaintyForm uncertainty() const = 0;
  /// The whole object as JSON, with every field that it left to its default.
  virtual std::string json() const = 0;

  /// The same with a head of its own for every exit.
  virtual std::unique_ptr<NetworkDescription> with_exit_heads() const = 0;
  /// The same with UEMs of that form.
  virtual std::unique_ptr<NetworkDescription> with_uncertainty(UncertaintyForm form) const = 0;

  /// The network, weights zero until they are read or initialised.
  virtual std::shared_ptr<TrainableNetwork> make(NetworkSettings settings) const = 0;
};

}  // namespace adadiff::detail
