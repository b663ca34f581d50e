// What a guide is compared with in guide_study.py: ways to extrapolate that need no exit. Each
// prints what `adadiff evaluate --json` prints.
//
//   guide_rivals autoguidance MODEL --weak FILE --steps N --weight W ...
//
// A second, less trained network is the guide (Karras et al. 2024, arXiv 2406.02507), at full
// depth.
//
//   guide_rivals extrapolation MODEL --coarse M --steps N --weight W ...
//
// Images of N full steps go on from those of M full steps from the same noise.
//
//   guide_rivals sharpening MODEL [--plan FILE] --steps N --weight W ...
//
// Finished images go on from the same images blurred by [1 2 1] both ways.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <adadiff/pipeline.h>

#include "cli/bundled_model.h"
#include "cli/reference_features.h"
#include "cli/verbs/evaluate_report.h"
#include "features/texture_features.h"
#include "pipeline/pipeline_state.h"

namespace {

using adadiff::ForwardPass;
using adadiff::Images;
using adadiff::Network;
using adadiff::NetworkInfo;
using adadiff::PassOptions;

struct Flags {
  std::string model, weak, reference, plan, solver = "dpmpp-2m";
  int steps = 6, coarse = 3, groups = 20;
  double weight = 2;
  std::int64_t samples = 1000, references = 10000;
  std::uint64_t seed = 0;
};

double sum(const std::vector<double>& costs) {
  return std::accumulate(costs.begin(), costs.end(), 0.0);
}

/// Two networks that predict the same, as the two blocks of one: exit 1 is the weak network's
/// prediction, the end the strong one's. A plan whose guide is exit 1 is autoguidance.
class Autoguided final : public Network {
 public:
  Autoguided(std::shared_ptr<const Network> weak, std::shared_ptr<const Network> strong)
      : weak_(std::move(weak)), strong_(std::move(strong)) {
    info_ = strong_->info();
    info_.blocks = 2;
    info_.can_exit = {0, 1};
    info_.has_uncertainty = false;
    info_.cost = {.embed = 0, .block = {}, .head = {}, .score = {0, 0}};
    for (const Network* network : {weak_.get(), strong_.get()}) {
      const adadiff::NetworkCost& cost = network->info().cost;
      info_.cost.block.push_back(cost.embed + sum(cost.block));
      info_.cost.head.push_back(cost.head.back());
    }
  }
  const NetworkInfo& info() const override { return info_; }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override;

 private:
  std::shared_ptr<const Network> weak_, strong_;
  NetworkInfo info_;
};

class AutoguidedPass final : public ForwardPass {
 public:
  AutoguidedPass(const Network& weak, const Network& strong, const PassOptions& options)
      : blocks_{weak.info().blocks, strong.info().blocks},
        pass_{weak.new_pass(options), strong.new_pass(options)} {}

  void begin(const adadiff::PassInputs& inputs) override {
    for (const auto& pass : pass_) pass->begin(inputs);
    current_ = -1;
  }
  void run_block(std::uint8_t) override {
    ++current_;
    for (int block = 0; block < blocks_[current_]; ++block) pass_[current_]->run_block(0);
  }
  void score(const adadiff::ScoreSink& sink) const override { sink.out.zero_(); }
  void predict(const at::Tensor& rows, const at::Tensor& slots,
               const at::Tensor& out) const override {
    pass_[current_]->predict(rows, slots, out);
  }
  void keep(const at::Tensor& rows, std::int64_t live) override {
    for (const auto& pass : pass_) pass->keep(rows, live);
  }

 private:
  int blocks_[2];
  std::unique_ptr<ForwardPass> pass_[2];
  int current_ = -1;
};

std::unique_ptr<ForwardPass> Autoguided::new_pass(const PassOptions& options) const {
  return std::make_unique<AutoguidedPass>(*weak_, *strong_, options);
}

/// Labels 0, 1, ... without the null label, cycled through.
std::vector<std::int64_t> every_label(const NetworkInfo& info) {
  std::vector<std::int64_t> labels;
  for (std::int64_t label = 0; label < info.classes; ++label) {
    if (label != info.null_label) labels.push_back(label);
  }
  return labels;
}

adadiff::Result draw(const adadiff::Pipeline& pipeline, const Flags& flags,
                     const std::vector<std::int64_t>& labels, int steps,
                     const adadiff::Plan& plan) {
  adadiff::Request request;
  request.count = flags.samples;
  request.seed = flags.seed;
  request.labels = labels;
  request.guidance = 1;
  request.plan = plan;
  request.solver = adadiff::SolverSettings{.solver = flags.solver, .steps = steps};
  return pipeline.generate(request);
}

float unit_value(const adadiff::ModelSummary& model, float value) {
  return std::clamp((value - model.image_min) / (model.image_max - model.image_min), 0.0F, 1.0F);
}

/// images + (weight - 1) (images - others), as values and as pixels.
Images beyond(Images images, const std::vector<float>& others, double weight,
              const adadiff::ModelSummary& model) {
  const std::int64_t plane = images.height * images.width;
  for (std::size_t i = 0; i < images.values.size(); ++i) {
    images.values[i] += static_cast<float>(weight - 1) * (images.values[i] - others[i]);
    const auto index = static_cast<std::int64_t>(i);
    const std::int64_t image = index / (plane * images.channels),
                       channel = index / plane % images.channels, place = index % plane;
    const std::int64_t pixel = (image * plane + place) * images.channels +
                               channel;  // [N, C, H, W] to [N, H, W, C]
    images.pixels[static_cast<std::size_t>(pixel)] = static_cast<std::uint8_t>(
        std::floor(unit_value(model, images.values[i]) * 255 + 0.5F));
  }
  return images;
}

std::vector<float> blurred(const Images& images) {
  at::Tensor x = at::from_blob(
      const_cast<float*>(images.values.data()),  // from_blob takes no const; it is only read
      {images.count * images.channels, 1, images.height, images.width});
  const at::Tensor line = at::tensor({0.25F, 0.5F, 0.25F});
  x = at::conv2d(at::replication_pad2d(x, {1, 1, 1, 1}), at::outer(line, line).view({1, 1, 3, 3}))
          .contiguous();
  return {x.const_data_ptr<float>(), x.const_data_ptr<float>() + x.numel()};
}

void report(const Flags& flags, const adadiff::ModelSummary& model,
            const std::vector<std::int64_t>& labels, const std::string& plan, const Images& images,
            const adadiff::Trace& trace, double full_evaluations) {
  namespace cli = adadiff::cli;
  namespace detail = adadiff::detail;
  const auto extractor = detail::open_features(cli::features_path(""));
  const cli::ReferenceFeatures real = cli::reference_features(
      {.path = flags.reference, .images = flags.references, .save = {}}, *extractor,
      cli::feature_dimensions(*extractor, model), model);
  const detail::QualityOptions options{
      .subsets = {1, 0}, .seed = flags.seed, .groups = flags.groups};
  const detail::ImageFeatures seen = extractor->extract(images);
  cli::EvaluationReport report;
  report.model = model.id;
  report.plan = plan;
  report.solver = flags.solver;
  report.samples = images.count;
  report.seed = flags.seed;
  report.trace = trace;
  report.features = extractor->name();
  report.references = real.seen.features ? real.seen.features->rows() : 0;
  report.quality = detail::measure_quality(real.seen, seen.features, options);
  if (const auto classes = detail::classes_of_labels(labels, model.class_names,
                                                     extractor->class_names())) {
    report.class_agreement = detail::class_agreement(seen.classes, *classes);
  }
  if (real.texture.features) {
    const detail::Features texture = detail::TextureFeatures().extract(images).features;
    report.texture = {detail::measure_quality(real.texture, texture, options),
                      detail::compare_levels(*real.texture.features, texture)};
  }
  nlohmann::ordered_json json = cli::to_json(report);
  json["full_evaluations"] = full_evaluations;
  std::cout << json.dump(1) << '\n';
}

void run_autoguidance(const Flags& flags) {
  const adadiff::Pipeline strong_model = adadiff::Pipeline::open(flags.model);
  const adadiff::Pipeline weak_model = adadiff::Pipeline::open(flags.weak);
  const auto* strong = &adadiff::detail::Access::state(strong_model);
  const auto* weak = &adadiff::detail::Access::state(weak_model);
  const auto labels = every_label(strong->network->info());
  adadiff::SamplerModel description = strong->model;
  description.default_plan = {};
  description.id = "";
  const adadiff::Pipeline pipeline = adadiff::make_pipeline(
      std::make_shared<Autoguided>(weak->network, strong->network), description);
  const adadiff::Result result = draw(
      pipeline, flags, labels, flags.steps,
      adadiff::guided(adadiff::full_depth(), {.exit = 1, .weight = flags.weight}));
  const double evaluations = flags.steps *
                             (weak->summary.macs_full_depth / strong->summary.macs_full_depth + 1);
  report(flags, strong->summary, labels, "autoguidance", result.images, result.trace, evaluations);
}

void run_extrapolation(const Flags& flags) {
  const adadiff::Pipeline opened = adadiff::Pipeline::open(flags.model);
  const auto* model = &adadiff::detail::Access::state(opened);
  const auto labels = every_label(model->network->info());
  adadiff::Result fine = draw(opened, flags, labels, flags.steps, adadiff::full_depth());
  const adadiff::Result coarse = draw(opened, flags, labels, flags.coarse, adadiff::full_depth());
  const Images images = beyond(std::move(fine.images), coarse.images.values, flags.weight,
                               model->summary);
  report(flags, model->summary, labels, "extrapolation over steps", images, fine.trace,
         flags.steps + flags.coarse);
}

void run_sharpening(const Flags& flags) {
  const adadiff::Pipeline opened = adadiff::Pipeline::open(flags.model);
  const auto* model = &adadiff::detail::Access::state(opened);
  const auto labels = every_label(model->network->info());
  const adadiff::Plan plan = flags.plan.empty() ? adadiff::full_depth()
                                                : adadiff::read_plan(flags.plan);
  adadiff::Result result = draw(opened, flags, labels, flags.steps, plan);
  const std::vector<float> smooth = blurred(result.images);
  const Images images = beyond(std::move(result.images), smooth, flags.weight, model->summary);
  report(flags, model->summary, labels, "sharpening", images, result.trace,
         result.trace.full_evaluations());
}

void add_rival(CLI::App& program, const std::string& name, Flags& flags,
               const std::function<void(const Flags&)>& run) {
  CLI::App& verb = *program.add_subcommand(name);
  verb.add_option("model", flags.model)->required();
  verb.add_option("--reference", flags.reference, "real images")->required();
  verb.add_option("--references", flags.references, "at most so many of them");
  verb.add_option("--solver", flags.solver);
  verb.add_option("--steps", flags.steps);
  verb.add_option("--weight", flags.weight, "1: no extrapolation");
  verb.add_option("--samples", flags.samples);
  verb.add_option("--seed", flags.seed);
  if (name == "autoguidance")
    verb.add_option("--weak", flags.weak, "model file of the guide")->required();
  if (name == "sharpening") verb.add_option("--plan", flags.plan, "as JSON");
  if (name == "extrapolation")
    verb.add_option("--coarse", flags.coarse, "steps of the run that is moved away from");
  verb.add_flag("--json")->description("always so");
  verb.callback([&flags, run] { run(flags); });
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App program("Ways to extrapolate that need no exit");
  program.require_subcommand(1);
  Flags flags;
  const c10::InferenceMode guard;
  at::set_num_threads(1);
  add_rival(program, "autoguidance", flags, run_autoguidance);
  add_rival(program, "extrapolation", flags, run_extrapolation);
  add_rival(program, "sharpening", flags, run_sharpening);
  try {
    program.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return program.exit(error);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
