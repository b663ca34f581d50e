// `adadiff train-classifier`: makes the classifier that `adadiff evaluate` sees images with.
#include <memory>
#include <string>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/data_files.h"
#include "cli/failure.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/terminal_progress.h"
#include "cli/verbs.h"
#include "core/check.h"
#include "evaluation/classifier_training.h"
#include "training/task.h"

namespace adadiff::cli {
namespace {

struct ClassifierFlags {
  std::string output, data = kFashionMnist, images, labels, test_images, test_labels, class_names, name, license, origin;
  std::int64_t size = 0, channels = 0, threads = 0;
  detail::ClassifierTraining training;
  bool no_flip = false, json = false;
};

std::unique_ptr<detail::ImageSource> open(const ClassifierFlags& flags, const std::string& images, const std::string& labels) {
  TrainingOptions options;
  options.images = images;
  options.labels = labels;
  options.size = flags.size;
  options.channels = flags.channels;
  return detail::open_images(options);
}

void set_files(ClassifierFlags& flags) {
  if (!flags.images.empty()) return;
  flags.images = find_data(flags.data, "train-images-idx3-ubyte");
  flags.labels = find_data(flags.data, "train-labels-idx1-ubyte");
  flags.test_images = find_data(flags.data, "t10k-images-idx3-ubyte");
  flags.test_labels = find_data(flags.data, "t10k-labels-idx1-ubyte");
}

detail::ClassifierConfig config_of(const ClassifierFlags& flags, const detail::ImageSource& images) {
  detail::ClassifierConfig config;
  config.channels = images.channels;
  config.size = images.height;
  config.classes = images.classes;
  config.class_names = flags.class_names.empty() ? images.class_names : CLI::detail::split(flags.class_names, ',');
  if (!config.class_names.empty() && std::ssize(config.class_names) != config.classes) {
    detail::raise(
        {"--class-names", "be " + detail::show(config.classes) + ", one per class", "are " + detail::show(std::ssize(config.class_names))});
  }
  config.name = flags.name;
  config.license = flags.license;
  config.origin = flags.origin;
  const detail::ClassifierTraining& t = flags.training;
  config.recipe = nlohmann::ordered_json{
      {"epochs", t.epochs},
      {"batch", t.batch},
      {"learning_rate", t.learning_rate},
      {"weight_decay", t.weight_decay},
      {"ema", t.ema},
      {"label_smoothing", t.label_smoothing},
      {"shift", t.shift},
      {"flip", t.flip},
      {"seed",
       t.seed}}.dump();
  return config;
}

std::unique_ptr<detail::Classifier> train(const ClassifierFlags& flags, const detail::ImageSource& images) {
  TerminalProgress progress("train-classifier", "steps");
  auto classifier = detail::train_classifier(images, config_of(flags, images), flags.training, [&](const detail::ClassifierProgress& p) {
    progress.update(static_cast<double>(p.step), static_cast<double>(p.steps), {.extra = "loss " + fixed(p.loss, 4)});
    return !interrupted();
  });
  if (!classifier) throw Interrupted("interrupted; nothing was written");
  return classifier;
}

void train_classifier(ClassifierFlags& flags) {
  set_files(flags);
  flags.training.flip = !flags.no_flip;
  require_outputs({{"--output", flags.output}}, {{"--images", flags.images}, {"--labels", flags.labels}});
  if (flags.threads > 0) at::set_num_threads(static_cast<int>(flags.threads));
  const auto images = open(flags, flags.images, flags.labels);
  const auto test = flags.test_images.empty() ? nullptr : open(flags, flags.test_images, flags.test_labels);
  const auto classifier = train(flags, *images);
  if (test) classifier->set_accuracy(detail::classifier_accuracy(*classifier, *test));
  detail::write_classifier(*classifier, flags.output);
  const double accuracy = classifier->config().accuracy;
  if (flags.json) {
    print_json({{"classes", images->classes}, {"accuracy", test ? nlohmann::ordered_json(accuracy) : nullptr}, {"written", flags.output}});
    return;
  }
  print_result("classes          " + std::to_string(images->classes) + "\n" + "test accuracy    " +
               (test ? fixed(100 * accuracy, 2) + " %" : "unknown, since there are no --test-images") + "\n" + "written          " +
               flags.output + "\n");
}

void add_files(CLI::App& verb, ClassifierFlags& flags) {
  verb.add_option("-o,--output", flags.output, "the classifier")->required()->type_name("FILE");
  CLI::Option* data = verb.add_option("--data", flags.data, "folder with the four files of an MNIST-like set, .gz or not");
  data->type_name("DIR")->capture_default_str();
  verb.add_option("--images", flags.images, "a folder of folders of PNG and JPEG files, one per class, or 8-bit images as IDX")
      ->type_name("PATH")
      ->excludes(data);
  verb.add_option("--labels", flags.labels, "8-bit labels as IDX")->type_name("FILE");
  verb.add_option("--test-images", flags.test_images, "images like those, which it is not trained on")->type_name("PATH");
  verb.add_option("--test-labels", flags.test_labels, "their labels")->type_name("FILE");
  verb.add_option("--class-names", flags.class_names, "names of the classes")->type_name("TEXT,...");
  verb.add_option("--name", flags.name, "what reports call it")->type_name("TEXT")->capture_default_str();
  verb.add_option("--license", flags.license, "licence of the weights")->type_name("TEXT");
  verb.add_option("--origin", flags.origin, "origin of the weights")->type_name("TEXT");
}

}  // namespace

Action add_train_classifier(CLI::App& verb) {
  const auto flags = std::make_shared<ClassifierFlags>();
  flags->name = "classifier";
  add_files(verb, *flags);
  add_whole(verb, {"--size", "side that pictures of a folder are brought to"}, flags->size, {0, 512});
  add_whole(verb, {"--channels", "1 or 3 for pictures of a folder; 0: as the first is"}, flags->channels, {0, 3});
  add_whole(verb, {"--epochs", "passes over the images"}, flags->training.epochs, {1, 1000});
  add_whole(verb, {"--batch", "images per step"}, flags->training.batch, {1, 65536});
  add_number(verb, {"--learning-rate", "peak learning rate"}, flags->training.learning_rate, {0, 100});
  add_whole(verb, {"--shift", "pixels that images are moved by at most"}, flags->training.shift, {0, 64});
  verb.add_flag("--no-flip", flags->no_flip, "mirror no images");
  add_seed(verb, flags->training.seed);
  add_whole(verb, {"--threads", "threads; 0: as LibTorch chooses"}, flags->threads, {0, 1024});
  verb.add_flag("--json", flags->json, "report as JSON");
  return [flags] { train_classifier(*flags); };
}

}  // namespace adadiff::cli
