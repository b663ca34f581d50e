// `adadiff info`: what a model file says of itself.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <adadiff/pipeline.h>

#include "cli/bundled_model.h"
#include "cli/flags.h"
#include "cli/terminal/failure.h"
#include "cli/terminal/output.h"
#include "cli/verbs/verbs.h"

namespace adadiff::cli {
namespace {

using nlohmann::ordered_json;

struct InfoFlags {
  std::string model;
  bool json = false;
};

ordered_json to_json(const ModelSummary& model) {
  return {
      {"id", model.id},
      {"network", model.network},
      {"prediction", model.prediction},
      {"schedule", model.schedule},
      {"uncertainty", model.uncertainty},
      {"blocks", model.blocks},
      {"exits", model.exits},
      {"image", {{"channels", model.channels}, {"height", model.height}, {"width", model.width}}},
      {"classes", model.classes},
      {"class_names", model.class_names},
      {"parameters", model.parameters},
      {"macs_full_depth", model.macs_full_depth},
      {"default_guidance", model.default_guidance},
      {"default_plan", ordered_json::parse(adadiff::to_json(model.default_plan))},
      {"license", model.license},
      {"origin", model.origin},
      {"training", ordered_json::parse(model.training.empty() ? "null" : model.training)}};
}

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string exits_text(const ModelSummary& model) {
  std::vector<std::string> exits;
  for (const int exit : model.exits) exits.push_back(std::to_string(exit));
  return exits.empty() ? "none" : "after " + join(exits) + " blocks";
}

/// What samples where neither a plan nor a flag says otherwise.
std::string sampler_text(const ModelSummary& model) {
  const SolverSettings settings = model.default_plan.solver.value_or(model.default_solver);
  const std::size_t steps = settings.times.empty() ? static_cast<std::size_t>(settings.steps)
                                                   : settings.times.size() - 1;
  return settings.solver + ", " + std::to_string(steps) + " steps";
}

std::string line(const std::string& name, const std::string& value) {
  if (value.empty()) return {};
  return name + std::string(name.size() < 16 ? 16 - name.size() : 1, ' ') + first_line(value) +
         "\n";
}

std::string to_text(const ModelSummary& model) {
  const std::string size = std::to_string(model.channels) + " x " + std::to_string(model.height) +
                           " x " + std::to_string(model.width);
  const std::string names = model.class_names.empty() ? "" : ": " + join(model.class_names);
  return line("id", model.id) +
         line("network", model.network + ", " + std::to_string(model.blocks) + " blocks") +
         line("parameters", fixed(static_cast<double>(model.parameters) / 1e6, 2) + " million") +
         line("full depth", fixed(model.macs_full_depth / 1e6, 1) +
                                " million multiply-accumulates per image and evaluation") +
         line("images", size) +
         line("classes", model.classes == 0 ? "none" : std::to_string(model.classes) + names) +
         line("predicts", model.prediction) + line("schedule", model.schedule) +
         line("uncertainty", model.uncertainty) + line("exits", exits_text(model)) +
         line("guidance", fixed(model.default_guidance, 2)) + line("sampler", sampler_text(model)) +
         line("default plan", ordered_json::parse(adadiff::to_json(model.default_plan)).dump()) +
         line("licence", model.license) + line("origin", model.origin);
}

}  // namespace

Action add_info(CLI::App& verb) {
  const auto flags = std::make_shared<InfoFlags>();
  reads(verb.add_option("MODEL", flags->model, "model file (default: the bundled one)")
            ->type_name(""));
  verb.add_flag("--json", flags->json, "answer as JSON");
  return [flags] {
    const Pipeline pipeline = Pipeline::open(model_path(flags->model));
    if (flags->json) {
      print_json(to_json(pipeline.model()));
    } else {
      print_result(to_text(pipeline.model()));
    }
  };
}

}  // namespace adadiff::cli
