// The families of checkpoints that can be converted. A family has a file of its own in this folder
// and a line in families.cpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "convert/foreign_weights.h"
#include "convert/name_map.h"
#include "models/model_file.h"

namespace adadiff::detail {

/// What the input of a conversion holds.
struct ForeignModel {
  ForeignWeights weights;
  /// The configuration files that lie beside the weights, as JSON texts; empty where there are
  /// none.
  std::string network_config, scheduler_config;
};

struct ForeignFamily {
  const char* name;    ///< what --from and --to call it
  const char* about;   ///< one line for the help
  const char* anchor;  ///< a tensor that tells the family
  /// The description of the model (docs/model_format.md) as far as the input tells it, together
  /// with what is true of the family's published models. Throws ModelError.
  nlohmann::ordered_json (*describe)(const ForeignModel& input);
  /// Refuses a model that the family's files cannot hold. Throws ModelError.
  void (*require_fits)(const Model& model, const std::string& where);
  /// The names of such a model's parameters in the family's files. Null weights: those that new
  /// files have.
  NameMap (*names)(const Model& model, const ForeignTensors* weights);
  bool (*may_be_left)(const std::string& name);  ///< tensors that carry nothing; may be null
};

/// All families; of two whose anchors are in a file, the first one is meant.
const std::vector<ForeignFamily>& foreign_families();

/// Reads what lies at the path: a file of weights, or a folder as diffusers writes it.
ForeignModel read_foreign_model(const std::string& path);

/// What conversion made of an input.
struct Converted {
  Model model;
  const ForeignFamily* family = nullptr;
  std::string taken_from;  ///< ForeignWeights::taken_from
};

/// Makes a model of a foreign checkpoint. `family` may be empty: then the tensors tell. The members
/// of `facts`, a JSON object, replace those of the description that the input gives. Throws
/// FileError, ModelError, InvalidArgument.
Converted import_foreign(const std::string& path, const std::string& family,
                         const std::string& facts, const std::string& facts_source);

/// Writes a model's weights as the family's own programs read them. Throws FileError, ModelError.
void export_foreign(const std::string& model_path, const std::string& family,
                    const std::string& weights_path);

}  // namespace adadiff::detail
