// Draws 16 images, each leaving the network as soon as it is sure: generate MODEL.safetensors
// [GRID.png]
#include <cstdio>
#include <exception>

#include <adadiff/adadiff.h>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: generate MODEL.safetensors [GRID.png]\n");
    return 2;
  }
  try {
    const adadiff::Pipeline pipeline = adadiff::Pipeline::open(argv[1]);
    const adadiff::Result result = pipeline.generate(
        {.count = 16, .seed = 7, .plan = adadiff::exit_below(0.08F)});
    adadiff::write_png(adadiff::enlarge(result.images, 3), argc > 2 ? argv[2] : "grid.png");
    std::printf("mean depth %.2f of %d blocks, %.0f ms\n", result.trace.mean_exit_depth(),
                result.trace.blocks, result.wall_ms);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "generate: %s\n", error.what());
    return 1;
  }
}
