// `adadiff forward`: one evaluation of the network on given numbers, for comparing with other
// implementations.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <CLI/CLI.hpp>

#include <adadiff/error.h>

#include "cli/flags.h"
#include "cli/terminal/failure.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/output.h"
#include "cli/verbs/verbs.h"
#include "core/check.h"
#include "diffusion/prediction.h"
#include "io/npy.h"
#include "models/model_file.h"
#include "networks/label_table.h"

namespace adadiff::cli {
namespace {

using FloatArray = detail::NpyArray<float>;
using detail::raise;
using detail::show;

constexpr std::int64_t kRowsAtOnce = 64;  // bounds memory, not meaning: rows do not see each other

struct ForwardFlags {
  std::string model, input, time, network_time, classes, conditions, output, uncertainty;
  std::optional<std::int64_t> exit;
};

// Everything that the evaluation takes, checked against the network.
struct Inputs {
  at::Tensor x;       // [R, C, H, W]
  at::Tensor time;    // [R], as the network embeds it
  at::Tensor labels;  // [R] int64, or undefined
  at::Tensor pooled;  // [R, P], or undefined
  std::int64_t exit = 0;
};

at::Tensor to_tensor(const FloatArray& array) {
  return at::tensor(array.values, at::kFloat).view(array.shape);
}

FloatArray read_images(const std::string& path, const NetworkInfo& network) {
  return detail::read_npy_floats(path, [&](const std::vector<std::int64_t>& shape) {
    const std::vector<std::int64_t> image{network.channels, network.height, network.width};
    if (shape.size() == 4 && shape[0] >= 1 &&
        std::equal(image.begin(), image.end(), shape.begin() + 1))
      return;
    raise({"--input",
           "hold [rows, " + show(image[0]) + ", " + show(image[1]) + ", " + show(image[2]) +
               "] numbers",
           path + " holds " + detail::show_shape(shape)});
  });
}

// One number per row; a single one serves all rows.
detail::ShapeCheck one_or_each(const std::string& flag, std::int64_t rows) {
  return [flag, rows](const std::vector<std::int64_t>& shape) {
    if (shape.empty() || (shape.size() == 1 && (shape[0] == 1 || shape[0] == rows))) return;
    raise({flag, "hold 1 or " + show(rows) + " numbers",
           "has the shape " + detail::show_shape(shape)});
  };
}

at::Tensor per_row(const at::Tensor& numbers, std::int64_t rows) {
  return numbers.view(-1).expand({rows}).contiguous();
}

at::Tensor read_numbers(const std::string& flag, const std::string& path, std::int64_t rows) {
  return per_row(
      at::tensor(detail::read_npy_floats(path, one_or_each(flag, rows)).values, at::kFloat), rows);
}

at::Tensor read_time(const ForwardFlags& flags, const Process& process, std::int64_t rows) {
  if (!flags.network_time.empty()) return read_numbers("--network-time", flags.network_time, rows);
  const at::Tensor time = read_numbers("--time", flags.time, rows);
  for (std::int64_t row = 0; row < rows; ++row) {
    const double value = time[row].item<double>();
    if (!(value >= 0 && value <= 1))
      raise({"--time", "hold times in [0, 1], 1 = noise", "holds " + show(value)});
  }
  at::Tensor embedded = at::empty_like(time);
  for (std::int64_t row = 0; row < rows; ++row)
    embedded[row] = detail::prediction_rule(process, time[row].item<double>()).network_time;
  return embedded;
}

at::Tensor read_labels(const ForwardFlags& flags, const NetworkInfo& network, std::int64_t rows) {
  if (network.classes == 0 && network.null_label < 0) {
    if (!flags.classes.empty())
      raise({"--class", "be left out for a network without labels", "is given"});
    return {};
  }
  if (flags.classes.empty()) {
    if (network.null_label < 0)
      raise({"--class", "be given for a network without a null label", "is missing"});
    return at::full({rows}, network.null_label, at::kLong);
  }
  const detail::NpyArray<std::int64_t> array = detail::read_npy_integers(
      flags.classes, one_or_each("--class", rows));
  at::Tensor labels = per_row(at::tensor(array.values, at::kLong), rows);
  const std::int64_t last = std::max(network.classes - 1, network.null_label);
  for (const std::int64_t label : array.values) {
    if (label < 0 || label > last)
      raise({"--class", "hold labels in [0, " + show(last) + "]", "holds " + show(label)});
  }
  return labels;
}

at::Tensor read_conditions(const ForwardFlags& flags, const NetworkInfo& network,
                           std::int64_t rows) {
  const std::int64_t width = network.condition.pooled_width;
  if (width == 0) {
    if (!flags.conditions.empty())
      raise({"--conditions", "be left out for a network that takes no vector", "is given"});
    return {};
  }
  if (flags.conditions.empty()) {
    raise(
        {"--conditions", "name a file of vectors [1 or rows, " + show(width) + "]", "is missing"});
  }
  const FloatArray vectors = detail::read_npy_vectors(flags.conditions, width);
  if (vectors.shape[0] != 1 && vectors.shape[0] != rows) {
    raise({"--conditions", "hold 1 or " + show(rows) + " vectors",
           "holds " + show(vectors.shape[0])});
  }
  return to_tensor(vectors).expand({rows, width}).contiguous();
}

// A table with an entry per row, for networks that take vectors; else the table of all labels.
PassInputs pass_inputs(const Inputs& rows, const at::Tensor& each,
                       const detail::LabelTable& labels) {
  if (!rows.pooled.defined()) return {rows.x, rows.time, rows.labels, labels.table()};
  const ConditionTable table{.labels = rows.labels.defined() ? &rows.labels : nullptr,
                             .pooled = &rows.pooled};
  return {rows.x, rows.time, each, table};
}

// Runs `exit` blocks over some of the rows and copies what came out to theirs in `output` and
// `uncertainty`.
void evaluate(ForwardPass& pass, const detail::LabelTable& table, const Inputs& inputs,
              std::int64_t first, at::Tensor& output, at::Tensor& uncertainty) {
  const std::int64_t rows = std::min(kRowsAtOnce, inputs.x.size(0) - first);
  const auto some = [&](const at::Tensor& all) {
    return all.defined() ? all.narrow(0, first, rows) : all;
  };
  const Inputs part_of{some(inputs.x), some(inputs.time), some(inputs.labels), some(inputs.pooled),
                       inputs.exit};
  const at::Tensor each = at::arange(rows, at::kLong);
  pass.begin(pass_inputs(part_of, each, table));
  for (std::int64_t block = 0; block < inputs.exit; ++block) pass.run_block(0);
  at::Tensor part = output.narrow(0, first, rows);
  pass.predict(each, each, part);
  if (uncertainty.defined()) {
    at::Tensor scores = uncertainty.narrow(0, first, rows);
    pass.score({scores});
  }
}

void write_array(const std::string& path, const at::Tensor& tensor) {
  const float* values = tensor.const_data_ptr<float>();
  detail::write_npy(path, tensor.sizes().vec(),
                    std::span(values, static_cast<std::size_t>(tensor.numel())));
}

void forward(const ForwardFlags& flags) {
  const detail::Model model = detail::read_model(flags.model);
  const NetworkInfo& network = model.network->info();
  if (flags.exit.value_or(1) > network.blocks) {
    raise({"--exit", "be in [1, " + show(network.blocks) + "]", "is " + show(*flags.exit)});
  }
  if (!flags.uncertainty.empty() && !network.has_uncertainty) {
    raise({"--uncertainty", "be left out for a network without uncertainty modules", "is given"});
  }
  const at::InferenceMode guard;
  Inputs inputs;
  inputs.x = to_tensor(read_images(flags.input, network));
  const std::int64_t rows = inputs.x.size(0);
  inputs.time = read_time(flags, model.sampler.process, rows);
  inputs.labels = read_labels(flags, network, rows);
  inputs.pooled = read_conditions(flags, network, rows);
  inputs.exit = flags.exit.value_or(network.blocks);
  at::Tensor output = at::empty({rows, network.out_channels(), network.height, network.width});
  at::Tensor uncertainty = flags.uncertainty.empty() ? at::Tensor() : at::empty({rows}, at::kFloat);
  const std::unique_ptr<ForwardPass> pass = model.network->new_pass(
      {.capacity = std::min(rows, kRowsAtOnce)});
  const detail::LabelTable table(network);
  for (std::int64_t first = 0; first < rows; first += kRowsAtOnce) {
    if (interrupted()) throw Interrupted("interrupted; nothing was written");
    evaluate(*pass, table, inputs, first, output, uncertainty);
  }
  if (!at::isfinite(output).all().item<bool>()) {
    raise<ModelError>({"the network's output", "be finite", "has NaN or infinity",
                       "look for them, or for huge numbers, in the inputs"});
  }
  write_array(flags.output, output);
  if (uncertainty.defined()) write_array(flags.uncertainty, uncertainty);
}

}  // namespace

Action add_forward(CLI::App& verb) {
  const auto flags = std::make_shared<ForwardFlags>();
  reads(verb.add_option("MODEL", flags->model, "model file")->required()->type_name(""));
  reads(verb.add_option("--input", flags->input, "noisy images, floats [rows, C, H, W]")
            ->required()
            ->type_name("X.npy"));
  CLI::App* times = verb.add_option_group("times",
                                          "exactly one of them; one number, or one per row");
  reads(times->add_option("--time", flags->time, "times in [0, 1], 1 = noise, 0 = clean")
            ->type_name("T.npy"));
  reads(times
            ->add_option("--network-time", flags->network_time,
                         "the raw numbers that the network embeds")
            ->type_name("T.npy"));
  times->require_option(1);
  reads(verb.add_option("--class", flags->classes,
                        "labels, one or one per row (default: the null label)")
            ->type_name("Y.npy"));
  reads(verb.add_option("--conditions", flags->conditions,
                        "vectors [1 or rows, P], for a network that takes one")
            ->type_name("V.npy"));
  add_whole(verb, {"--exit", "blocks to run (default: all)"}, flags->exit, {1, 255});
  writes(verb.add_option("--output", flags->output,
                         "the network's output, float32 [rows, C, H, W], with 2 C channels where "
                         "variances are learned")
             ->required()
             ->type_name("EPS.npy"));
  writes(verb.add_option("--uncertainty", flags->uncertainty,
                         "uncertainties there, float32 [rows], 0 = sure")
             ->type_name("U.npy"));
  return [flags] { forward(*flags); };
}

}  // namespace adadiff::cli
