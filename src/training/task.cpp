// Makes tasks around new networks, and around networks that get exits of their own.
#include "training/task.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "core/check.h"
#include "io/json_reader.h"
#include "networks/kinds.h"
#include "networks/registry.h"
#include "networks/uvit/uvit_config.h"
#include "training/class_names.h"
#include "training/image_folder.h"
#include "training/own_runs.h"

namespace adadiff::detail {
namespace {

constexpr double kTimeScale = 1000;
constexpr const char* kWeightsOfTheNetwork = "have the weights of the network to be trained";
/// The number of parameters of the largest network. Weights, gradients, two moments and averages
/// are five float32 copies, which take 40 GiB for this many.
constexpr std::int64_t kMostParameters = std::int64_t{1} << 31;

/// The U-ViT that the sizes in the options describe: with a time MLP, heads per exit, the timed map
/// as UEM, and one label row more than there are classes.
std::string described_network(const TrainingOptions& options, const ImageSource& set) {
  if (set.height != set.width) {
    raise({"TrainingOptions.images", "be square for a U-ViT",
           "are " + show(set.height) + " by " + show(set.width)});
  }
  if (options.patch > 0 && set.height % options.patch != 0) {
    raise({"TrainingOptions.patch", "divide the side of the images, " + show(set.height),
           "is " + show(options.patch), "a folder of pictures is brought to any size"});
  }
  UViTConfig config;
  config.image_size = set.height;
  config.channels = set.channels;
  config.patch_size = options.patch;
  config.width = options.width;
  config.depth = options.depth;
  config.heads = options.heads;
  config.label_rows = set.classes > 0 ? set.classes + 1 : 0;
  config.time_mlp = true;
  config.heads_per_exit = true;
  return to_json(config);
}

/// The description with UEMs of the form that the options ask for; unchanged where they ask for
/// none.
std::string with_asked_uncertainty(const std::string& network, const TrainingOptions& options) {
  if (options.uncertainty.empty()) return network;
  try {
    return description_with_uncertainty(network, options.uncertainty);
  } catch (const ModelError& error) {
    throw InvalidArgument(std::string("TrainingOptions.") + error.what());
  }
}

/// The label embedding's last row means "no label" where the data has no class for it.
std::int64_t null_label(const JsonReader& network, const ImageSource& set) {
  const std::int64_t rows = describe_network(network)->info({}).classes;
  return rows > set.classes ? rows - 1 : -1;
}

/// Makes a network that can be left at every exit, even exit 0, since the standard deviation of the
/// data is known. Weights are drawn from the seed.
std::shared_ptr<TrainableNetwork> make_trainable(const JsonReader& description,
                                                 std::int64_t null_label, std::uint64_t seed) {
  std::vector<int> every_exit(static_cast<std::size_t>(count_blocks(description)));
  std::iota(every_exit.begin(), every_exit.end(), 0);
  auto network = make_network(
      description, {.exits = every_exit, .null_label = null_label, .most_values = kMostParameters});
  network->initialise(seed);
  return network;
}

std::shared_ptr<TrainableNetwork> fresh_network(const TrainingOptions& options,
                                                const ImageSource& set) {
  const std::string text = with_asked_uncertainty(
      options.network.empty() ? described_network(options, set) : options.network, options);
  const JsonReader document(text, "TrainingOptions.network");
  return make_trainable(document, null_label(document, set), options.seed);
}

using Tensors = std::map<std::string, at::Tensor>;

Tensors tensors_of(TrainableNetwork& network) {
  Tensors tensors;
  network.visit(
      [&](const std::string& name, at::Tensor& tensor) { tensors.emplace(name, tensor); });
  return tensors;
}

/// Copies everything from the base except UEMs that it lacks or has in another form. A parameter is
/// found by its own name, or comes from the head that an exit shared so far.
void copy_weights(const Model& base, TrainableNetwork& network, const std::string& path) {
  const Tensors known = tensors_of(*base.network);
  const bool keeps_form = uncertainty_of(base.network->config_json()) ==
                          uncertainty_of(network.config_json());
  network.visit([&](const std::string& name, at::Tensor& tensor) {
    const auto [exit_source, is_matrix, is_uem] = network.role(name);
    const bool has_no_source = exit_source && exit_source->empty();
    auto source = is_uem && !keeps_form ? known.end() : known.find(name);
    if (source == known.end() && has_no_source) return;
    if (source == known.end() && exit_source) source = known.find(*exit_source);
    if (source == known.end())
      raise<ModelError>({path, kWeightsOfTheNetwork, "has no " + show(name)});
    if (source->second.sizes() != tensor.sizes()) {
      raise<ModelError>({path, kWeightsOfTheNetwork,
                         "has " + show(name) + " as " + show_shape(source->second.sizes()) +
                             ", not " + show_shape(tensor.sizes())});
    }
    tensor.copy_(source->second);
  });
}

void require_pixel_range(const Model& base, const std::string& path) {
  if (base.sampler.process.image_min == -1 && base.sampler.process.image_max == 1) return;
  raise<ModelError>({path + ": image_range", "be -1 to 1, as training data is",
                     "is " + show(static_cast<double>(base.sampler.process.image_min)) + " to " +
                         show(static_cast<double>(base.sampler.process.image_max))});
}

/// The shape of the images of the network that the options name; zeros where they name none.
ImageShape shape_of_network(const TrainingOptions& options) {
  const auto shape_of = [](const NetworkInfo& info) {
    return ImageShape{info.channels, info.height, info.width};
  };
  if (!options.network.empty()) {
    return shape_of(
        describe_network(JsonReader(options.network, "TrainingOptions.network"))->info({}));
  }
  return options.from.empty() ? ImageShape{} : shape_of(read_model(options.from).network->info());
}

/// The shape that the options ask for, and the shape of the network where they do not.
ImageShape shape_of_images(const TrainingOptions& options) {
  ImageShape shape = shape_of_network(options);
  if (options.channels != 0) shape.channels = options.channels;
  if (options.size != 0) shape.height = shape.width = options.size;
  if (shape.height == 0) {
    raise({"TrainingOptions.size", "be given for a folder of images", "is 0",
           "choose the side of the images to be drawn, such as 32"});
  }
  return shape;
}

/// Matches classes by name where both the model and the images have names: the classes of a folder
/// are in alphabetical order, those of a model in an order of its own.
std::vector<std::int64_t> labels_by_name(const std::vector<std::string>& known,
                                         const ImageSource& set) {
  std::vector<std::int64_t> labels;
  if (known.empty() || set.class_names.empty()) return labels;
  for (const std::string& name : set.class_names) {
    const std::optional<std::int64_t> label = find_class(known, name);
    if (!label) {
      raise({"TrainingOptions.images",
             "have classes that the model of TrainingOptions.from knows by name",
             "have " + show(name),
             "rename the sub-folder as `adadiff info` shows the classes, with _ for /"});
    }
    labels.push_back(*label);
  }
  return labels;
}

/// The images of a training that has none: their shape alone.
class NoImages final : public ImageSource {
 public:
  void read(std::int64_t /*index*/, std::span<std::uint8_t> /*planes*/) const override {
    raise({"TrainingOptions.images", "hold images", "are none"});
  }
  std::int64_t label(std::int64_t /*index*/) const override { return -1; }
};

std::unique_ptr<ImageSource> no_images(const ImageShape& shape) {
  auto images = std::make_unique<NoImages>();
  images->channels = shape.channels;
  images->height = shape.height;
  images->width = shape.width;
  return images;
}

bool is_folder(const TrainingOptions& options) {
  std::error_code ignored;
  return std::filesystem::is_directory(options.images, ignored);
}

TrainingTask task_from(const TrainingOptions& options, const ImageSource& set) {
  TrainingTask task;
  task.model = read_model(options.from);
  task.base = task.model.sampler.id;
  task.label_of_class = labels_by_name(task.model.class_names, set);
  if (set.count > 0) require_pixel_range(task.model, options.from);
  const std::string text = with_asked_uncertainty(
      options.network.empty() ? description_with_exits(task.model.network->config_json())
                              : options.network,
      options);
  auto network = make_trainable(JsonReader(text, "TrainingOptions.network"),
                                task.model.network->info().null_label, options.seed);
  copy_weights(task.model, *network, options.from);
  task.model.network = std::move(network);
  // The default plan and the id of the base do not hold for a network with new exits.
  task.model.sampler.default_plan = {};
  task.model.sampler.id.clear();
  if (set.count > 0) task.model.sampler.process.data_std = data_std(set);
  if (!options.class_names.empty()) task.model.class_names = options.class_names;
  if (!options.license.empty()) task.model.license = options.license;
  if (!options.origin.empty()) task.model.origin = options.origin;
  return task;
}

}  // namespace

std::unique_ptr<ImageSource> open_images(const TrainingOptions& options) {
  if (options.images == kNoImages) return no_images(shape_of_network(options));
  return is_folder(options) ? open_images(options, shape_of_images(options))
                            : open_images(options, ImageShape{});
}

std::unique_ptr<ImageSource> open_images(const TrainingOptions& options, const ImageShape& shape) {
  if (!is_folder(options)) {
    if (options.unlabelled && !options.labels.empty()) {
      raise({"TrainingOptions.labels", "be left out where images are unlabelled",
             "is " + show(options.labels)});
    }
    return std::make_unique<ImageSet>(read_image_set(options.images, options.labels));
  }
  if (!options.labels.empty()) {
    raise({"TrainingOptions.labels",
           "be left out with a folder of images, whose sub-folders are the classes",
           "is " + show(options.labels)});
  }
  return open_image_folder(options.images, shape,
                           options.unlabelled ? Labels::None : Labels::SubFolders);
}

TrainingTask make_task(const TrainingOptions& options, const ImageSource& set) {
  return options.from.empty() ? task_around(options, fresh_network(options, set), set)
                              : task_from(options, set);
}

TrainingTask task_around(const TrainingOptions& options,
                         const std::shared_ptr<TrainableNetwork>& network, const ImageSource& set) {
  TrainingTask task;
  task.model.network = network;
  task.model.sampler.process.prediction = options.prediction;
  task.model.sampler.process.schedule = find_schedule(options.schedule);
  task.model.sampler.process.time_scale = kTimeScale;
  task.model.sampler.process.data_std = data_std(set);
  // The names of the images' classes are of no use to a network without labels.
  if (!options.class_names.empty()) {
    task.model.class_names = options.class_names;
  } else if (network->info().classes > 0) {
    task.model.class_names = set.class_names;
  }
  task.model.license = options.license;
  task.model.origin = options.origin;
  return task;
}

namespace {

/// The options as JSON, with the values that they left to the images and to the base.
nlohmann::ordered_json settled_recipe(const TrainingTask& task, const TrainingOptions& options) {
  auto recipe = nlohmann::ordered_json::parse(to_json(options));
  const NetworkInfo& info = task.model.network->info();
  recipe["size"] = info.height;
  recipe["channels"] = info.channels;
  if (task.base.empty() && options.network.empty()) return recipe;
  recipe["network"] = task.model.network->config_json();
  // `network` states these options.
  for (const char* key : {"width", "depth", "heads", "patch", "uncertainty"}) recipe.erase(key);
  if (task.base.empty()) return recipe;
  // The base states these.
  for (const char* key : {"prediction", "schedule"}) recipe.erase(key);
  return recipe;
}

}  // namespace

BatchForm batch_form(const TrainingTask& task) {
  const Model& model = task.model;
  const NetworkInfo& info = model.network->info();
  return {.process = model.sampler.process,
          .null_label = info.null_label,
          .has_labels = info.classes > 0,
          .label_of_class = task.label_of_class};
}

Model trained_model(const TrainingTask& task, const TrainingOptions& options, std::int64_t steps) {
  using Json = nlohmann::ordered_json;
  Json training = {{"steps_done", steps}, {"recipe", settled_recipe(task, options)}};
  if (!task.base.empty()) training["base"] = task.base;
  Model model = task.model;
  if (model.network->info().has_learned_variance)
    model.sampler.solver.variance = Variance::Fixed;  // the loss does not train them
  model.training = training.dump();
  return model;
}

}  // namespace adadiff::detail
