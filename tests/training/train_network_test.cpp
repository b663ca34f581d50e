// Trainings of networks that the test made: losses and weights that are not finite, labels that do
// not fit, the exit that learns from full depth.
#include "training/trainer.h"

#include <gmock/gmock.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "networks/label_table.h"
#include "training/draws.h"
#include "training/losses.h"
#include "training/temporary_folder.h"
#include "training/tiny_data.h"
#include "training/tiny_network.h"

namespace adadiff::detail {
namespace {

using test::content_of;
using test::message_of;
using testing::HasSubstr;

/// Trainings of a network of the test's own.
class TrainNetwork : public testing::Test {
 protected:
  TrainNetwork() {
    at::set_num_threads(1);  // tensors this small only lose by more
    test::write_tiny_data(folder_);
    set_ = read_image_set(folder_.file("images"), folder_.file("labels"));
    config_.height = config_.width = test::kTinySize;
    config_.classes = 3;
    config_.null_label = 2;
  }
  TrainingOptions options(const std::string& name, std::int64_t steps) const {
    return test::tiny_options(folder_, name, steps);
  }

  test::TemporaryFolder folder_;
  ImageSet set_;
  test::TinyConfig config_;
};

TEST_F(TrainNetwork, StopsAtANumberThatIsNotFiniteAndKeepsTheCheckpoint) {
  TrainingOptions o = options("model", 10);
  o.checkpoint_every = 2;
  const auto network = test::tiny_network(config_);
  const auto spoil = [&](const TrainingProgress& progress) {
    if (progress.step == 3) {
      network->visit([](const std::string&, at::Tensor& tensor) { tensor.detach().fill_(NAN); });
    }
    return true;
  };
  EXPECT_THAT(message_of<Error>([&] { train_network(o, network, set_, spoil); }),
              HasSubstr("training: must keep a finite loss, but step 4 has nan; start afresh with "
                        "lower matrix_learning_rate and learning_rate"));
  o.start = Start::Resume;
  const auto fresh = test::tiny_network(config_);
  int steps = 0;
  train_network(o, fresh, set_, [&](const TrainingProgress&) { return ++steps < 100; });
  EXPECT_EQ(steps, 8);
}

TEST_F(TrainNetwork, StopsAtAGradientThatIsNotFinite) {
  const auto network = test::tiny_network(config_);
  network->visit([](const std::string& name, at::Tensor& tensor) {
    if (name == "blocks.0.head")
      tensor.detach().mul_(1e17);  // squares stay below 3e38, squares of their gradients do not
  });
  EXPECT_THAT(message_of<Error>([&] { train_network(options("model", 2), network, set_); }),
              HasSubstr("training: must keep a finite gradient, but step 1 has inf"));
}

TEST_F(TrainNetwork, NeverCheckpointsWeightsThatAreNotFinite) {
  TrainingOptions o = options("model", 10);
  o.checkpoint_every = 3;
  const auto network = test::tiny_network(config_);
  const auto spoil = [&](const TrainingProgress& progress) {
    if (progress.step < 4) return true;
    network->visit([](const std::string&, at::Tensor& tensor) { tensor.detach().fill_(NAN); });
    return false;
  };
  EXPECT_THAT(
      message_of<Error>([&] { train_network(o, network, set_, spoil); }),
      HasSubstr("training: must keep finite weights and moments, but those after step 4 are not"));
  o.start = Start::Resume;
  EXPECT_NO_THROW(train_network(o, test::tiny_network(config_), set_));
}

TEST_F(TrainNetwork, RefusesLabelsThatDoNotFit) {
  config_.classes = 1;
  config_.null_label = -1;
  const auto message = [&](const TrainingOptions& o) {
    return message_of<InvalidArgument>(
        [&] { train_network(o, test::tiny_network(config_), set_); });
  };
  EXPECT_THAT(
      message(options("model", 2)),
      HasSubstr("TrainingOptions.labels: must be below the network's 1 classes, but reach 1"));
  config_.classes = 2;
  EXPECT_THAT(
      message(options("model", 2)),
      HasSubstr(
          "TrainingOptions.label_drop: must be 0 for a network without a null label, but is 0.1"));
  set_.labels.clear();
  set_.classes = 0;
  EXPECT_THAT(
      message(options("model", 2)),
      HasSubstr("TrainingOptions.labels: must be there for a network without a null label"));
}

TEST_F(TrainNetwork, TakesTheDrawOfEachStepForItsDistilledExit) {
  TrainingOptions o = options("model", 12);
  o.optimiser = Optimiser::AdamW;
  o.learning_rate = o.uncertainty_learning_rate = o.weight_decay = 0;  // the network stays as it is
  o.loss.distillation = 1;
  o.loss.distilled_exits = DistilledExits::One;
  const auto network = test::tiny_network(config_);
  const TrainingTask task = task_around(o, network, set_);
  Batches batches(set_, o, batch_form(task));
  const LabelTable table(network->info());
  int second_exit = 0;
  train_network(o, network, set_, [&](const TrainingProgress& progress) {
    const std::int64_t step = progress.step - 1;
    const Batch& batch = batches.at_step(step);
    const auto outputs = network->outputs({batch.x, batch.time, batch.labels, table.table()},
                                          at::kFloat);
    const double draw = draw_exit(o, step);
    second_exit += draw > 0.5 ? 1 : 0;
    EXPECT_FLOAT_EQ(static_cast<float>(progress.layers),
                    training_loss(outputs, batch.truth, o.loss, draw).layers.item<float>())
        << step;
    EXPECT_NE(progress.layers,
              training_loss(outputs, batch.truth, o.loss, 1 - draw).layers.item<float>())
        << step;
    return true;
  });
  EXPECT_THAT(second_exit, testing::AllOf(testing::Gt(0), testing::Lt(12)));
}

TEST_F(TrainNetwork, TrainsWithEveryLossMode) {
  for (const std::string& mode : loss_mode_names()) {
    TrainingOptions o = options("model-" + mode, 2);
    o.loss = loss_mode(mode);
    EXPECT_TRUE(train_network(o, test::tiny_network(config_), set_).completed) << mode;
  }
}

}  // namespace
}  // namespace adadiff::detail
