// The training library through the package: the options of a training, a comparison's numbers, and
// what judges images and searches for plans.
#include <cmath>
#include <cstdio>

#include <adadiff/error.h>
#include <adadiff/training.h>
#include <adadiff/tuning.h>

namespace {

bool reads_loss_modes() { return adadiff::loss_mode("paper") != adadiff::loss_mode("official"); }

bool computes_time_saved() {
  adadiff::Comparison comparison;
  comparison.wall_ms = {60, 70};
  comparison.full_wall_ms = {100, 100};
  return std::abs(comparison.time_saved() - 0.35) < 1e-12;
}

/// Features of the program's own, the same for all images.
bool judges_images() {
  adadiff::FeatureTable table{.dimensions = 1};
  for (int image = 0; image < 20; ++image) table.values.push_back(0.1 * image);
  const adadiff::ImageMeasure measure = adadiff::distance_from(
      table, [&table](const adadiff::Images&) { return table; }, adadiff::ImageDistance::Frechet);
  adadiff::Images images;
  images.count = 20;
  return std::abs(measure(images).distance) < 1e-9;
}

bool tunes_only_models_that_exist() {
  try {
    adadiff::tune_by_paired_error(adadiff::Pipeline::open("there_is_no_such_model.safetensors"));
  } catch (const adadiff::FileError& error) {
    std::puts(error.what());
    return true;
  }
  return false;
}

}  // namespace

int main() {
  const bool works = reads_loss_modes() && computes_time_saved() && judges_images() &&
                     tunes_only_models_that_exist();
  return works ? 0 : 1;
}
