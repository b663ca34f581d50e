// `adadiff convert`: foreign checkpoints to model files and back; model files with other defaults.
#include <cmath>
#include <filesystem>
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
#include "convert/families.h"
#include "core/check.h"
#include "core/names.h"
#include "io/text_file.h"
#include "models/model_file.h"

namespace adadiff::cli {
namespace {

struct ConvertFlags {
  std::string input, from, to, config, default_plan, output;
  std::optional<double> default_guidance;
};

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
  const bool is_import = !flags.from.empty() || !flags.config.empty();
  const int directions = (is_import ? 1 : 0) + (flags.to.empty() ? 0 : 1) + (has_defaults ? 1 : 0);
  if (directions <= 1) return;
  detail::raise({"convert", "be given one of --from (with --config), --to and new defaults",
                 "is given " + detail::show(directions)});
}

/// A model file has the tensors of its family, so it would be taken for a checkpoint.
void refuse_model_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored) || !detail::is_model_file(path)) return;
  detail::raise({path, "be a foreign checkpoint", "is a model file of adadiff already",
                 "say --to FAMILY, or what it shall have by default"});
}

/// What the conversion found and what it took for granted.
std::string account_of(const detail::Converted& made) {
  const Process& process = made.model.sampler.process;
  std::string text = std::string("family   ") + made.family->name + ": " + made.family->about +
                     "\n";
  if (!made.taken_from.empty())
    text += "taken    the tensors under " + made.taken_from + " in the file\n";
  const ModelSummary summary = make_pipeline(made.model.network, made.model.sampler).model();
  text += "process  prediction " + summary.prediction + ", schedule " + summary.schedule +
          ", time " + detail::show(process.time_scale) + " t" +
          (process.time_shift < 0 ? " - " : " + ") + detail::show(std::abs(process.time_shift)) +
          "; --config can say another\n";
  return text;
}

void convert(const ConvertFlags& flags) {
  require_one_direction(flags);
  std::string account;
  if (!flags.to.empty()) {
    detail::export_foreign(flags.input, flags.to, flags.output);
  } else if (!flags.default_plan.empty() || flags.default_guidance) {
    write_checked(with_defaults(flags), flags.output);
  } else {
    refuse_model_file(flags.input);
    const std::string facts = flags.config.empty() ? "" : detail::read_text(flags.config);
    const detail::Converted made = detail::import_foreign(flags.input, flags.from, facts,
                                                          flags.config);
    write_checked(made.model, flags.output);
    account = account_of(made);
  }
  print_result(account + "written  " + flags.output + "\n");
}

std::string family_names() { return detail::joined(detail::names_in(detail::foreign_families())); }

/// The families, one per line.
std::string family_list() {
  std::string text = "families:\n";
  for (const detail::ForeignFamily& family : detail::foreign_families()) {
    std::string name = family.name;
    name.resize(16, ' ');
    text += "  " + name + family.about + "\n";
  }
  return text;
}

}  // namespace

Action add_convert(CLI::App& verb) {
  const auto flags = std::make_shared<ConvertFlags>();
  reads(verb.add_option("INPUT", flags->input,
                        "a foreign checkpoint (.safetensors, .pt, .pth, or a folder that diffusers "
                        "wrote), or a model file")
            ->required()
            ->type_name(""));
  verb.add_option("--from", flags->from,
                  "make a model file from this family's weights: " + family_names() +
                      "; without it the tensors tell the family")
      ->type_name("FAMILY");
  reads(
      verb.add_option("--config", flags->config,
                      "what the checkpoint does not tell, or tells wrongly, as JSON: members of a "
                      "model's description (docs/model_format.md)")
          ->type_name("FACTS.json"));
  verb.add_option("--to", flags->to, "make this family's weights from a model file")
      ->type_name("FAMILY");
  reads(verb.add_option("--default-plan", flags->default_plan,
                        "write the same model with this plan as its default (docs/plans.md)")
            ->type_name("PLAN.json"));
  add_number(
      verb,
      {"--default-guidance", "write the same model with this guidance as its default; 1: none"},
      flags->default_guidance, {0, 100});
  writes(verb.add_option("-o,--output", flags->output, "file to write")
             ->required()
             ->type_name("FILE"));
  verb.footer(
      family_list() +
      "adadiff convert DiT-XL-2-256x256.pt -o model.safetensors\n"
      "adadiff convert --from sit SiT-XL-2-256.pt -o model.safetensors\n"
      "adadiff convert 256x256_diffusion_uncond.pt --config facts.json -o model.safetensors\n"
      "adadiff convert --to uvit model.safetensors -o weights.safetensors\n"
      "adadiff convert --default-plan plan.json model.safetensors -o other.safetensors");
  return [flags] { convert(*flags); };
}

}  // namespace adadiff::cli
