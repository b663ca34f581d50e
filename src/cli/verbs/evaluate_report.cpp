// Formats an evaluation.
#include "cli/verbs/evaluate_report.h"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "cli/terminal/output.h"

namespace adadiff::cli {
namespace {

using nlohmann::ordered_json;

double deviation(const std::vector<int>& exits) {
  double sum = 0, squares = 0, count = 0;
  for (const int exit : exits) {
    if (exit < 0) continue;
    sum += exit;
    squares += static_cast<double>(exit) * exit;
    ++count;
  }
  return count > 0 ? std::sqrt(std::max(0.0, squares / count - sum / count * sum / count)) : 0;
}

int steps_of(const Trace& trace) {
  return trace.evaluations.empty() ? 0 : trace.evaluations.back().step + 1;
}

ordered_json to_json(const detail::GroupedDistance& distance) {
  return {{"all", distance.all},
          {"half_width_95", detail::half_width(distance)},
          {"without_group", distance.without}};
}

ordered_json to_json(const PairedReport& paired) {
  ordered_json json = {
      {"samples", paired.samples},  {"full_depth_steps", paired.steps},
      {"mse", paired.images.mse},   {"psnr_db", paired.images.psnr_db},
      {"ssim", paired.images.ssim}, {"prediction_samples", paired.prediction_samples}};
  for (const PredictionError& error : paired.predictions) {
    json["predictions"].push_back(
        {{"network_time", error.time}, {"mse", error.mse}, {"exits", error.exits}});
  }
  return json;
}

void add_distances(const detail::Quality& q, ordered_json& json) {
  if (q.frechet) json["frechet"] = *q.frechet;
  if (q.kernel) {
    json["kid"] = q.kernel->mean;
    json["kid_deviation"] = q.kernel->deviation;
    json["kid_subset_size"] = q.subset_size;
  }
  if (q.manifold) {
    json["precision"] = q.manifold->precision;
    json["recall"] = q.manifold->recall;
  }
  if (q.grouped_kernel) json["kid_groups"] = to_json(*q.grouped_kernel);
  if (q.grouped_frechet) json["frechet_groups"] = to_json(*q.grouped_frechet);
}

void add_quality(const EvaluationReport& report, ordered_json& json) {
  json["features"] = report.features;
  if (report.references > 0) json["references"] = report.references;
  add_distances(report.quality, json);
  if (report.class_agreement) json["class_agreement"] = *report.class_agreement;
}

ordered_json to_json(const TextureReport& texture) {
  ordered_json json;
  add_distances(texture.quality, json);
  json["total_variation_ratio"] = texture.levels.total_variation_ratio;
  json["spectrum_db"] = texture.levels.spectrum_db;
  return json;
}

std::string line(const std::string& name, const std::string& value) {
  return name + std::string(17 - name.size(), ' ') + value + "\n";
}

std::string with_interval(const detail::GroupedDistance& distance, double scale, int digits = 3) {
  return fixed(scale * distance.all, digits) + " +- " + fixed(scale * half_width(distance), digits);
}

std::string quality_text(const EvaluationReport& report) {
  const detail::Quality& q = report.quality;
  std::string text = line("features", report.features);
  if (q.frechet)
    text += line("Fréchet", fixed(*q.frechet, 3) + ", lower is better")
                .insert(8, 1, ' ');  // é has two bytes
  if (q.kernel) {
    const std::string deviation = std::isnan(q.kernel->deviation)
                                      ? ""
                                      : " deviate by " + fixed(1000 * q.kernel->deviation, 3);
    text += line("KID x 1000", fixed(1000 * q.kernel->mean, 3) + " (subsets of " +
                                   std::to_string(q.subset_size) + deviation +
                                   "), lower is better");
  }
  if (q.manifold)
    text += line("precision", fixed(q.manifold->precision, 4) + ", 1 is best") +
            line("recall", fixed(q.manifold->recall, 4) + ", 1 is best");
  if (q.grouped_frechet)
    text += line("Fréchet, all", with_interval(*q.grouped_frechet, 1)).insert(13, 1, ' ');
  if (q.grouped_kernel) text += line("KID x 1000, all", with_interval(*q.grouped_kernel, 1000));
  if (report.class_agreement) text += line("class agreement", fixed(*report.class_agreement, 4));
  return text;
}

std::string texture_text(const TextureReport& texture) {
  const detail::Quality& q = texture.quality;
  const std::string frechet = q.grouped_frechet ? with_interval(*q.grouped_frechet, 1, 5)
                                                : fixed(*q.frechet, 5);
  const std::string kernel = q.grouped_kernel ? with_interval(*q.grouped_kernel, 1000)
                                              : fixed(1000 * q.kernel->mean, 3);
  std::string spectrum;
  for (const double band : texture.levels.spectrum_db)
    spectrum.append(band > 0 ? "+" : "").append(fixed(band, 1)).append(" ");
  return line("texture", "Fréchet " + frechet + ", KID x 1000 " + kernel + "; lower is better") +
         line("  variation", fixed(texture.levels.total_variation_ratio, 3) +
                                 " of the real images'; 1 is best, more is grain, less is blur") +
         line("  spectrum",
              spectrum + "dB over the real images, from low to high frequency; 0 is best");
}

std::string paired_text(const PairedReport& paired) {
  const bool is_identical = std::isnan(paired.images.psnr_db);
  return line("paired error", is_identical
                                  ? "none, images are identical"
                                  : fixed(paired.images.psnr_db, 2) + " dB PSNR, SSIM " +
                                        fixed(paired.images.ssim, 4) + ", against " +
                                        std::to_string(paired.steps) + " full-depth steps on " +
                                        std::to_string(paired.samples) + " samples");
}

}  // namespace

double exit_spread(const Trace& trace) {
  double sum = 0;
  for (const EvaluationTrace& evaluation : trace.evaluations) sum += deviation(evaluation.exit);
  return trace.evaluations.empty() ? std::numeric_limits<double>::quiet_NaN()
                                   : sum / static_cast<double>(trace.evaluations.size());
}

ordered_json to_json(const EvaluationReport& report) {
  const Trace& trace = report.trace;
  ordered_json json = {{"model", report.model},
                       {"plan", report.plan},
                       {"solver", report.solver},
                       {"steps", steps_of(trace)},
                       {"evaluations", trace.evaluations.size()},
                       {"samples", report.samples},
                       {"seed", report.seed},
                       {"blocks", trace.blocks},
                       {"mean_exit_depth", trace.mean_exit_depth()},
                       {"exit_spread", exit_spread(trace)},
                       {"compute_skipped", trace.compute.skipped()},
                       {"full_evaluations", trace.full_evaluations()},
                       {"wall_ms", report.wall_ms}};
  if (!report.features.empty()) add_quality(report, json);
  if (report.texture) json["texture"] = to_json(*report.texture);
  if (report.paired) json["paired"] = to_json(*report.paired);
  if (!report.doubts.empty()) json["doubts"] = report.doubts;
  return json;
}

std::string to_text(const EvaluationReport& report) {
  const Trace& trace = report.trace;
  std::string text = line("images", std::to_string(report.samples)) +
                     line("steps", std::to_string(steps_of(trace)) + " (" + report.solver + ")") +
                     line("plan", report.plan) +
                     line("mean depth", fixed(trace.mean_exit_depth(), 2) + " of " +
                                            std::to_string(trace.blocks) +
                                            " blocks, samples of a step deviate by " +
                                            fixed(exit_spread(trace), 2)) +
                     line("cost",
                          fixed(trace.full_evaluations(), 2) + " full evaluations per image") +
                     line("wall time", std::isnan(report.wall_ms) ? "-" : duration(report.wall_ms));
  if (!report.features.empty()) text += quality_text(report);
  if (report.texture) text += texture_text(*report.texture);
  if (report.paired) text += paired_text(*report.paired);
  for (const std::string& doubt : report.doubts) text += line("note", doubt);
  return text;
}

}  // namespace adadiff::cli
