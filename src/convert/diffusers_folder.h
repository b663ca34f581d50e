// The folders that diffusers writes.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "convert/families.h"

namespace adadiff::detail {

/// Reads the network of a pipeline's folder (with model_index.json), or the folder of a network
/// alone (with config.json): its configuration, its weights (one .safetensors file, several with an
/// index, or a .bin file), and the configuration of the scheduler beside it where there is one.
/// Throws FileError, ModelError.
ForeignModel read_diffusers_folder(const std::string& path);

/// What a scheduler_config.json says about the process, as members of a model description; with
/// an empty text, what DDPM's schedule says; nothing for schedulers of which nothing is known.
/// Throws ModelError for what the library cannot run.
nlohmann::ordered_json describe_diffusers_scheduler(const std::string& config,
                                                    const std::string& source);

}  // namespace adadiff::detail
