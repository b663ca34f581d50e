// `adadiff train-classifier`: makes the classifier that `adadiff evaluate` sees images with.
#include <memory>
#include <string>

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/data_files.h"
#include "cli/flags.h"
#include "cli/found_images.h"
#include "cli/terminal/failure.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/output.h"
#include "cli/terminal/terminal_progress.h"
#include "cli/verbs/verbs.h"
#include "core/check.h"
#include "features/classifier_training.h"
#include "features/held_out.h"
#include "training/task.h"

namespace adadiff::cli {
namespace {

struct ClassifierFlags {
  std::string output, data = kFashionMnist, images, labels, test_images, test_labels, class_names,
                      name, license, origin;
  std::int64_t size = 0, channels = 0, threads = 0;
  detail::ClassifierTraining training;
  bool no_flip = false, json = false;
};

/// What the classifier learns from, and what tells how well it did.
struct Data {
  std::unique_ptr<detail::ImageSource> images, given_test;
  std::unique_ptr<detail::HeldOut> parts;  ///< of `images`, where no test images were given

  const detail::ImageSource& training() const { return parts ? parts->training : *images; }
  const detail::ImageSource& test() const { return parts ? parts->test : *given_test; }
};

Data open(const ClassifierFlags& flags) {
  Data data;
  data.images = detail::open_images({.images = flags.images,
                                     .labels = flags.labels,
                                     .size = flags.size,
                                     .channels = flags.channels});
  if (flags.test_images.empty()) {
    data.parts = std::make_unique<detail::HeldOut>(
        detail::hold_out(*data.images, flags.training.seed));
    return data;
  }
  data.given_test = detail::open_images({.images = flags.test_images,
                                         .labels = flags.test_labels,
                                         .size = flags.size,
                                         .channels = data.images->channels});
  detail::check_test_images(*data.images, *data.given_test);
  return data;
}

void set_files(ClassifierFlags& flags) {
  if (!flags.images.empty()) return;
  flags.images = find_data(flags.data, "train-images-idx3-ubyte");
  flags.labels = find_data(flags.data, "train-labels-idx1-ubyte");
  flags.test_images = find_data(flags.data, "t10k-images-idx3-ubyte");
  flags.test_labels = find_data(flags.data, "t10k-labels-idx1-ubyte");
}

detail::ClassifierConfig config_of(const ClassifierFlags& flags,
                                   const detail::ImageSource& images) {
  detail::ClassifierConfig config;
  config.channels = images.channels;
  config.size = images.height;
  config.classes = images.classes;
  config.class_names = flags.class_names.empty() ? images.class_names
                                                 : CLI::detail::split(flags.class_names, ',');
  if (!config.class_names.empty() && std::ssize(config.class_names) != config.classes) {
    detail::raise({"--class-names", "be " + detail::show(config.classes) + ", one per class",
                   "are " + detail::show(std::ssize(config.class_names))});
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

std::unique_ptr<detail::Classifier> train(const ClassifierFlags& flags,
                                          const detail::ImageSource& images) {
  TerminalProgress progress("train-classifier", "steps");
  bool is_described = false;
  auto classifier = detail::train_classifier(
      images, config_of(flags, images), flags.training, [&](const detail::ClassifierProgress& p) {
        if (!std::exchange(is_described, true))
          print_note("train-classifier", describe(detail::training_images(images)));
        progress.update(static_cast<double>(p.step), static_cast<double>(p.steps),
                        {.extra = "loss " + fixed(p.loss, 4)});
        return !interrupted();
      });
  if (!classifier) throw Interrupted("interrupted; nothing was written");
  return classifier;
}

void report(const detail::Classifier& classifier, const Data& data, const ClassifierFlags& flags) {
  const detail::ClassifierConfig& config = classifier.config();
  const bool is_held_out = data.parts != nullptr;
  if (flags.json) {
    print_json({{"classes", config.classes},
                {"accuracy", config.accuracy},
                {"test_images", data.test().count},
                {"held_out", is_held_out},
                {"written", flags.output}});
    return;
  }
  print_result("classes          " + std::to_string(config.classes) + "\n" + "test accuracy    " +
               fixed(100 * config.accuracy, 2) + " % of " + std::to_string(data.test().count) +
               (is_held_out ? " held-out" : "") + " images\n" + "written          " + flags.output +
               "\n");
}

void train_classifier(ClassifierFlags& flags) {
  set_files(flags);
  flags.training.flip = !flags.no_flip;
  if (flags.threads > 0) at::set_num_threads(static_cast<int>(flags.threads));
  const Data data = open(flags);
  const auto classifier = train(flags, data.training());
  classifier->set_accuracy(detail::classifier_accuracy(*classifier, data.test()));
  detail::write_classifier(*classifier, flags.output);
  report(*classifier, data, flags);
}

void add_files(CLI::App& verb, ClassifierFlags& flags) {
  writes(verb.add_option("-o,--output", flags.output, "the classifier")
             ->required()
             ->type_name("FILE"));
  CLI::Option* data = reads(verb.add_option(
      "--data", flags.data, "folder with the four files of an MNIST-like set, .gz or not"));
  data->type_name("DIR")->capture_default_str();
  CLI::Option* images = reads(verb.add_option(
      "--images", flags.images,
      "a folder of folders of PNG and JPEG files, one per class, or 8-bit images as IDX"));
  images->type_name("PATH")->excludes(data);
  reads(verb.add_option("--labels", flags.labels, "8-bit labels as IDX")
            ->type_name("FILE")
            ->needs(images));
  CLI::Option* test = reads(
      verb.add_option("--test-images", flags.test_images,
                      "images it is not trained on (default: a tenth held out)"));
  test->type_name("PATH")->needs(images);
  reads(verb.add_option("--test-labels", flags.test_labels, "their labels")
            ->type_name("FILE")
            ->needs(test));
  verb.add_option("--class-names", flags.class_names, "names of the classes")
      ->type_name("TEXT,...");
  verb.add_option("--name", flags.name, "what reports call it")
      ->type_name("TEXT")
      ->capture_default_str();
  verb.add_option("--license", flags.license, "licence of the weights")->type_name("TEXT");
  verb.add_option("--origin", flags.origin, "origin of the weights")->type_name("TEXT");
}

}  // namespace

Action add_train_classifier(CLI::App& verb) {
  const auto flags = std::make_shared<ClassifierFlags>();
  flags->name = "classifier";
  add_files(verb, *flags);
  add_whole(verb, {"--size", "side that pictures of a folder are brought to"}, flags->size,
            {0, 512});
  add_whole(verb, {"--channels", "1 or 3 for pictures of a folder; 0: as the first is"},
            flags->channels, {0, 3});
  add_whole(verb, {"--epochs", "passes over the images; 0: 12, or as many as make 1,500 steps"},
            flags->training.epochs, {0, 1000});
  add_whole(verb, {"--batch", "images per step"}, flags->training.batch, {1, 65536});
  add_number(verb, {"--learning-rate", "peak learning rate"}, flags->training.learning_rate,
             {0, 100});
  add_whole(verb, {"--shift", "pixels that images are moved by at most"}, flags->training.shift,
            {0, 64});
  verb.add_flag("--no-flip", flags->no_flip, "mirror no images");
  add_seed(verb, flags->training.seed);
  add_whole(verb, {"--threads", "threads; 0: as LibTorch chooses"}, flags->threads, {0, 1024});
  verb.add_flag("--json", flags->json, "report as JSON");
  return [flags] { train_classifier(*flags); };
}

}  // namespace adadiff::cli
