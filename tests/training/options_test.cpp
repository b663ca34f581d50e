// The JSON of training options and their ranges.
#include <gmock/gmock.h>

#include <adadiff/error.h>
#include <adadiff/training.h>

#include "training/option_checks.h"
#include "training/temporary_folder.h"

namespace adadiff::detail {
namespace {

using test::message_of;
using testing::HasSubstr;

TEST(TrainingOptionsJson, ReadsBackWhatItWrites) {
  TrainingOptions options;
  options.prediction = Prediction::Clean;
  options.times = TimeDistribution::LogitNormal;
  options.loss = loss_mode("official");
  options.undecayed = {"pos_embed"};
  options.class_names = {"shirt"};
  options.learning_rate = 0.1 + 0.2;
  options.precision = Precision::BFloat16;
  options.seed = 12;
  const TrainingOptions back = parse_training_options(to_json(options));
  EXPECT_EQ(to_json(back), to_json(options));
  EXPECT_EQ(back.loss, options.loss);
  EXPECT_EQ(back.learning_rate, options.learning_rate);
}

TEST(TrainingOptionsJson, NamesEveryTargetAndWhichExitsAreDistilled) {
  const auto loss_of = [](const char* json) { return parse_training_options(json).loss; };
  EXPECT_EQ(loss_of(R"({"target": "excess"})").target, UncertaintyTarget::Excess);
  EXPECT_EQ(loss_of(R"({"target": "truth"})").target, UncertaintyTarget::Truth);
  EXPECT_EQ(loss_of(R"({"target": "log-excess"})").target, UncertaintyTarget::LogExcess);
  EXPECT_EQ(loss_of(R"({"target": "likelihood"})").target, UncertaintyTarget::Likelihood);
  EXPECT_EQ(loss_of("{}").distilled_exits, DistilledExits::All);
  TrainingOptions options;
  options.loss.target = UncertaintyTarget::Likelihood;
  options.loss.distillation = 0.5;
  options.loss.distilled_exits = DistilledExits::One;
  EXPECT_EQ(parse_training_options(to_json(options)).loss, options.loss);
  EXPECT_EQ(loss_of(R"({"distillation": 1, "distilled_exits": "one"})").distilled_exits,
            DistilledExits::One);
}

TEST(TrainingOptionsJson, KeepsTheBaseWhereKeysAreMissing) {
  TrainingOptions base;
  base.images = "a";
  base.batch = 7;
  const TrainingOptions options = parse_training_options(R"({"steps": 3})", base);
  EXPECT_EQ(options.images, "a");
  EXPECT_EQ(options.batch, 7);
  EXPECT_EQ(options.steps, 3);
}

TEST(TrainingOptionsJson, RefusesUnknownKeysAndWrongValuesByName) {
  const auto message = [](const char* json) {
    return message_of<InvalidArgument>([&] { parse_training_options(json, {}, "r.json"); });
  };
  EXPECT_THAT(
      message(R"({"step": 3})"),
      HasSubstr(
          "r.json: step must be a field that training knows, but there is none of that name"));
  EXPECT_THAT(message(R"({"times": "often"})"),
              HasSubstr("times must be one of uniform, stratified, logit-normal"));
  EXPECT_THAT(message(R"({"batch": 1.5})"), HasSubstr("batch"));
  EXPECT_THAT(message(R"({"schedule": 1})"), HasSubstr("schedule"));
  EXPECT_THAT(message(R"([])"), HasSubstr("r.json"));
  EXPECT_THAT(message("{"), HasSubstr("r.json"));
}

struct BadOption {
  const char* json;
  const char* message;
};

class BadOptions : public testing::TestWithParam<BadOption> {};

TEST_P(BadOptions, AreRefusedByField) {
  EXPECT_THAT(message_of<InvalidArgument>([] { parse_training_options(GetParam().json); }),
              HasSubstr(GetParam().message));
}

const BadOption kBadOptions[] = {
    {R"({"label_drop": 1.5})", "TrainingOptions.label_drop: must be in [0, 1], but is 1.5"},
    {R"({"lambda": -1})", "TrainingOptions.lambda: must be in [0, 1000], but is -1"},
    {R"({"beta": 1e9})", "TrainingOptions.beta: must be in"},
    {R"({"target": "guess"})", "target must be one of excess, truth, log-excess, likelihood"},
    {R"({"distilled_exits": "two"})", "distilled_exits must be one of all, one"},
    {R"({"distilled_exits": "one"})",
     "TrainingOptions.distilled_exits: must be all where distillation is 0, but is one; give "
     "distillation a share in (0, 1]"},
    {R"({"distilled_exits": "one", "distillation": 1, "weights": "normalised"})",
     "TrainingOptions.distillation: must be 0 with normalised weights, which take the last exit "
     "in, but is 1"},
    {R"({"batch": 0})", "TrainingOptions.batch: must be in [1, 65536], but is 0"},
    {R"({"learning_rate": -0.1})", "TrainingOptions.learning_rate: must be in"},
    {R"({"warmup": -1})", "TrainingOptions.warmup: must be in"},
    {R"({"beta1": 1})", "TrainingOptions.beta1: must be in"},
    {R"({"beta2": 1})", "TrainingOptions.beta2: must be in"},
    {R"({"weight_decay": -1})", "TrainingOptions.weight_decay: must be in"},
    {R"({"clip": -1})", "TrainingOptions.clip: must be in"},
    {R"({"ema": 1})", "TrainingOptions.ema: must be in"},
    {R"({"steps": 0})", "TrainingOptions.steps: must be in"},
    {R"({"schedule": "linear"})", "noise schedule: must be one of"},
};

INSTANTIATE_TEST_SUITE_P(EveryField, BadOptions, testing::ValuesIn(kBadOptions));

TEST(CheckOptions, RefusesPrecisionsThatTrainingHasNot) {
  TrainingOptions options;
  options.precision = Precision::Float16;
  EXPECT_THAT(message_of<InvalidArgument>([&] { check_options(options); }),
              HasSubstr("TrainingOptions.precision: must be Float32 or BFloat16, but is another"));
}

TEST(CheckOptions, RefusesIntervalAndMinutesOutOfRange) {
  TrainingOptions options;
  options.checkpoint_every = 0;
  EXPECT_THAT(message_of<InvalidArgument>([&] { check_options(options); }),
              HasSubstr("TrainingOptions.checkpoint_every: must be in"));
  options = {};
  options.minutes = -1;
  EXPECT_THAT(message_of<InvalidArgument>([&] { check_options(options); }),
              HasSubstr("TrainingOptions.minutes: must be in"));
}

TEST(Train, AsksForTheFilesItNeeds) {
  EXPECT_THAT(message_of<InvalidArgument>([] { train({}); }),
              HasSubstr("TrainingOptions.images: must name a file, but is empty"));
  TrainingOptions options;
  options.images = "x";
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(options); }),
              HasSubstr("TrainingOptions.model: must name a file, but is empty"));
}

TEST(Train, AsksForAModelWhereExitsAloneAreTrained) {
  TrainingOptions options;
  options.images = options.model = "x";
  options.trained = Trained::Exits;
  EXPECT_THAT(message_of<InvalidArgument>([&] { train(options); }),
              HasSubstr("TrainingOptions.from: must name a trained model where exits"));
}

}  // namespace
}  // namespace adadiff::detail
