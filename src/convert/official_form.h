// What the files of other programs cannot hold of a network.
#pragma once

#include <string>

#include "core/check.h"
#include "models/model_file.h"
#include "nn/uncertainty.h"

namespace adadiff::detail {

/// Raises ModelError unless the network has neither UEMs nor heads per exit, as in the origin's
/// files. Config is that of a family.
template <class Config>
void require_no_exits(const Config& config, const std::string& where) {
  if (config.uncertainty != UncertaintyForm::None) {
    raise<ModelError>({where + ": network.uncertainty", "be none, as in the official files",
                       "is " + to_string(config.uncertainty)});
  }
  if (!config.heads_per_exit) return;
  raise<ModelError>({where + ": network.heads_per_exit",
                     "be false, since the official files have one head", "is true"});
}

/// The model's network as one of that class. Raises ModelError where it is another.
template <class Family>
const Family& require_family(const Model& model, const std::string& where, const char* what) {
  const auto* network = dynamic_cast<const Family*>(model.network.get());
  if (network != nullptr) return *network;
  raise<ModelError>({where, std::string("hold ") + what, "is " + show(model.network->info().kind)});
}

}  // namespace adadiff::detail
