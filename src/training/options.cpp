// Named loss modes, and the JSON of training options.
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include <adadiff/training.h>

#include "core/names.h"
#include "diffusion/prediction.h"
#include "io/json_reader.h"
#include "training/option_checks.h"
#include "training/option_names.h"

namespace adadiff {
namespace {

using Json = nlohmann::ordered_json;

struct LossMode {
  const char* name;
  LossOptions options;
};
constexpr LossMode kLossModes[] = {{"adadiff", {}},
                                   {"paper",
                                    {.target = UncertaintyTarget::Truth,
                                     .weights = LayerWeights::Certainty,
                                     .reduction = ExitReduction::Sum,
                                     .beta = 1}},
                                   {"official",
                                    {.target = UncertaintyTarget::Truth,
                                     .weights = LayerWeights::Normalised,
                                     .weight_gradient = WeightGradient::Flows,
                                     .beta = 1}}};

/// Every field that the JSON has, in order, with its key and the table of its words.
template <class Options, class Visitor>
void visit_fields(Options& o, const Visitor& visit) {
  visit("run_solver", o.run_solver);
  visit("run_steps", o.run_steps);
  visit("size", o.size);
  visit("channels", o.channels);
  visit("unlabelled", o.unlabelled);
  visit("trained", o.trained, detail::kTrainedParts);
  visit("network", o.network);
  visit("width", o.width);
  visit("depth", o.depth);
  visit("heads", o.heads);
  visit("patch", o.patch);
  visit("uncertainty", o.uncertainty);
  visit("prediction", o.prediction, detail::kPredictions);
  visit("schedule", o.schedule);
  visit("times", o.times, detail::kTimeDistributions);
  visit("antithetic", o.antithetic);
  visit("mirror", o.mirror);
  visit("label_drop", o.label_drop);
  visit("target", o.loss.target, detail::kUncertaintyTargets);
  visit("weights", o.loss.weights, detail::kLayerWeights);
  visit("weight_gradient", o.loss.weight_gradient, detail::kWeightGradients);
  visit("reduction", o.loss.reduction, detail::kExitReductions);
  visit("lambda", o.loss.lambda);
  visit("beta", o.loss.beta);
  visit("distillation", o.loss.distillation);
  visit("distilled_exits", o.loss.distilled_exits, detail::kDistilledExits);
  visit("batch", o.batch);
  visit("optimiser", o.optimiser, detail::kOptimisers);
  visit("learning_rate", o.learning_rate);
  visit("matrix_learning_rate", o.matrix_learning_rate);
  visit("uncertainty_learning_rate", o.uncertainty_learning_rate);
  visit("warmup", o.warmup);
  visit("decay", o.decay, detail::kDecays);
  visit("beta1", o.beta1);
  visit("beta2", o.beta2);
  visit("weight_decay", o.weight_decay);
  visit("undecayed", o.undecayed);
  visit("clip", o.clip);
  visit("precision", o.precision, detail::kTrainingPrecisions);
  visit("ema", o.ema);
  visit("seed", o.seed);
  visit("steps", o.steps);
  visit("class_names", o.class_names);
  visit("license", o.license);
  visit("origin", o.origin);
}

struct Writer {
  Json& json;
  template <class T>
  void operator()(const char* key, const T& value) const {
    json[key] = value;
  }
  template <class T, class Table>
  void operator()(const char* key, const T& value, const Table& words) const {
    json[key] = detail::name_of(words, value);
  }
};

constexpr std::int64_t kAnyInt = std::numeric_limits<std::int64_t>::max();
constexpr double kAnyDouble = std::numeric_limits<double>::max();
constexpr std::size_t kLongText = 1 << 20;

/// Overwrites the fields that the JSON object has; check_options checks their ranges later.
struct Reader {
  const detail::JsonReader& json;
  template <class T>
  void operator()(const char* key, T& value) const {
    if (const auto field = json.optional(key)) read(*field, value);
  }

  template <class T, class Table>
  void operator()(const char* key, T& value, const Table& words) const {
    if (const auto field = json.optional(key)) value = detail::named_value(*field, words);
  }

 private:
  static void read(const detail::JsonReader& json, std::string& value) {
    value = json.as_string(kLongText);
  }
  static void read(const detail::JsonReader& json, bool& value) { value = json.as_bool(); }
  static void read(const detail::JsonReader& json, double& value) {
    value = json.as_double(-kAnyDouble, kAnyDouble);
  }
  static void read(const detail::JsonReader& json, std::int64_t& value) {
    value = json.as_int(-kAnyInt, kAnyInt);
  }
  static void read(const detail::JsonReader& json, std::uint64_t& value) {
    value = static_cast<std::uint64_t>(json.as_int(0, kAnyInt));
  }
  static void read(const detail::JsonReader& json, std::vector<std::string>& value) {
    value.clear();
    for (const auto& entry : json.elements(1 << 20)) value.push_back(entry.as_string(kLongText));
  }
};

void refuse_unknown(const detail::JsonReader& json) {
  const Json known = Json::parse(to_json(TrainingOptions{}));
  for (const auto& [key, value] : json.members(1000)) {
    if (!known.contains(key))
      value.fail("be a field that training knows", "there is none of that name");
  }
}

}  // namespace

LossOptions loss_mode(std::string_view name) {
  return detail::require_named(kLossModes, name, "loss mode").options;
}

std::vector<std::string> loss_mode_names() { return detail::names_in(kLossModes); }

std::string to_json(const TrainingOptions& options) {
  Json json = Json::object();
  visit_fields(options, Writer{json});
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

TrainingOptions parse_training_options(std::string_view text, const TrainingOptions& base,
                                       std::string_view source) {
  const detail::JsonReader json(text, std::string(source));
  refuse_unknown(json);
  TrainingOptions options = base;
  visit_fields(options, Reader{json});
  detail::check_options(options);
  return options;
}

}  // namespace adadiff
