// Where does a guide point? Three answers in the mean square over images, each as the weight w of
// p_e + (w - 1)(p_e - p_k) that comes nearest, and the share of the mean square error of p_e that
// it takes away:
//   to_truth       on real images with noise, so no solver is involved: nearer to what is true (the
//   network's error) to_full_depth  there too: nearer to what full depth predicts (the error of
//   leaving early) to_solution    on the way from noise to drawn images: one step of DDIM, from
//   where many small steps at full depth came to, nearer to
//                  where they go next (the solver's error)
//   guide_direction MODEL [--images IDX] [--labels IDX] [--count N] [--times T ...] [--steps N ...]
//   [--substeps N]
// A line of JSON per pair of exits and time, or step.
#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/data_files.h"
#include "diffusion/prediction.h"
#include "networks/label_table.h"
#include "pipeline/pipeline_state.h"
#include "training/image_source.h"

namespace {

constexpr std::int64_t kBatch = 100;

struct Flags {
  std::string model, images, labels;
  std::int64_t count = 500;
  std::vector<double> times{0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95};
  std::vector<int> steps{3, 6, 12};
  int substeps = 16;
};

/// Exits e that are guided by exits k: near and far, deep and shallow.
struct Pair {
  int exit, guide;
};
constexpr Pair kPairs[] = {{9, 7}, {9, 4}, {7, 5}, {5, 3}, {4, 3}};

struct Data {
  at::Tensor clean;   ///< [N, C, H, W] in the model's image range
  at::Tensor labels;  ///< [N] int64
};

Data read_data(const Flags& flags, const adadiff::ModelSummary& model) {
  using adadiff::cli::find_data;
  const std::string folder = adadiff::cli::kFashionMnist;
  const adadiff::detail::ImageSet set = adadiff::detail::read_image_set(
      flags.images.empty() ? find_data(folder, "t10k-images-idx3-ubyte") : flags.images,
      flags.labels.empty() ? find_data(folder, "t10k-labels-idx1-ubyte") : flags.labels);
  if (flags.count < 1 || flags.count > set.count)
    throw std::invalid_argument("--count must be at least 1 and at most the images' " +
                                std::to_string(set.count));
  Data data{at::empty({flags.count, set.channels, set.height, set.width}),
            at::empty({flags.count}, at::kLong)};
  at::Tensor planes = at::empty({set.channels, set.height, set.width}, at::kByte);
  for (std::int64_t i = 0; i < flags.count; ++i) {
    set.read(i,
             {planes.mutable_data_ptr<std::uint8_t>(), static_cast<std::size_t>(planes.numel())});
    data.clean[i].copy_(planes.to(at::kFloat) / 255 * (model.image_max - model.image_min) +
                        model.image_min);
    data.labels[i].fill_(set.label(i));
  }
  return data;
}

/// [blocks][N, C, H, W]: what every exit predicts at one time.
std::vector<at::Tensor> predictions(const adadiff::Network& network, const at::Tensor& x,
                                    const at::Tensor& time, const at::Tensor& labels) {
  std::vector<at::Tensor> all;
  for (int block = 0; block < network.info().blocks; ++block) all.push_back(at::empty_like(x));
  const adadiff::detail::LabelTable table(network.info());
  const auto pass = network.new_pass({.capacity = kBatch});
  for (std::int64_t first = 0; first < x.size(0); first += kBatch) {
    const std::int64_t rows = std::min(kBatch, x.size(0) - first);
    const at::Tensor every = at::arange(rows, at::kLong);
    const at::Tensor part = x.narrow(0, first, rows), part_time = time.narrow(0, first, rows),
                     part_labels = labels.narrow(0, first, rows);
    pass->begin({part, part_time, part_labels, table.table()});
    for (at::Tensor& of_exit : all) {
      pass->run_block(0);
      at::Tensor out = of_exit.narrow(0, first, rows);
      pass->predict(every, every, out);
    }
  }
  return all;
}

double mean_product(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) * b.to(at::kDouble)).mean().item<double>();
}

/// The best step from a prediction along a direction, towards a target.
nlohmann::ordered_json best_step(const at::Tensor& prediction, const at::Tensor& direction,
                                 const at::Tensor& target) {
  const at::Tensor missing = target - prediction;
  const double step = mean_product(missing, direction) / mean_product(direction, direction),
               error = mean_product(missing, missing);
  return {{"weight", 1 + step},
          {"error", error},
          {"mended", step * mean_product(missing, direction) / error}};
}

/// A model with everything that is asked of it here.
class Probe {
 public:
  explicit Probe(const Flags& flags)
      : flags_(flags),
        pipeline_(adadiff::Pipeline::open(flags.model)),
        model_(&adadiff::detail::Access::state(pipeline_)),
        process_(model_->model.process),
        schedule_(*process_.schedule),
        data_(read_data(flags, model_->summary)),
        noise_(at::randn(data_.clean.sizes(),
                         at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{0}))) {
    if (model_->summary.blocks != kPairs[0].exit)
      throw std::invalid_argument("the pairs of exits are those of a model with 9 blocks");
  }

  void ask_real_images(double time) const {
    const double alpha = schedule_.alpha(time), sigma = schedule_.sigma(time);
    const std::vector<at::Tensor> found = exits(alpha * data_.clean + sigma * noise_, time);
    const auto rule = adadiff::detail::prediction_rule(process_, time);
    const at::Tensor target = rule.target_clean * data_.clean + rule.target_noise * noise_;
    for (const auto& [exit, guide] : kPairs) {
      const at::Tensor &ours = found[at_exit(exit)], &theirs = found[at_exit(guide)];
      nlohmann::ordered_json row = {{"time", time},
                                    {"exit", exit},
                                    {"guide", guide},
                                    {"to_truth", best_step(ours, ours - theirs, target)}};
      if (exit < model_->summary.blocks)
        row["to_full_depth"] = best_step(ours, ours - theirs, found.back());
      std::cout << row.dump() << '\n';
    }
  }

  /// Every step of a run of `steps`.
  void ask_steps(int steps) const {
    const std::vector<double> times = adadiff::time_grid("uniform", process_, steps);
    at::Tensor x = noise_;
    for (std::size_t i = 0; i + 1 < times.size(); ++i) {
      const double time = times[i], next = times[i + 1];
      const std::vector<at::Tensor> found = exits(x, time);
      const at::Tensor solution = solved(x, time, next);
      for (const auto& [exit, guide] : kPairs) {
        const at::Tensor ours = ddim(x, found[at_exit(exit)], time, next);
        const at::Tensor direction = ours - ddim(x, found[at_exit(guide)], time, next);
        std::cout << nlohmann::ordered_json{{"steps", steps},
                                            {"step", i},
                                            {"time", time},
                                            {"exit", exit},
                                            {"guide", guide},
                                            {"to_solution", best_step(ours, direction, solution)}}
                  << '\n';
      }
      x = solution;
    }
  }

 private:
  static std::size_t at_exit(int exit) { return static_cast<std::size_t>(exit - 1); }

  std::vector<at::Tensor> exits(const at::Tensor& x, double time) const {
    const auto rule = adadiff::detail::prediction_rule(process_, time);
    const at::Tensor at_time = at::full({x.size(0)}, rule.network_time, at::kFloat);
    return predictions(*model_->network, rule.input_scale * x, at_time, data_.labels);
  }

  /// One step without fresh noise (Song et al. 2021, eq. 12).
  at::Tensor ddim(const at::Tensor& x, const at::Tensor& prediction, double time,
                  double next) const {
    const auto rule = adadiff::detail::prediction_rule(process_, time);
    const at::Tensor clean = rule.clean_from_state * x + rule.clean_from_output * prediction;
    const at::Tensor noise = (x - schedule_.alpha(time) * clean) / schedule_.sigma(time);
    return schedule_.alpha(next) * clean + (next > 0 ? schedule_.sigma(next) : 0) * noise;
  }

  /// Many small steps at full depth.
  at::Tensor solved(at::Tensor x, double time, double end) const {
    for (int i = 0; i < flags_.substeps; ++i) {
      const double here = time + (end - time) * i / flags_.substeps,
                   there = time + (end - time) * (i + 1) / flags_.substeps;
      x = ddim(x, exits(x, here).back(), here, there);
    }
    return x;
  }

  Flags flags_;
  adadiff::Pipeline pipeline_;
  const adadiff::detail::PipelineState* model_;
  const adadiff::Process& process_;
  const adadiff::NoiseSchedule& schedule_;
  Data data_;
  at::Tensor noise_;
};

void run(const Flags& flags) {
  const Probe probe(flags);
  for (const double time : flags.times) probe.ask_real_images(time);
  for (const int steps : flags.steps) probe.ask_steps(steps);
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App program("Where does a guide point?");
  Flags flags;
  program.add_option("model", flags.model)->required();
  program.add_option("--images", flags.images, "IDX file (default: Fashion-MNIST's test images)");
  program.add_option("--labels", flags.labels, "IDX file");
  program.add_option("--count", flags.count, "images");
  program.add_option("--times", flags.times, "of real images; 1 is noise, 0 is clean");
  program.add_option("--steps", flags.steps, "of runs");
  program.add_option("--substeps", flags.substeps,
                     "small steps that stand for the solution of one");
  const c10::InferenceMode guard;
  at::set_num_threads(1);
  try {
    program.parse(count, arguments);
    run(flags);
  } catch (const CLI::ParseError& error) {
    return program.exit(error);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
