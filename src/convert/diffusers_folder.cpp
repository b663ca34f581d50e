// Which files make up a folder, and what their configurations say.
#include "convert/diffusers_folder.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/check.h"
#include "io/json_reader.h"
#include "io/text_file.h"

namespace adadiff::detail {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostText = 16 << 20;
constexpr std::size_t kMostShards = 1000;
constexpr const char* kNetworks[] = {"unet", "transformer"};
constexpr const char* kWeights[] = {"diffusion_pytorch_model.safetensors",
                                    "diffusion_pytorch_model.fp16.safetensors",
                                    "diffusion_pytorch_model.bin", "model.safetensors"};
constexpr const char* kIndex = "diffusion_pytorch_model.safetensors.index.json";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string text_of(const fs::path& path) {
  return is_there(path) ? read_text(path.string(), kMostText) : std::string();
}

JsonReader reader_of(const std::string& text, const std::string& source) {
  return {text, source, {.error = JsonError::ModelError}};
}

/// The folder of the network in the folder of a pipeline.
fs::path network_folder(const fs::path& path) {
  if (is_there(path / "config.json")) return path;
  for (const char* name : kNetworks) {
    if (is_there(path / name / "config.json")) return path / name;
  }
  raise<ModelError>({path.string(),
                     "hold config.json, or a folder unet or transformer that does, as diffusers "
                     "writes it",
                     "holds neither"});
}

/// The names of the files that an index lists, which must lie in the folder itself.
std::set<std::string> shards_of(const fs::path& index) {
  std::set<std::string> files;
  const JsonReader map = reader_of(read_text(index.string(), kMostText), index.string())
                             .field("weight_map");
  for (const auto& [tensor, file] : map.members(1'000'000)) {
    std::string name = file.as_string();
    if (name.find('/') != std::string::npos || name.find('\\') != std::string::npos)
      file.fail("name a file of the same folder");
    files.insert(std::move(name));
    if (files.size() > kMostShards)
      map.fail("name at most " + show(static_cast<std::int64_t>(kMostShards)) + " files");
  }
  return files;
}

ForeignWeights weights_in(const fs::path& folder) {
  if (is_there(folder / kIndex)) {
    ForeignWeights all{folder.string(), {}, {}};
    for (const std::string& shard : shards_of(folder / kIndex))
      all.tensors.merge(read_foreign_weights((folder / shard).string()).tensors);
    return all;
  }
  for (const char* name : kWeights) {
    if (is_there(folder / name)) return read_foreign_weights((folder / name).string());
  }
  raise<ModelError>(
      {folder.string(), std::string("hold ") + kWeights[0] + " or " + kIndex, "holds neither"});
}

/// The schedule of discrete steps that betas make.
Json schedule_of(const JsonReader& config, std::int64_t steps) {
  const auto kind = config.optional("beta_schedule");
  const std::string name = kind ? kind->as_string() : "linear";
  if (name == "squaredcos_cap_v2") return {{"name", "nichol-dhariwal"}};
  if (name != "linear" && name != "scaled_linear")
    kind->fail("be one of linear, scaled_linear, squaredcos_cap_v2");
  const auto number = [&](const char* field, double otherwise) {
    const auto found = config.optional(field);
    return found ? found->as_double(1e-9, 1) : otherwise;
  };
  return {{"name", name == "linear" ? "ddpm-linear" : "scaled-linear"},
          {"steps", steps},
          {"first", number("beta_start", 1e-4)},
          {"last", number("beta_end", 0.02)}};
}

const char* prediction_of(const JsonReader& config) {
  const auto kind = config.optional("prediction_type");
  const std::string name = kind ? kind->as_string() : "epsilon";
  if (name == "epsilon") return "noise";
  if (name == "sample") return "clean";
  if (name == "v_prediction") return "velocity";
  kind->fail("be one of epsilon, sample, v_prediction");
}

/// A process of Karras et al. 2022, whose network embeds `scale` times the logarithm of sigma.
Json describe_sigmas(const JsonReader& config, const char* prediction, double scale) {
  const auto number = [&](const char* field, double otherwise) {
    const auto found = config.optional(field);
    return found ? found->as_double(1e-9, 1e9) : otherwise;
  };
  return {{"prediction", prediction},
          {"schedule",
           {{"name", "karras"},
            {"sigma_min", number("sigma_min", 0.002)},
            {"sigma_max", number("sigma_max", 80)},
            {"rho", number("rho", 7)}}},
          {"time", {{"embeds", "log-sigma"}, {"scale", scale}, {"shift", 0}}},
          {"data_std", number("sigma_data", 0.5)}};
}

/// A process over discrete steps.
Json describe_betas(const JsonReader& json) {
  const auto betas = json.optional("trained_betas");
  if (betas && !betas->value().is_null()) betas->fail("be null");
  const auto zero = json.optional("rescale_betas_zero_snr");
  if (zero && zero->as_bool()) zero->fail("be false");
  const auto count = json.optional("num_train_timesteps");
  const std::int64_t steps = count ? count->as_int(2, 1'000'000) : 1000;
  return {{"prediction", prediction_of(json)},
          {"schedule", schedule_of(json, steps)},
          {"time", {{"scale", steps}, {"shift", -1}}}};
}

}  // namespace

ForeignModel read_diffusers_folder(const std::string& path) {
  const fs::path folder = network_folder(path);
  const bool is_pipeline = folder != fs::path(path);
  const fs::path root = is_pipeline ? fs::path(path) : folder.parent_path();
  std::string scheduler = text_of(folder / "scheduler_config.json");
  if (scheduler.empty()) scheduler = text_of(root / "scheduler" / "scheduler_config.json");
  return {weights_in(folder), text_of(folder / "config.json"), scheduler};
}

nlohmann::ordered_json describe_diffusers_scheduler(const std::string& config,
                                                    const std::string& source) {
  const JsonReader json = reader_of(config.empty() ? "{}" : config, source);
  const auto kind = json.optional("_class_name");
  const std::string name = kind ? kind->as_string() : "DDPMScheduler";
  if (name.starts_with("CMStochastic")) return describe_sigmas(json, "consistency", 250);
  if (name.starts_with("EDM")) return describe_sigmas(json, "preconditioned", 0.25);
  if (name.starts_with("FlowMatch")) {
    return {{"prediction", "flow"},
            {"schedule", {{"name", "linear-flow"}}},
            {"time", {{"scale", 1000}, {"shift", 0}}}};
  }
  // Of others nothing is known; what is missing then has to be said.
  if (name.starts_with("ScoreSde") || name.starts_with("KarrasVe") || name.starts_with("VQ"))
    return Json::object();
  return describe_betas(json);
}

}  // namespace adadiff::detail
