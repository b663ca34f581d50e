// What a threshold costs and saves: the same noise at several thresholds, as a table and a contact
// sheet with a row per threshold, full depth on top. sweep_threshold MODEL.safetensors [SHEET.png]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>

#include <adadiff/adadiff.h>

namespace {

constexpr std::int64_t kImages = 10;

// Peak signal-to-noise ratio in dB over the model's image range; infinite for identical images.
double psnr(const adadiff::Images& a, const adadiff::Images& b,
            const adadiff::ModelSummary& model) {
  const auto clamp = [&](float value) {
    return static_cast<double>(std::clamp(value, model.image_min, model.image_max));
  };
  double sum = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i)
    sum += std::pow(clamp(a.values[i]) - clamp(b.values[i]), 2);
  const double range = model.image_max - model.image_min;
  return 10 * std::log10(range * range * static_cast<double>(a.values.size()) / sum);
}

void append(adadiff::Images& sheet, const adadiff::Images& row) {
  sheet.height = row.height;
  sheet.width = row.width;
  sheet.channels = row.channels;
  sheet.count += row.count;
  sheet.pixels.insert(sheet.pixels.end(), row.pixels.begin(), row.pixels.end());
}

void sweep(const char* model_path, const char* sheet_path) {
  const adadiff::Pipeline pipeline = adadiff::Pipeline::open(model_path);
  adadiff::Request request{.count = kImages, .seed = 1, .plan = adadiff::full_depth()};
  for (std::int64_t label = 0; label < pipeline.model().classes; ++label)
    request.labels.push_back(label);

  const adadiff::Result full = pipeline.generate(request);
  adadiff::Images sheet;
  append(sheet, full.images);
  std::printf("threshold  mean depth  compute skipped  PSNR to full depth  wall time\n");
  std::printf("%9s  %10.2f  %13.1f %%  %15s dB  %6.0f ms\n", "none", full.trace.mean_exit_depth(),
              0.0, "-", full.wall_ms);
  for (const float threshold : {0.02F, 0.04F, 0.06F, 0.08F, 0.12F, 0.16F, 0.24F}) {
    request.plan = adadiff::exit_below(threshold);
    const adadiff::Result result = pipeline.generate(request);
    append(sheet, result.images);
    std::printf("%9.2f  %10.2f  %13.1f %%  %15.2f dB  %6.0f ms\n", static_cast<double>(threshold),
                result.trace.mean_exit_depth(), 100 * result.trace.compute.skipped(),
                psnr(result.images, full.images, pipeline.model()), result.wall_ms);
  }
  adadiff::write_png(adadiff::tile(adadiff::enlarge(sheet, 2), kImages), sheet_path);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: sweep_threshold MODEL.safetensors [SHEET.png]\n");
    return 2;
  }
  try {
    sweep(argv[1], argc > 2 ? argv[2] : "sheet.png");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sweep_threshold: %s\n", error.what());
    return 1;
  }
}
