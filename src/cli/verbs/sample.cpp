// `adadiff sample`: draws images and writes them, the trace and a short report.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <adadiff/error.h>
#include <adadiff/image.h>
#include <adadiff/pipeline.h>
#include <adadiff/tuning.h>

#include "cli/bundled_model.h"
#include "cli/depth_map.h"
#include "cli/sample_flags.h"
#include "cli/sampling_loop.h"
#include "cli/terminal/output.h"
#include "cli/verbs/verbs.h"
#include "core/check.h"
#include "io/image_check.h"
#include "io/npy.h"
#include "io/text_file.h"

namespace adadiff::cli {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t kGridGap = 2;
constexpr std::int64_t kComfortableSide = 96;         // smaller images are enlarged in the grid
constexpr std::int64_t kMostGridPixels = 64'000'000;  // unless the grid would grow beyond this

void write_grid(const Images& images, const SampleFlags& flags) {
  std::int64_t factor = std::max<std::int64_t>(
      1, kComfortableSide / std::max(images.height, images.width));
  const std::int64_t pixels = images.count * images.height * images.width;
  if (pixels > kMostGridPixels / (factor * factor)) factor = 1;
  write_png(tile(factor > 1 ? enlarge(images, static_cast<int>(factor)) : images, flags.columns,
                 kGridGap),
            flags.out);
}

// A picture that cannot be drawn is refused before hours of sampling.
void check_picture(const PlannedRequest& planned, const ModelSummary& model,
                   const SampleFlags& flags) {
  if (flags.out.empty()) return;
  constexpr const char* kAdvice = "write the numbers with --images";
  if (model.channels != 1 && model.channels != 3) {
    detail::raise({"--out", "show images of 1 or 3 channels",
                   "the model's have " + detail::show(model.channels), kAdvice});
  }
  try {
    const Images images{.count = planned.request.count,
                        .height = model.height,
                        .width = model.width,
                        .channels = model.channels};
    detail::tiled_size(images, flags.columns, kGridGap);
  } catch (const InvalidArgument&) {
    detail::raise({"--out", "show at most 256 megapixels",
                   detail::show(planned.request.count) + " images are more", kAdvice});
  }
}

void write_outputs(const Result& result, const SampleFlags& flags) {
  const Images& images = result.images;
  // The numbers first: pictures can grow too large for one file.
  if (!flags.images.empty()) {
    detail::write_npy(flags.images, {images.count, images.height, images.width, images.channels},
                      images.pixels);
  }
  if (!flags.trace.empty()) detail::write_text(flags.trace, to_json(result.trace) + "\n");
  if (!flags.out.empty()) write_grid(images, flags);
  if (!flags.depth_map.empty()) write_png(draw_depth_map(result.trace), flags.depth_map);
}

// What was drawn and how, common to both reports.
struct Drawn {
  const PlannedRequest& planned;
  const ModelSummary& model;
  const Result& result;

  /// Names, or labels where the model has no names, one after the other; empty where none was asked
  /// for.
  std::vector<std::string> classes() const {
    std::vector<std::string> named;
    const std::vector<std::int64_t>& labels = planned.request.labels;
    for (std::size_t i = 0;
         i < labels.size() && static_cast<std::int64_t>(i) < planned.request.count; ++i) {
      const auto index = static_cast<std::size_t>(labels[i]);
      named.push_back(index < model.class_names.size() ? model.class_names[index]
                                                       : std::to_string(labels[i]));
    }
    return named;
  }
};

ordered_json to_json(const Drawn& drawn) {
  const SolverSettings& solver = *drawn.planned.request.solver;
  return {
      {"model", drawn.model.id},
      {"count", drawn.planned.request.count},
      {"classes", drawn.classes()},
      {"solver", solver.solver},
      {"steps",
       drawn.result.trace.evaluations.empty() ? 0 : drawn.result.trace.evaluations.back().step + 1},
      {"evaluations", drawn.result.trace.evaluations.size()},
      {"plan", drawn.planned.plan_name},
      {"seed", drawn.planned.request.seed},
      {"batch", drawn.planned.request.batch},
      {"threads", at::get_num_threads()},
      {"blocks", drawn.model.blocks},
      {"mean_exit_depth", drawn.result.trace.mean_exit_depth()},
      {"compute_skipped", drawn.result.trace.compute.skipped()}};
}

std::string classes_line(const Drawn& drawn) {
  constexpr std::size_t kMostShown = 12;
  const std::vector<std::string> classes = drawn.classes();
  if (classes.empty()) return "";
  std::string line = "classes          ";
  for (std::size_t i = 0; i < std::min(classes.size(), kMostShown); ++i)
    line += (i > 0 ? ", " : "") + classes[i];
  if (classes.size() > kMostShown)
    line += " and " + std::to_string(classes.size() - kMostShown) + " more";
  return line + (classes.size() > 1 ? ", in turn\n" : "\n");
}

std::string summary(const Drawn& drawn) {
  const Trace& trace = drawn.result.trace;
  const int steps = trace.evaluations.empty() ? 0 : trace.evaluations.back().step + 1;
  return "images           " + std::to_string(drawn.planned.request.count) + "\n" +
         classes_line(drawn) +  //
         "steps            " + std::to_string(steps) + " (" + drawn.planned.request.solver->solver +
         ")\n" + "plan             " + drawn.planned.plan_name + "\n" +  //
         "mean depth       " + fixed(trace.mean_exit_depth(), 2) + " of " +
         std::to_string(trace.blocks) + " blocks\n" + "compute skipped  " +
         fixed(100 * trace.compute.skipped(), 1) + " %\n";
}

void report(const Drawn& drawn, double wall_ms, const SampleFlags& flags) {
  if (flags.json) {
    ordered_json json = to_json(drawn);
    json["wall_ms"] = wall_ms;
    print_json(json);
    return;
  }
  std::string text = summary(drawn) + "wall time        " + duration(wall_ms) + "\n";
  if (!flags.out.empty()) text += "written          " + flags.out + "\n";
  print_result(text);
}

ordered_json to_json(const Comparison& c) {
  const auto [least, most] = std::minmax_element(c.wall_ms.begin(), c.wall_ms.end());
  const auto [full_least, full_most] = std::minmax_element(c.full_wall_ms.begin(),
                                                           c.full_wall_ms.end());
  return {{"repeats", c.wall_ms.size()},
          {"time_saved", c.time_saved()},
          {"exit_efficiency", c.exit_efficiency()},
          {"psnr_db", c.psnr_db},
          {"wall_ms", c.median_wall_ms()},
          {"wall_ms_min", *least},
          {"wall_ms_max", *most},
          {"full_depth_wall_ms", c.median_full_wall_ms()},
          {"full_depth_wall_ms_min", *full_least},
          {"full_depth_wall_ms_max", *full_most}};
}

void report(const Drawn& drawn, const Comparison& c, const SampleFlags& flags) {
  if (flags.json) {
    ordered_json json = to_json(drawn);
    json.update(to_json(c));
    print_json(json);
    return;
  }
  const auto spread = [](double median, const std::vector<double>& ms) {
    const auto [least, most] = std::minmax_element(ms.begin(), ms.end());
    return duration(median) + " (" + duration(*least) + " to " + duration(*most) + ")\n";
  };
  print_result(summary(drawn) + "wall time        " + spread(c.median_wall_ms(), c.wall_ms) +
               "full depth       " + spread(c.median_full_wall_ms(), c.full_wall_ms) +
               "time saved       " + fixed(100 * c.time_saved(), 1) + " %, medians of " +
               std::to_string(c.wall_ms.size()) + " pairs\n" + "exit efficiency  " +
               fixed(c.exit_efficiency(), 3) + "\n" + "paired error     " +
               (std::isnan(c.psnr_db) ? std::string("none, images are identical\n")
                                      : fixed(c.psnr_db, 2) + " dB PSNR\n"));
}

void check_outputs(SampleFlags& flags) {
  const bool names_none = flags.out.empty() && flags.images.empty() && flags.trace.empty() &&
                          flags.depth_map.empty();
  if (names_none && !flags.compare && !flags.json) flags.out = "adadiff-samples.png";
  require_outputs({{"--out", flags.out},
                   {"--images", flags.images},
                   {"--trace", flags.trace},
                   {"--depth-map", flags.depth_map}},
                  {{"the model", flags.model}, {"--plan", flags.plan}, {"--noise", flags.noise}});
}

Comparison run_comparison(const Pipeline& pipeline, const PlannedRequest& planned,
                          const SampleFlags& flags) {
  TerminalProgress progress("sample", "steps");
  Comparison comparison = naming_plan(flags, [&] {
    return compare_with_full_depth(pipeline, planned.request, static_cast<int>(flags.repeats),
                                   show_steps(progress));
  });
  require_completed(comparison.status);
  return comparison;
}

void sample(SampleFlags& flags) {
  check_outputs(flags);
  if (flags.threads > 0) at::set_num_threads(static_cast<int>(flags.threads));
  const Pipeline pipeline = Pipeline::open(model_path(flags.model));
  const PlannedRequest planned = make_request(flags, pipeline.model());
  check_picture(planned, pipeline.model(), flags);
  if (flags.compare) {
    const Comparison comparison = run_comparison(pipeline, planned, flags);
    write_outputs(comparison.adaptive, flags);
    print_note("sample", planned.note);
    report({planned, pipeline.model(), comparison.adaptive}, comparison, flags);
    return;
  }
  TimedResult timed;
  {
    TerminalProgress progress("sample", "steps");
    timed = naming_plan(flags, [&] { return run_to_end(pipeline, planned.request, progress); });
  }
  write_outputs(timed.result, flags);
  print_note("sample", planned.note);
  report({planned, pipeline.model(), timed.result}, timed.wall_ms, flags);
}

}  // namespace

Action add_sample(CLI::App& verb) {
  const auto flags = std::make_shared<SampleFlags>();
  add_flags(verb, *flags);
  return [flags] { sample(*flags); };
}

}  // namespace adadiff::cli
