// A policy of one's own: bold while the image is mostly noise, careful towards its end, and never
// before a few blocks have run. custom_policy MODEL.safetensors [GRID.png]
#include <cstdio>
#include <exception>
#include <memory>

#include <adadiff/adadiff.h>

namespace {

class BoldEarly : public adadiff::ExitPolicy {
 public:
  struct Options {
    int least_blocks = 2;    ///< nobody leaves before
    float at_noise = 0.15F;  ///< threshold at time 1
    float at_clean = 0.03F;  ///< threshold at time 0, linear in between
  };
  explicit BoldEarly(Options options) : options_(options) {}

  adadiff::Consult consult(const adadiff::ExitSite& site) const override {
    return site.exit < options_.least_blocks ? adadiff::Consult::No : adadiff::Consult::Score;
  }

  void decide(const adadiff::ExitSite& site, const adadiff::Readings& readings,
              std::span<std::uint8_t> leave) const override {
    for (std::size_t i = 0; i < site.units.size(); ++i) {
      const auto time = static_cast<float>(site.units[i].time);
      const float below = options_.at_clean + time * (options_.at_noise - options_.at_clean);
      leave[i] = readings.latest(i) < below ? 1 : 0;  // NaN stays
    }
  }

 private:
  Options options_;
};

void draw(const char* model_path, const char* grid_path) {
  const adadiff::Pipeline pipeline = adadiff::Pipeline::open(model_path);
  adadiff::Request request{.count = 16, .seed = 7};
  request.plan = adadiff::full_depth();  // the policy decides in place of its thresholds
  request.policy = std::make_shared<BoldEarly>(BoldEarly::Options{});
  const adadiff::Result result = pipeline.generate(request);
  adadiff::write_png(adadiff::enlarge(result.images, 3), grid_path);

  for (const adadiff::EvaluationTrace& evaluation : result.trace.evaluations) {
    double blocks = 0;
    for (const int exit : evaluation.exit) blocks += exit;
    std::printf("time %.3f  mean depth %.2f\n", evaluation.time,
                blocks / static_cast<double>(evaluation.exit.size()));
  }
  std::printf("compute skipped %.1f %%\n", 100 * result.trace.compute.skipped());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: custom_policy MODEL.safetensors [GRID.png]\n");
    return 2;
  }
  try {
    draw(argv[1], argc > 2 ? argv[2] : "grid.png");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "custom_policy: %s\n", error.what());
    return 1;
  }
}
