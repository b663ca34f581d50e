// The checks that a training makes before its first step.
#include "training/task_checks.h"

#include <set>
#include <string>
#include <vector>

#include "core/check.h"
#include "io/json_reader.h"
#include "kernels/processor.h"
#include "models/model_description.h"
#include "training/class_names.h"

namespace adadiff::detail {
namespace {

void require_image_size(const NetworkInfo& info, const ImageSource& set) {
  const auto shape = [](std::int64_t c, std::int64_t h, std::int64_t w) {
    return show(c) + " x " + show(h) + " x " + show(w);
  };
  if (info.channels == set.channels && info.height == set.height && info.width == set.width) return;
  raise({"TrainingOptions.network",
         "take the data's images " + shape(set.channels, set.height, set.width),
         "takes " + shape(info.channels, info.height, info.width)});
}

void require_labels(const NetworkInfo& info, const ImageSource& set,
                    const TrainingOptions& options) {
  if (info.classes == 0) return;
  const std::int64_t classes = info.classes - (info.null_label >= 0 ? 1 : 0);
  if (set.classes > classes) {
    raise({"TrainingOptions.labels", "be below the network's " + show(classes) + " classes",
           "reach " + show(set.classes - 1)});
  }
  if (info.null_label >= 0 || set.count == 0) return;
  if (set.classes == 0)
    raise({"TrainingOptions.labels", "be there for a network without a null label", "are missing"});
  if (options.label_drop > 0) {
    raise({"TrainingOptions.label_drop", "be 0 for a network without a null label",
           "is " + show(options.label_drop)});
  }
}

/// Images come with labels and with no other conditions.
void require_no_other_conditions(const NetworkInfo& info, const ImageSource& set) {
  if (set.count == 0 || info.condition.is_empty()) return;
  raise({"TrainingOptions.network", "take no conditions but labels where it learns from images",
         "takes tokens or a vector"});
}

/// Refuses bfloat16 on processors that have no instructions for it, where a step takes several
/// times longer than in float32 (docs/decisions/0005).
void require_precision(const TrainingOptions& options) {
  if (options.precision == Precision::Float32 || options.device != "cpu" || kernels::has_bfloat16())
    return;
  raise({"TrainingOptions.precision", "be float32 on this processor",
         "is bfloat16, for whose products it has no instructions"});
}

/// Refuses texts that a model file could not hold before hours of work, not after them.
void require_texts(const TrainingTask& task, const TrainingOptions& options) {
  const auto bytes = [](const char* field, const std::string& text, std::size_t most) {
    if (!is_utf8(text))
      raise({std::string("TrainingOptions.") + field, "be UTF-8", "is " + show(text)});
    if (text.size() <= most) return;
    raise({std::string("TrainingOptions.") + field,
           "have at most " + show(static_cast<std::int64_t>(most)) + " bytes",
           "has " + show(static_cast<std::int64_t>(text.size()))});
  };
  bytes("license", options.license, kMostText);
  bytes("origin", options.origin, kMostText);
  for (const std::string& name : task.model.class_names) bytes("class_names", name, kMostClassName);
}

/// Refuses names in another order: a name at the place of another class would draw that class.
void require_class_names(const TrainingOptions& options, const TrainingTask& task,
                         const ImageSource& set) {
  const std::vector<std::string>& names = options.class_names;
  if (names.empty()) return;
  const char* where = "TrainingOptions.class_names";
  const NetworkInfo& info = task.model.network->info();
  const std::int64_t classes = info.classes - (info.null_label >= 0 ? 1 : 0);
  if (std::ssize(names) != classes)
    raise({where, "be " + show(classes) + ", one per class", "are " + show(std::ssize(names))});
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second)
      raise({where, "be all different", "have " + show(name) + " twice"});
  }
  // A training that starts from a model has the classes of that model.
  const bool has_folder_labels = task.base.empty() && !set.class_names.empty();
  for (std::size_t i = 0; has_folder_labels && i < set.class_names.size(); ++i) {
    if (find_class({names[i]}, set.class_names[i])) continue;
    raise({where,
           "be those of the sub-folders in their order, " + show(set.class_names[i]) +
               " at place " + show(std::int64_t(i)),
           "have " + show(names[i]) + " there", "leave them out, or rename the sub-folders"});
  }
}

}  // namespace

void require_saved_facts(const TrainableNetwork& network) {
  const NetworkInfo& info = network.info();
  const JsonReader description(network.config_json(), "TrainableNetwork::config_json");
  const JsonReader kind = description.field("kind");
  if (kind.as_string(64) != info.kind)
    kind.fail("be NetworkInfo::kind, " + show(info.kind), "is " + show(kind.as_string(64)));
  if (info.null_label >= 0 && info.null_label != info.classes - 1) {
    raise({"NetworkInfo.null_label",
           "be the last class, " + show(info.classes - 1) + ", in a model file",
           "is " + show(info.null_label)});
  }
}

void check_task(const TrainingOptions& options, const TrainingTask& task, const ImageSource& set) {
  const NetworkInfo& info = task.model.network->info();
  require_image_size(info, set);
  require_labels(info, set, options);
  require_no_other_conditions(info, set);
  require_texts(task, options);
  require_class_names(options, task, set);
  require_precision(options);
}

}  // namespace adadiff::detail
