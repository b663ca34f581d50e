// `adadiff convert`: foreign checkpoints to model files and back; model files with other defaults.
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <adadiff/error.h>
#include <adadiff/pipeline.h>
#include <adadiff/plan.h>

#include "cli/flags.h"
#include "cli/terminal/failure.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/output.h"
#include "cli/verbs/verbs.h"
#include "convert/dit.h"
#include "convert/uvit.h"
#include "core/check.h"
#include "core/names.h"

namespace adadiff::cli {
namespace {

struct ConvertFlags {
  std::string input, from, to, config, default_plan, output;
  std::optional<double> default_guidance;
};

/// A family of foreign checkpoints.
struct Family {
  const char* name;
  detail::Model (*import)(const std::string& weights, const std::string& config);
  void (*write)(const std::string& model, const std::string& weights);
};
constexpr Family kFamilies[] = {{"uvit", detail::import_uvit, detail::export_uvit},
                                {"dit", detail::import_dit, detail::export_dit}};

void require_family(const std::string& flag, const std::string& family) {
  if (!family.empty()) detail::require_named(kFamilies, family, flag);
}

/// The same model with another default plan, another default guidance, or both.
detail::Model with_defaults(const ConvertFlags& flags) {
  detail::Model model = detail::read_model(flags.input);
  if (!flags.default_plan.empty()) model.sampler.default_plan = read_plan(flags.default_plan);
  if (flags.default_guidance) model.sampler.default_guidance = *flags.default_guidance;
  return model;
}

/// Only models that `adadiff sample` can open.
void write_checked(const detail::Model& model, const std::string& path) {
  make_pipeline(model.network, model.sampler);
  if (interrupted()) throw Interrupted("interrupted; nothing was written");
  detail::write_model(model, path);
}

void require_one_direction(const ConvertFlags& flags) {
  const bool has_defaults = !flags.default_plan.empty() || flags.default_guidance.has_value();
  const int directions = (flags.from.empty() ? 0 : 1) + (flags.to.empty() ? 0 : 1) +
                         (has_defaults ? 1 : 0);
  if (directions == 1) return;
  detail::raise({"convert", "be given one of --from, --to and new defaults",
                 "is given " + detail::show(directions)});
}

void convert(const ConvertFlags& flags) {
  require_one_direction(flags);
  require_family("--from", flags.from);
  require_family("--to", flags.to);
  if (!flags.from.empty() && flags.config.empty())
    detail::raise({"--config", "be given with --from", "is missing"});
  if (!flags.default_plan.empty() || flags.default_guidance) {
    write_checked(with_defaults(flags), flags.output);
  } else if (flags.from.empty()) {
    detail::find_named(kFamilies, flags.to)->write(flags.input, flags.output);
  } else {
    write_checked(detail::find_named(kFamilies, flags.from)->import(flags.input, flags.config),
                  flags.output);
  }
  print_result("written  " + flags.output + "\n");
}

}  // namespace

Action add_convert(CLI::App& verb) {
  const auto flags = std::make_shared<ConvertFlags>();
  reads(
      verb.add_option("INPUT", flags->input,
                      "the file to convert: the family's weights as .safetensors, or a model file")
          ->required()
          ->type_name(""));
  CLI::App* direction = verb.add_option_group("direction", "one of them, or both defaults");
  CLI::Option* from =
      direction
          ->add_option(
              "--from", flags->from,
              "make a model file from this family's weights: uvit, which AdaDiff's are too, or dit")
          ->type_name("FAMILY");
  direction
      ->add_option("--to", flags->to, "make this family's weights from a model file: uvit or dit")
      ->type_name("FAMILY");
  reads(direction
            ->add_option("--default-plan", flags->default_plan,
                         "write the same model with this plan as its default (docs/plans.md)")
            ->type_name("PLAN.json"));
  add_number(
      *direction,
      {"--default-guidance", "write the same model with this guidance as its default; 1: none"},
      flags->default_guidance, {0, 100});
  direction->require_option(1, 2);
  reads(verb.add_option("--config", flags->config,
                        "with --from: the model's description as JSON (docs/model_format.md)")
            ->type_name("NET.json")
            ->needs(from));
  writes(verb.add_option("-o,--output", flags->output, "file to write")
             ->required()
             ->type_name("FILE"));
  verb.footer(
      "adadiff convert --from uvit weights.safetensors --config net.json -o model.safetensors\n"
      "adadiff convert --to uvit model.safetensors -o weights.safetensors\n"
      "adadiff convert --default-plan plan.json model.safetensors -o other.safetensors");
  return [flags] { convert(*flags); };
}

}  // namespace adadiff::cli
