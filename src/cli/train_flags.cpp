// The flags of `adadiff train`, and the options they amount to.
#include "cli/train_flags.h"

#include <vector>

#include <CLI/CLI.hpp>

#include <adadiff/error.h>
#include <adadiff/noise_schedule.h>

#include "cli/data_files.h"
#include "cli/flags.h"
#include "core/check.h"
#include "core/names.h"
#include "diffusion/prediction.h"
#include "io/text_file.h"
#include "nn/uncertainty.h"
#include "training/option_names.h"

namespace adadiff::cli {
namespace {

using detail::raise;
using nlohmann::ordered_json;

constexpr std::int64_t kMany = std::int64_t{1} << 31;

struct WholeFlag {
  const char *name, *key, *help;
  WholeRange range;
};
constexpr WholeFlag kWholeFlags[] = {
    {"--size",
     "size",
     "side that pictures of a folder are brought to; 0: the network's",
     {0, 4096}},
    {"--channels",
     "channels",
     "1 or 3 for pictures of a folder; 0: the network's, or as they are",
     {0, 3}},
    {"--width", "width", "numbers per token", {1, 65536}},
    {"--depth", "depth", "blocks - 1, even", {2, 254}},
    {"--heads", "heads", "attention heads; divides the width", {1, 1024}},
    {"--patch", "patch", "side of a patch in pixels; divides the image's sides", {1, 1024}},
    {"--batch", "batch", "images per step", {1, 65536}},
    {"--run-steps",
     "run_steps",
     "steps of the runs that take the place of --images none; 0: drawn from 4 to 50",
     {0, 1000}},
    {"--warmup", "warmup", "steps in which the learning rate rises", {0, kMany}},
    {"--seed", "seed", "all draws are functions of it", {0}},
    {"--steps", "steps", "steps in all", {1, kMany}},
};

struct NumberFlag {
  const char *name, *key, *help;
  NumberRange range;
};
constexpr NumberFlag kNumberFlags[] = {
    {"--label-drop", "label_drop", "probability that a label becomes the null label", {0, 1}},
    {"--lambda", "lambda", "weight of the uncertainty loss", {0, 1000}},
    {"--beta", "beta", "weight of the losses of the early exits", {0, 1000}},
    {"--distillation",
     "distillation",
     "share of full depth's prediction in what the early exits learn",
     {0, 1}},
    {"--learning-rate",
     "learning_rate",
     "AdamW's peak learning rate; under muon, that of all but the matrices of blocks",
     {0, 100}},
    {"--matrix-learning-rate", "matrix_learning_rate", "Muon's peak learning rate", {0, 100}},
    {"--uncertainty-learning-rate",
     "uncertainty_learning_rate",
     "AdamW's peak learning rate for uncertainty modules",
     {0, 100}},
    {"--beta1", "beta1", "AdamW's first decay", {0, 0.999999}},
    {"--beta2", "beta2", "AdamW's second decay", {0, 0.999999}},
    {"--weight-decay", "weight_decay", "decoupled weight decay", {0, 100}},
    {"--clip", "clip", "largest gradient norm; 0: no clipping", {0, 1e6}},
    {"--ema", "ema", "decay of the averaged weights", {0, 0.999999999}},
};

struct TextFlag {
  const char *name, *key;
  std::string help;
};

/// "a, b or c", the words of a table.
template <class Table>
std::string words(const Table& table) {
  return spell_out(detail::names_in(table));
}

std::vector<TextFlag> task_flags() {
  using namespace detail;
  return {
      {"--uncertainty", "uncertainty",
       "form of the uncertainty modules: " + words(kUncertaintyForms) +
           " (default: --from's, or timed-map)"},
      {"--prediction", "prediction", "what the network predicts: " + words(kPredictions)},
      {"--schedule", "schedule",
       "noise schedule, as in a model file: " + spell_out(schedule_names())},
      {"--run-solver", "run_solver",
       "solver of the runs that take the place of --images none (default: the model's own and "
       "dpmpp-2m in turn)"},
      {"--times", "times", "how times are drawn: " + words(kTimeDistributions)},
      {"--trained", "trained",
       "what is trained: " + words(kTrainedParts) +
           "; exits are UEMs and early heads, and full depth stays as it was"},
      {"--license", "license", "licence of the weights, for the model file"},
      {"--origin", "origin", "origin of the weights, for the model file"},
  };
}

std::vector<TextFlag> step_flags() {
  using namespace detail;
  return {
      {"--target", "target",
       "what uncertainties learn: " + words(kUncertaintyTargets) +
           "; excess is over full depth, and truth is the paper's"},
      {"--weights", "weights", "weights of the early exits: " + words(kLayerWeights)},
      {"--weight-gradient", "weight_gradient", "through those weights: " + words(kWeightGradients)},
      {"--reduction", "reduction", "over exits: " + words(kExitReductions)},
      {"--distilled-exits", "distilled_exits",
       "which early exits learn from full depth: " + words(kDistilledExits) +
           "; each step draws the one"},
      {"--optimiser", "optimiser",
       words(kOptimisers) + "; muon is for the matrices of blocks, with adamw for the rest"},
      {"--decay", "decay", "of the learning rate after the warm-up: " + words(kDecays)},
      {"--precision", "precision",
       "of the blocks while training: " + words(kTrainingPrecisions) +
           "; bfloat16 where the processor has products of it"},
  };
}

std::vector<TextFlag> list_flags() {
  return {{"--class-names", "class_names", "names of the classes, for the model file"},
          {"--undecayed", "undecayed", "parameters without weight decay"}};
}

std::string shown_default(const ordered_json& defaults, const char* key) {
  const ordered_json& value = defaults.at(key);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void add_number_flags(CLI::App& verb, ordered_json& values, const ordered_json& defaults) {
  for (const WholeFlag& flag : kWholeFlags) {
    const auto take = [&values, &flag](const std::string& text) {
      values[flag.key] = parse_whole(flag.name, text, flag.range);
    };
    verb.add_option_function<std::string>(flag.name, take, flag.help)
        ->type_name("N " + span(flag.range))
        ->default_str(shown_default(defaults, flag.key));
  }
  for (const NumberFlag& flag : kNumberFlags) {
    const auto take = [&values, &flag](const std::string& text) {
      values[flag.key] = parse_number(flag.name, text, flag.range);
    };
    verb.add_option_function<std::string>(flag.name, take, flag.help)
        ->type_name("X " + span(flag.range))
        ->default_str(shown_default(defaults, flag.key));
  }
}

void add_text_flags(CLI::App& verb, ordered_json& values, const ordered_json& defaults) {
  for (const std::vector<TextFlag>& flags : {task_flags(), step_flags()}) {
    for (const TextFlag& flag : flags) {
      const auto take = [&values, key = flag.key](const std::string& text) { values[key] = text; };
      verb.add_option_function<std::string>(flag.name, take, flag.help)
          ->type_name("TEXT")
          ->default_str(shown_default(defaults, flag.key));
    }
  }
  for (const TextFlag& flag : list_flags()) {
    const auto take = [&values, key = flag.key](const std::string& text) {
      values[key] = CLI::detail::split(text, ',');
    };
    verb.add_option_function<std::string>(flag.name, take, flag.help)->type_name("TEXT,...");
  }
}

void set_files(TrainingOptions& options, const TrainFlags& flags) {
  const bool is_own_data = !flags.images.empty();
  options.conditions = flags.conditions;
  options.images = is_own_data ? flags.images : find_data(flags.data, "train-images-idx3-ubyte");
  if (flags.no_labels) options.unlabelled = true;
  if (options.unlabelled && flags.labels.empty()) {
    options.labels.clear();
  } else if (is_own_data || !flags.labels.empty()) {
    options.labels = flags.labels;
  } else {
    options.labels = find_data(flags.data, "train-labels-idx1-ubyte");
  }
  options.from = flags.from;
  options.model = flags.output;
  options.checkpoint = flags.checkpoint;
  options.log = flags.log;
  options.checkpoint_every = flags.checkpoint_every;
  options.start = flags.resume ? Start::Resume : Start::Fresh;
  options.minutes = flags.minutes;
  options.device = flags.device;
}

// What a model to start from has settled already.
void refuse_settled(const TrainFlags& flags) {
  if (flags.from.empty()) return;
  for (const char* key : {"width", "depth", "heads", "patch", "prediction", "schedule"}) {
    if (flags.values.contains(key))
      raise({std::string("--") + key, "be left out with --from, whose model says it", "is given"});
  }
}

/// What is read and written, and when the training stops.
void add_file_flags(CLI::App& verb, TrainFlags& flags) {
  writes(
      verb.add_option("-o,--output", flags.output,
                      "the model file, written at each checkpoint; one that is there is replaced")
          ->required()
          ->type_name("MODEL"));
  CLI::Option* data = reads(verb.add_option(
      "--data", flags.data,
      "folder with train-images-idx3-ubyte and train-labels-idx1-ubyte, .gz or not"));
  data->type_name("DIR")->capture_default_str();
  CLI::Option* images = reads(verb.add_option(
      "--images", flags.images,
      "a folder of PNG and JPEG files, in sub-folders by class; "
      "or 8-bit images as IDX [N, (C,) H, W], "
      "whose labels are another file: --labels; or none, with --trained exits: exits "
      "then learn from the model's own runs"));
  images->type_name("PATH")->excludes(data);
  CLI::Option* labels = reads(
      verb.add_option("--labels", flags.labels, "8-bit labels [N] as IDX, may be gzip")
          ->type_name("FILE"));
  reads(
      verb.add_option("--conditions", flags.conditions,
                      "with --images none: vectors [N, P] that the runs are conditioned on, for a "
                      "network that takes one")
          ->type_name("FILE.npy"));
  verb.add_flag("--no-labels", flags.no_labels, "train without labels")->excludes(labels);
  reads(verb.add_option("--from", flags.from,
                        "a model to start from; its exits are added where it has none")
            ->type_name("MODEL"));
  writes(verb.add_option("--checkpoint", flags.checkpoint,
                         "default: the model's name with .checkpoint added")
             ->type_name("FILE"));
  add_whole(verb, {"--checkpoint-every", "steps between checkpoints"}, flags.checkpoint_every,
            {1, kMany});
  verb.add_flag("--resume", flags.resume,
                "go on from the checkpoint; without it, one that exists is refused");
  writes(verb.add_option("--log", flags.log, "losses and rate of every step as CSV")
             ->type_name("FILE"));
  add_number(verb,
             {"--minutes", "stop after so much work of this call, to be resumed; 0: no limit"},
             flags.minutes, {0, 1e6});
}

}  // namespace

void add_flags(CLI::App& verb, TrainFlags& flags) {
  add_file_flags(verb, flags);
  verb.add_option("--device", flags.device, "where steps run: cpu, cuda or cuda:N")
      ->type_name("NAME")
      ->capture_default_str();
  add_whole(verb, {"--threads", "threads; 0: as LibTorch chooses"}, flags.threads, {0, 1024});
  verb.add_flag("--json", flags.json, "report as JSON");
  reads(verb.add_option("--recipe", flags.recipe,
                        "options as JSON (docs/training.md); flags go over it")
            ->type_name("FILE"));
  reads(verb.add_option(
                "--network", flags.network,
                "the \"network\" object of a model file as JSON, in place of --width and the like")
            ->type_name("FILE"));
  const auto set = [&flags](const char* key) {
    return [&flags, key](std::int64_t sign) { flags.values[key] = sign > 0; };
  };
  verb.add_flag_function("--antithetic,!--no-antithetic", set("antithetic"),
                         "half of the times are 1 - those of the others");
  verb.add_flag_function("--mirror,!--no-mirror", set("mirror"),
                         "mirror half of the images: for things that have no left and right");
  verb.add_option("--loss", flags.loss,
                  "loss mode: " + spell_out(loss_mode_names()) + "; single flags go over it")
      ->type_name("NAME");
  const ordered_json defaults = ordered_json::parse(to_json(TrainingOptions{}));
  add_number_flags(verb, flags.values, defaults);
  add_text_flags(verb, flags.values, defaults);
}

TrainingOptions make_options(const TrainFlags& flags) {
  refuse_settled(flags);
  TrainingOptions options;
  if (!flags.recipe.empty())
    options = parse_training_options(detail::read_text(flags.recipe), options, flags.recipe);
  if (!flags.loss.empty()) options.loss = loss_mode(flags.loss);
  ordered_json values = flags.values;
  if (!flags.network.empty()) values["network"] = detail::read_text(flags.network);
  set_files(options, flags);
  return parse_training_options(values.dump(-1, ' ', false, ordered_json::error_handler_t::replace),
                                options, "flags");
}

}  // namespace adadiff::cli
