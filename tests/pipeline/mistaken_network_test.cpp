// Networks that misread network.h: each mistake becomes an error that names it, never a picture.
#include <gmock/gmock.h>

#include <ATen/ATen.h>

#include "pipeline/pipeline_fixture.h"

namespace adadiff::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

enum class Mistake { None, ScoresTooLow, ScoresTooHigh, NoScores, NoPredictions, NoGuides };

/// The pyramid, whose passes make one mistake.
class MistakenNetwork final : public Network {
 public:
  explicit MistakenNetwork(Mistake mistake) : mistake_(mistake) {}
  const NetworkInfo& info() const override { return network_.info(); }
  std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override {
    return std::make_unique<Pass>(network_.new_pass(options), mistake_);
  }

 private:
  class Pass final : public ForwardPass {
   public:
    Pass(std::unique_ptr<ForwardPass> pass, Mistake mistake)
        : pass_(std::move(pass)), mistake_(mistake) {}
    void begin(const PassInputs& inputs) override {
      depth_ = 0;
      pass_->begin(inputs);
    }
    void run_block(std::uint8_t) override {
      ++depth_;
      pass_->run_block(0);
    }
    void score(const ScoreSink& sink) const override {
      if (mistake_ == Mistake::NoScores) return;
      pass_->score(sink);
      if (mistake_ == Mistake::ScoresTooLow) sink.out.fill_(-1);
      if (mistake_ == Mistake::ScoresTooHigh) sink.out[0].fill_(5);
    }
    void predict(const at::Tensor& rows, const at::Tensor& slots,
                 const at::Tensor& out) const override {
      if (mistake_ == Mistake::NoPredictions) return;
      if (mistake_ == Mistake::NoGuides && depth_ == 1) return;
      pass_->predict(rows, slots, out);
    }
    void keep(const at::Tensor& rows, std::int64_t live) override { pass_->keep(rows, live); }

   private:
    std::unique_ptr<ForwardPass> pass_;
    Mistake mistake_;
    int depth_ = 0;
  };

  PyramidNetwork network_{labelled()};
  Mistake mistake_;
};

void run(Mistake mistake) {
  const Pipeline pipeline = make_pipeline(std::make_shared<MistakenNetwork>(mistake), six_steps());
  const Plan plan = guided(exit_below(0.3f), {.exit = 1, .weight = 2});
  pipeline.generate({.count = 3, .labels = {0}, .guidance = 1.0, .plan = plan});
}

void expect_error(Mistake mistake, const std::string& message) {
  EXPECT_THAT([mistake] { run(mistake); }, ThrowsMessage<ModelError>(HasSubstr(message)));
}

TEST(MistakenNetwork, RunsWithoutAMistake) { EXPECT_NO_THROW(run(Mistake::None)); }

TEST(MistakenNetwork, IsToldOfScoresOutOfRange) {
  expect_error(
      Mistake::ScoresTooLow,
      "must give uncertainties in [0, 1] at exit 1, but gave -1; ForwardPass::score fills");
  expect_error(Mistake::ScoresTooHigh, "but gave 5");
}

TEST(MistakenNetwork, IsToldOfScoresThatItDoesNotWrite) {
  expect_error(Mistake::NoScores, "must give uncertainties in [0, 1] at exit 1, but wrote none");
}

TEST(MistakenNetwork, IsToldOfPredictionsThatItDoesNotWrite) {
  expect_error(Mistake::NoPredictions,
               "for sample 0; ForwardPass::predict writes every value of its rows into out");
  expect_error(Mistake::NoGuides, "must give finite values, but gave NaN or infinity at step 0");
}

TEST(MistakenNetwork, ThatAsksForFewerRowsThanCountIsTold) {
  class Short final : public Network {
   public:
    const NetworkInfo& info() const override { return network_.info(); }
    std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override {
      return network_.new_pass(options);
    }
    std::int64_t padded_rows(std::int64_t rows) const override { return rows == 3 ? 2 : rows; }

   private:
    PyramidNetwork network_{labelled()};
  };
  const Pipeline pipeline = make_pipeline(std::make_shared<Short>(), six_steps());
  try {
    pipeline.generate({.count = 3, .labels = {0}, .guidance = 1.0, .batch = 3});
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("rows where 3 count"), std::string::npos)
        << error.what();
  }
}

/// What a run leaves in the output from one evaluation to the next must not stand for a prediction.
TEST(MistakenNetwork, IsToldInEachEvaluationAnew) {
  class Late final : public Network {
   public:
    const NetworkInfo& info() const override { return network_.info(); }
    std::unique_ptr<ForwardPass> new_pass(const PassOptions& options) const override {
      return std::make_unique<LatePass>(network_.new_pass(options));
    }

   private:
    class LatePass final : public ForwardPass {
     public:
      explicit LatePass(std::unique_ptr<ForwardPass> pass) : pass_(std::move(pass)) {}
      void begin(const PassInputs& inputs) override {
        ++evaluations_;
        pass_->begin(inputs);
      }
      void run_block(std::uint8_t) override { pass_->run_block(0); }
      void score(const ScoreSink& sink) const override { pass_->score(sink); }
      void predict(const at::Tensor& rows, const at::Tensor& slots,
                   const at::Tensor& out) const override {
        if (evaluations_ < 3) pass_->predict(rows, slots, out);
      }
      void keep(const at::Tensor& rows, std::int64_t live) override { pass_->keep(rows, live); }

     private:
      std::unique_ptr<ForwardPass> pass_;
      int evaluations_ = 0;
    };
    PyramidNetwork network_{labelled()};
  };
  const Pipeline pipeline = make_pipeline(std::make_shared<Late>(), six_steps());
  EXPECT_THAT([&] { pipeline.generate({.labels = {0}, .guidance = 1.0}); },
              ThrowsMessage<ModelError>(HasSubstr("NaN or infinity at step 2")));
}

}  // namespace
}  // namespace adadiff::test
