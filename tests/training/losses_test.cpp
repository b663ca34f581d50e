// Values and gradients of the losses, in double.
#include "training/losses.h"

#include <gmock/gmock.h>

#include <ATen/ATen.h>

#include <adadiff/error.h>

#include "training/optimiser.h"
#include "training/tiny_network.h"

namespace adadiff::detail {
namespace {

using test::tiny_network;
using test::TinyConfig;
using test::TinyUncertainty;

at::Tensor number(double value) { return at::full({1, 1, 1, 1}, value, at::kDouble); }

/// Two exits with one value each: predictions 1 and 3, uncertainties 0.25 and 0.5; the truth is 2.
std::vector<BlockOutput> two_exits() {
  return {{number(1), number(0.25)}, {number(3), number(0.5)}};
}

struct Values {
  double total, simple, uncertainty, layers;
};

Values values_of(const std::vector<BlockOutput>& outputs, const LossOptions& options,
                 double exit_draw = 0.5) {
  const LossTerms terms = training_loss(outputs, number(2), options, exit_draw);
  return {terms.total.item<double>(), terms.simple.item<double>(), terms.uncertainty.item<double>(),
          terms.layers.item<double>()};
}

double square(double value) { return value * value; }

TEST(TrainingLoss, LearnsTheExcessAndWeighsExitsAlikeByDefault) {
  const Values values = values_of(two_exits(), {});
  EXPECT_DOUBLE_EQ(values.simple, 1);
  EXPECT_DOUBLE_EQ(values.uncertainty, (square(0.25 - std::tanh(2)) + square(0.5 - 0)) / 2);
  EXPECT_DOUBLE_EQ(values.layers, 1);
  EXPECT_DOUBLE_EQ(values.total, values.simple + values.uncertainty + values.layers);
}

TEST(TrainingLoss, SumsExitsAndLearnsTheErrorInPaperMode) {
  const Values values = values_of(two_exits(), loss_mode("paper"));
  EXPECT_DOUBLE_EQ(values.uncertainty, square(0.25 - std::tanh(1)) + square(0.5 - std::tanh(1)));
  EXPECT_DOUBLE_EQ(values.layers, 0.75);
  EXPECT_DOUBLE_EQ(values.total, values.simple + values.uncertainty + values.layers);
}

TEST(TrainingLoss, WeighsAllExitsByNormalisedCertaintyInOfficialMode) {
  auto outputs = two_exits();
  outputs[0].prediction = number(5);
  const Values values = values_of(outputs, loss_mode("official"));
  EXPECT_DOUBLE_EQ(values.layers, (0.75 * 9 + 0.5 * 1) / 1.25);
  EXPECT_DOUBLE_EQ(values.uncertainty,
                   (square(0.25 - std::tanh(3)) + square(0.5 - std::tanh(1))) / 2);
}

TEST(TrainingLoss, WeighsTermsByLambdaAndBeta) {
  LossOptions options;
  options.lambda = 3;
  options.beta = 0.25;
  const Values values = values_of(two_exits(), options);
  EXPECT_DOUBLE_EQ(values.total, values.simple + 3 * values.uncertainty + 0.25 * values.layers);
}

TEST(TrainingLoss, AveragesTheTargetOverValuesForAScalarUncertainty) {
  std::vector<BlockOutput> outputs = two_exits();
  outputs[0] = {
      at::stack({at::full({1, 1}, 1.0, at::kDouble), at::full({1, 1}, 4.0, at::kDouble)}, 1),
      at::full({1}, 0.25, at::kDouble)};
  outputs[1] = {at::full({1, 2, 1, 1}, 3.0, at::kDouble).view({1, 2, 1, 1}),
                at::full({1}, 0.0, at::kDouble)};
  outputs[0].prediction = outputs[0].prediction.view({1, 2, 1, 1});
  const LossTerms terms = training_loss(outputs, at::full({1, 2, 1, 1}, 2.0, at::kDouble), {}, 0.5);
  EXPECT_DOUBLE_EQ(terms.uncertainty.item<double>(),
                   square(0.25 - (std::tanh(2) + std::tanh(1)) / 2) / 2);
}

TEST(TrainingLoss, WeighsAMeanSquareByAScalarCertainty) {
  std::vector<BlockOutput> outputs = two_exits();
  outputs[0] = {at::tensor({1.0, 4.0}, at::kDouble).view({1, 2, 1, 1}),
                at::full({1}, 0.25, at::kDouble)};
  const LossTerms terms = training_loss(outputs, at::full({1, 2, 1, 1}, 2.0, at::kDouble),
                                        loss_mode("paper"), 0.5);
  EXPECT_DOUBLE_EQ(terms.layers.item<double>(), 0.75 * (1 + 4) / 2);
}

TEST(TrainingLoss, LearnsTheLogarithmOfTheExcessPerSample) {
  LossOptions options;
  options.target = UncertaintyTarget::LogExcess;
  // Excess 2 at the first exit; the last one has none and is left out.
  EXPECT_NEAR(values_of(two_exits(), options).uncertainty,
              square(std::log(0.25 / 0.75) - std::log(2)), 1e-12);
}

TEST(TrainingLoss, TakesAnExcessOfNothingForTheLeastOne) {
  LossOptions options;
  options.target = UncertaintyTarget::LogExcess;
  std::vector<BlockOutput> outputs = two_exits();
  outputs[0].prediction = outputs[1].prediction;
  EXPECT_NEAR(values_of(outputs, options).uncertainty,
              square(std::log(0.25 / 0.75) - std::log(1e-4)), 1e-9);
}

LossOptions likelihood() {
  LossOptions options;
  options.target = UncertaintyTarget::Likelihood;
  return options;
}

/// Minus the logarithm of a normal density around 0, without its constant.
double surprise(double value, double deviation) {
  return square(value / deviation) / 2 + std::log(deviation);
}

TEST(TrainingLoss, TakesUncertaintiesForStandardDeviationsUnderLikelihood) {
  // Excess 2 at the first exit, where u says 1/3; the last one has none and is left out.
  EXPECT_NEAR(values_of(two_exits(), likelihood()).uncertainty, surprise(2, 1.0 / 3), 1e-12);
  EXPECT_NEAR(values_of(two_exits(), likelihood()).uncertainty, 18 - std::log(3), 1e-12);
}

TEST(TrainingLoss, AveragesTheLikelihoodOverValuesRowsAndExits) {
  const auto images = [](std::initializer_list<double> values) {
    return at::tensor(values, at::kDouble).view({2, 2, 1, 1});
  };
  std::vector<BlockOutput> outputs(3);
  outputs[0] = {images({1, 2, 3, 4}), at::tensor({0.5, 0.2}, at::kDouble)};  // odds 1 and 1/4
  outputs[1] = {images({0, 0, 0.5, 1}), at::tensor({0.75, 2.0 / 3}, at::kDouble)};  // odds 3 and 2
  outputs[2] = {images({0, 1, 0, 2}), at::tensor({0.1, 0.1}, at::kDouble)};
  const double first = (surprise(1, 1) + surprise(1, 1) + surprise(3, 0.25) + surprise(2, 0.25)) /
                       4;
  const double second = (surprise(0, 3) + surprise(1, 3) + surprise(0.5, 2) + surprise(1, 2)) / 4;
  const LossTerms terms = training_loss(outputs, images({0, 0, 0, 0}), likelihood(), 0.5);
  EXPECT_NEAR(terms.uncertainty.item<double>(), (first + second) / 2, 1e-12);
}

TEST(TrainingLoss, IsMostLikelyWhereTheOddsAreTheExcess) {
  const auto loss_at = [](double deviation) {
    std::vector<BlockOutput> outputs = two_exits();
    outputs[0].uncertainty = number(deviation / (1 + deviation));
    return values_of(outputs, likelihood()).uncertainty;
  };
  EXPECT_LT(loss_at(2), loss_at(1.9));
  EXPECT_LT(loss_at(2), loss_at(2.1));
}

TEST(TrainingLoss, TakesAnExcessOfNothingForTheLeastOneUnderLikelihood) {
  std::vector<BlockOutput> outputs = two_exits();
  outputs[0] = {outputs[1].prediction, number(1e-4 / (1 + 1e-4))};
  EXPECT_NEAR(values_of(outputs, likelihood()).uncertainty, surprise(1e-4, 1e-4), 1e-9);
}

/// Three exits with predictions 1, 4 and 3, after a block that has none; the truth is 2.
std::vector<BlockOutput> three_exits() {
  return {{}, {number(1), number(0.25)}, {number(4), number(0.25)}, {number(3), number(0.5)}};
}

TEST(TrainingLoss, TeachesOneDrawnExitFromFullDepthAndTheOthersTheTruth) {
  LossOptions options;
  options.distillation = 1;
  options.distilled_exits = DistilledExits::One;
  const double first_learns = (square(1 - 3) + square(4 - 2)) / 2,
               second_learns = (square(1 - 2) + square(4 - 3)) / 2;
  EXPECT_DOUBLE_EQ(values_of(three_exits(), options, 1e-7).layers, first_learns);
  EXPECT_DOUBLE_EQ(values_of(three_exits(), options, 0.49).layers, first_learns);
  EXPECT_DOUBLE_EQ(values_of(three_exits(), options, 0.51).layers, second_learns);
  EXPECT_DOUBLE_EQ(values_of(three_exits(), options, 1 - 1e-7).layers, second_learns);
}

TEST(TrainingLoss, TeachesTheDrawnExitTheMixtureThatDistillationSays) {
  LossOptions options = loss_mode("paper");
  options.distillation = 0.25;
  options.distilled_exits = DistilledExits::One;
  const double layers = values_of(three_exits(), options, 0.7).layers;
  EXPECT_DOUBLE_EQ(layers, 0.75 * square(1 - 2) + 0.75 * square(4 - (0.75 * 2 + 0.25 * 3)));
}

TEST(TrainingLoss, ReadsTheDrawForOneExitOnly) {
  LossOptions options;
  options.distillation = 1;
  EXPECT_EQ(values_of(three_exits(), options, 0.1).layers,
            values_of(three_exits(), options, 0.9).layers);
}

TEST(TrainingLoss, TeachesEarlyExitsAMixtureOfTruthAndFullDepth) {
  LossOptions options;
  options.distillation = 0.25;
  EXPECT_DOUBLE_EQ(values_of(two_exits(), options).layers, square(1 - (0.75 * 2 + 0.25 * 3)));
  EXPECT_DOUBLE_EQ(values_of(two_exits(), options).simple, 1);
}

TEST(TrainingLoss, HasNoUncertaintyTermWithoutUncertainty) {
  std::vector<BlockOutput> outputs = two_exits();
  for (BlockOutput& output : outputs) output.uncertainty = at::Tensor();
  const Values values = values_of(outputs, loss_mode("paper"));
  EXPECT_EQ(values.uncertainty, 0);
  EXPECT_DOUBLE_EQ(values.layers, 1);
}

TEST(TrainingLoss, LeavesOutBlocksWithoutAnExit) {
  std::vector<BlockOutput> outputs = two_exits();
  outputs.insert(outputs.begin(), BlockOutput{});
  EXPECT_DOUBLE_EQ(values_of(outputs, {}).total, values_of(two_exits(), {}).total);
}

TEST(LossMode, RefusesUnknownNamesWithTheKnownOnes) {
  try {
    loss_mode("deediff");
    FAIL();
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr(
                    "loss mode: must be one of adadiff, paper, official, but is \"deediff\""));
  }
}

TEST(LossMode, ListsOnlyNamesThatItKnows) {
  for (const std::string& name : loss_mode_names()) EXPECT_NO_THROW(loss_mode(name));
  EXPECT_EQ(loss_mode(loss_mode_names().front()), LossOptions{});
}

/// One loss term on a tiny network in double, as a function of its parameters.
struct GradientCase {
  const char* name;
  LossOptions options;
  TinyUncertainty uncertainty;
  at::Tensor LossTerms::*term;
  double exit_draw = 0.5;
};

class LossGradient : public testing::TestWithParam<GradientCase> {
 protected:
  LossGradient() {
    TinyConfig config;
    config.uncertainty = GetParam().uncertainty;
    config.type = at::kDouble;
    config.detaches_uem_input = false;
    network_ = tiny_network(config);
    parameters_ = trainable_parameters(*network_);
    x_ = at::linspace(-1, 1, 24, at::kDouble).view({4, 1, 2, 3});
    truth_ = x_.flip(0) * 0.7 + 0.1;
    time_ = at::linspace(100, 900, 4, at::kDouble);
  }
  std::vector<BlockOutput> outputs() const {
    return network_->outputs({x_, time_, at::Tensor()}, at::kFloat);
  }

  std::shared_ptr<TrainableNetwork> network_;
  Parameters parameters_;
  at::Tensor x_, truth_, time_;
};

/// What carries no gradient is held as it was: finite differences of the loss see targets and
/// stopped weights as constants.
struct Held {
  std::vector<at::Tensor> predictions, uncertainties;
};

Held hold(const std::vector<BlockOutput>& outputs) {
  Held held;
  for (const BlockOutput& output : outputs) {
    held.predictions.push_back(output.prediction.detach().clone());
    held.uncertainties.push_back(output.uncertainty.detach().clone());
  }
  return held;
}

/// The terms written out a second time, in the plainest way, with held targets and weights.
struct PlainTerms {
  const LossOptions& options;
  const Held& held;
  const at::Tensor& truth;
  std::size_t drawn;  ///< the exit that DistilledExits::One takes

  bool is_per_row() const {
    return options.target == UncertaintyTarget::LogExcess ||
           options.target == UncertaintyTarget::Likelihood;
  }
  double uncertainty(const std::vector<BlockOutput>& outputs) const {
    double sum = 0;
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (is_per_row()) {
        if (k + 1 < outputs.size()) sum += per_row(outputs[k], held.predictions[k]);
        continue;
      }
      const at::Tensor& reference = options.target == UncertaintyTarget::Excess
                                        ? held.predictions.back()
                                        : truth;
      at::Tensor target = (held.predictions[k] - reference).abs().tanh();
      if (outputs[k].uncertainty.dim() == 1) target = target.mean({1, 2, 3});
      sum += (outputs[k].uncertainty - target).square().mean().item<double>();
    }
    const std::size_t exits = outputs.size() - (is_per_row() ? 1 : 0);
    return options.reduction == ExitReduction::Mean ? sum / static_cast<double>(exits) : sum;
  }
  double per_row(const BlockOutput& output, const at::Tensor& prediction) const {
    const at::Tensor rms = (prediction - held.predictions.back()).square().mean({1, 2, 3}).sqrt();
    const at::Tensor u = output.uncertainty.dim() == 1 ? output.uncertainty
                                                       : output.uncertainty.mean({1, 2, 3});
    const at::Tensor odds = u / (1 - u);
    if (options.target == UncertaintyTarget::Likelihood)
      return ((rms / odds).square() / 2 + odds.log()).mean().item<double>();
    return (odds.log() - rms.log()).square().mean().item<double>();
  }
  at::Tensor certainty(const std::vector<BlockOutput>& outputs, std::size_t k) const {
    const at::Tensor u = options.weight_gradient == WeightGradient::Stopped
                             ? held.uncertainties[k]
                             : outputs[k].uncertainty.detach();
    return u.dim() == 1 ? (1 - u).view({-1, 1, 1, 1}) : 1 - u;
  }
  double layers(const std::vector<BlockOutput>& outputs) const {
    double sum = 0, weights = 0;
    const bool is_normalised = options.weights == LayerWeights::Normalised;
    for (std::size_t k = 0; k + (is_normalised ? 0 : 1) < outputs.size(); ++k) {
      const double share = options.distilled_exits == DistilledExits::All || k == drawn
                               ? options.distillation
                               : 0;
      const at::Tensor taught = (1 - share) * truth + share * held.predictions.back();
      const at::Tensor square = (outputs[k].prediction - taught).square();
      const double mean_weight = certainty(outputs, k).mean().item<double>();
      weights += mean_weight;
      if (is_normalised) sum += mean_weight * square.mean().item<double>();
      if (options.weights == LayerWeights::Plain) sum += square.mean().item<double>();
      if (options.weights == LayerWeights::Certainty)
        sum += (square * certainty(outputs, k)).mean().item<double>();
    }
    if (is_normalised) return sum / weights;
    return options.reduction == ExitReduction::Mean ? sum / static_cast<double>(outputs.size() - 1)
                                                    : sum;
  }
  double simple(const std::vector<BlockOutput>& outputs) const {
    return (outputs.back().prediction - truth).square().mean().item<double>();
  }
  double value(const std::vector<BlockOutput>& outputs, at::Tensor LossTerms::*term) const {
    if (term == &LossTerms::simple) return simple(outputs);
    if (term == &LossTerms::uncertainty) return uncertainty(outputs);
    if (term == &LossTerms::layers) return layers(outputs);
    return simple(outputs) + options.lambda * uncertainty(outputs) + options.beta * layers(outputs);
  }
};

TEST_P(LossGradient, EqualsFiniteDifferences) {
  const auto& [name, options, form, term, exit_draw] = GetParam();
  const Held held = hold(outputs());
  const PlainTerms plain{options, held, truth_, exit_draw < 0.5 ? 0u : 1u};  // of two early exits
  const LossTerms loss = training_loss(outputs(), truth_, options, exit_draw);
  EXPECT_NEAR((loss.*term).item<double>(), plain.value(outputs(), term), 1e-12);
  (loss.*term).backward();
  const double step = 1e-5;
  for (std::size_t i = 0; i < parameters_.tensors.size(); ++i) {
    at::Tensor values = parameters_.tensors[i].detach().view({-1});
    const at::Tensor gradient = parameters_.tensors[i].grad();
    for (std::int64_t j = 0; j < values.numel(); ++j) {
      double& value = values.mutable_data_ptr<double>()[j];
      const double before = value;
      value = before + step;
      const double above = plain.value(outputs(), term);
      value = before - step;
      const double below = plain.value(outputs(), term);
      value = before;
      const double expected = (above - below) / (2 * step);
      const double found = gradient.defined() ? gradient.view({-1})[j].item<double>() : 0;
      ASSERT_NEAR(found, expected, 1e-8) << parameters_.names[i] << "[" << j << "]";
    }
  }
}

LossOptions flowing() {
  LossOptions options = loss_mode("paper");
  options.weight_gradient = WeightGradient::Flows;
  return options;
}

LossOptions logarithm() {
  LossOptions options;
  options.target = UncertaintyTarget::LogExcess;
  return options;
}

LossOptions distilled() {
  LossOptions options;
  options.distillation = 0.3;
  return options;
}

LossOptions distilled_one() {
  LossOptions options;
  options.distillation = 1;
  options.distilled_exits = DistilledExits::One;
  return options;
}

const GradientCase kGradientCases[] = {
    {"Simple", {}, TinyUncertainty::Map, &LossTerms::simple},
    {"Excess", {}, TinyUncertainty::Map, &LossTerms::uncertainty},
    {"ExcessScalar", {}, TinyUncertainty::Scalar, &LossTerms::uncertainty},
    {"LogExcess", logarithm(), TinyUncertainty::Map, &LossTerms::uncertainty},
    {"LogExcessScalar", logarithm(), TinyUncertainty::Scalar, &LossTerms::uncertainty},
    {"Likelihood", likelihood(), TinyUncertainty::Map, &LossTerms::uncertainty},
    {"LikelihoodScalar", likelihood(), TinyUncertainty::Scalar, &LossTerms::uncertainty},
    {"LikelihoodTotal", likelihood(), TinyUncertainty::Scalar, &LossTerms::total},
    {"Distilled", distilled(), TinyUncertainty::Map, &LossTerms::layers},
    {"DistilledFirst", distilled_one(), TinyUncertainty::Map, &LossTerms::layers, 0.2},
    {"DistilledSecond", distilled_one(), TinyUncertainty::Map, &LossTerms::layers, 0.8},
    {"Truth", loss_mode("paper"), TinyUncertainty::Map, &LossTerms::uncertainty},
    {"Plain", {}, TinyUncertainty::Map, &LossTerms::layers},
    {"CertaintyScalar", loss_mode("paper"), TinyUncertainty::Scalar, &LossTerms::layers},
    {"CertaintyFlows", flowing(), TinyUncertainty::Map, &LossTerms::layers},
    {"CertaintyFlowsScalar", flowing(), TinyUncertainty::Scalar, &LossTerms::layers},
    {"PaperSum", loss_mode("paper"), TinyUncertainty::Map, &LossTerms::layers},
    {"Official", loss_mode("official"), TinyUncertainty::Map, &LossTerms::layers},
    {"OfficialScalar", loss_mode("official"), TinyUncertainty::Scalar, &LossTerms::layers},
    {"AdadiffTotal", {}, TinyUncertainty::Map, &LossTerms::total},
    {"OfficialTotal", loss_mode("official"), TinyUncertainty::Map, &LossTerms::total},
};

INSTANTIATE_TEST_SUITE_P(EveryTerm, LossGradient, testing::ValuesIn(kGradientCases),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace adadiff::detail
