// What a run reads from where its numbers are.
#include <gtest/gtest.h>

#include "pipeline/pipeline_fixture.h"
#include "support/veiled_state.h"

namespace adadiff::test {
namespace {

using namespace std::chrono_literals;

TEST(VeiledRun, ReadsEveryImageOnceWhenItIsFinished) {
  const Sampled sampled = make_sampled();
  adadiff::Run run = sampled.pipeline.start({.count = 5, .labels = {0, 1}, .guidance = 2.0});
  const std::int64_t before = veiled_reads();
  int observed = 0;
  while (run.advance(0ns) == Status::Working) {
    if (run.status() == Status::Working) observed += veiled_reads() == before ? 0 : 1;
  }
  EXPECT_EQ(observed, 0) << "steps read nothing";
  EXPECT_EQ(veiled_reads() - before, 5) << "the images, when all is done";
  EXPECT_EQ(run.finish().status, Status::Completed);
  EXPECT_EQ(veiled_reads() - before, 5) << "they are not read again";
}

TEST(VeiledRun, ReadsOneImageForAPreview) {
  const Sampled sampled = make_sampled();
  adadiff::Run run = sampled.pipeline.start({.count = 5});
  run.advance(0ns);
  while (sampled.network->ran().begins < 3) run.advance(0ns);
  const std::int64_t before = veiled_reads();
  run.preview(2);
  EXPECT_EQ(veiled_reads() - before, 1);
}

}  // namespace
}  // namespace adadiff::test
