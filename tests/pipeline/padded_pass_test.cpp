// A network that takes only 1, 2, 4, 8, ... rows draws the images of the plain one.
#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"

namespace adadiff::test {
namespace {

Request leaving_request() {
  return {.count = 11,
          .seed = 4,
          .labels = {0, 1, 2},
          .guidance = 2.0,
          .plan = guided(exit_below(0.5f), {.before = 1, .weight = 1.5}),
          .batch = 5};
}

PyramidOptions padded() {
  PyramidOptions options = labelled();
  options.pads = true;
  return options;
}

TEST(PaddedPass, DrawsThePlainImages) {
  const Request request = leaving_request();
  EXPECT_EQ(make_sampled(padded()).pipeline.generate(request).images.values,
            make_sampled().pipeline.generate(request).images.values);
}

TEST(PaddedPass, CountsOnlyRowsThatCount) {
  const Sampled plain = make_sampled(), filled = make_sampled(padded());
  const Result wanted = plain.pipeline.generate(leaving_request()),
               found = filled.pipeline.generate(leaving_request());
  EXPECT_EQ(found.trace.exits(), wanted.trace.exits());
  EXPECT_EQ(found.trace.compute.total(), wanted.trace.compute.total());
}

TEST(PaddedPass, RunsRowsThatLeftAtExitZeroNoFurther) {
  Plan plan;
  plan.rules = {{.until = 0.5, .below = {kAlways, kNever, kNever, kNever}}, {}};
  const Request request{.count = 3, .labels = {0}, .guidance = 1.0, .plan = plan};
  EXPECT_EQ(make_sampled(padded()).pipeline.generate(request).images.values,
            make_sampled().pipeline.generate(request).images.values);
}

}  // namespace
}  // namespace adadiff::test
