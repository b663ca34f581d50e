// Named loss modes, and the JSON of training options.
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include <adadiff/training.h>

#include "core/check.h"
#include "diffusion/prediction.h"
#include "io/json_reader.h"
#include "training/option_checks.h"

namespace adadiff {
namespace {

using detail::raise;
using detail::show;
using Json = nlohmann::ordered_json;

template <class E>
using Names = std::vector<std::pair<E, std::string>>;

const Names<UncertaintyTarget>& names_of(UncertaintyTarget) {
  static const Names<UncertaintyTarget> names = {{UncertaintyTarget::Excess, "excess"},
                                                 {UncertaintyTarget::Truth, "truth"},
                                                 {UncertaintyTarget::LogExcess, "log-excess"},
                                                 {UncertaintyTarget::Likelihood, "likelihood"}};
  return names;
}
const Names<LayerWeights>& names_of(LayerWeights) {
  static const Names<LayerWeights> names = {{LayerWeights::Certainty, "certainty"},
                                            {LayerWeights::Plain, "plain"},
                                            {LayerWeights::Normalised, "normalised"}};
  return names;
}
const Names<WeightGradient>& names_of(WeightGradient) {
  static const Names<WeightGradient> names = {{WeightGradient::Stopped, "stopped"},
                                              {WeightGradient::Flows, "flows"}};
  return names;
}
const Names<DistilledExits>& names_of(DistilledExits) {
  static const Names<DistilledExits> names = {{DistilledExits::All, "all"},
                                              {DistilledExits::One, "one"}};
  return names;
}
const Names<ExitReduction>& names_of(ExitReduction) {
  static const Names<ExitReduction> names = {{ExitReduction::Mean, "mean"},
                                             {ExitReduction::Sum, "sum"}};
  return names;
}
const Names<Trained>& names_of(Trained) {
  static const Names<Trained> names = {{Trained::All, "all"}, {Trained::Exits, "exits"}};
  return names;
}
const Names<TimeDistribution>& names_of(TimeDistribution) {
  static const Names<TimeDistribution> names = {{TimeDistribution::Uniform, "uniform"},
                                                {TimeDistribution::Stratified, "stratified"},
                                                {TimeDistribution::LogitNormal, "logit-normal"}};
  return names;
}
const Names<Optimiser>& names_of(Optimiser) {
  static const Names<Optimiser> names = {{Optimiser::AdamW, "adamw"}, {Optimiser::Muon, "muon"}};
  return names;
}
const Names<Decay>& names_of(Decay) {
  static const Names<Decay> names = {{Decay::Cosine, "cosine"}, {Decay::Constant, "constant"}};
  return names;
}
const Names<Prediction>& names_of(Prediction) {
  static const Names<Prediction> names = [] {
    Names<Prediction> all;
    for (const auto& [value, name] : detail::kPredictions) all.emplace_back(value, name);
    return all;
  }();
  return names;
}

const Names<Precision>& names_of(Precision) {
  static const Names<Precision> names = {{Precision::Float32, "float32"},
                                         {Precision::BFloat16, "bfloat16"}};
  return names;
}

/// Every field that the JSON has, in order, with its key.
template <class Options, class Visitor>
void visit_fields(Options& o, const Visitor& visit) {
  visit("size", o.size);
  visit("channels", o.channels);
  visit("unlabelled", o.unlabelled);
  visit("trained", o.trained);
  visit("network", o.network);
  visit("width", o.width);
  visit("depth", o.depth);
  visit("heads", o.heads);
  visit("patch", o.patch);
  visit("uncertainty", o.uncertainty);
  visit("prediction", o.prediction);
  visit("schedule", o.schedule);
  visit("times", o.times);
  visit("antithetic", o.antithetic);
  visit("mirror", o.mirror);
  visit("label_drop", o.label_drop);
  visit("target", o.loss.target);
  visit("weights", o.loss.weights);
  visit("weight_gradient", o.loss.weight_gradient);
  visit("reduction", o.loss.reduction);
  visit("lambda", o.loss.lambda);
  visit("beta", o.loss.beta);
  visit("distillation", o.loss.distillation);
  visit("distilled_exits", o.loss.distilled_exits);
  visit("batch", o.batch);
  visit("optimiser", o.optimiser);
  visit("learning_rate", o.learning_rate);
  visit("matrix_learning_rate", o.matrix_learning_rate);
  visit("uncertainty_learning_rate", o.uncertainty_learning_rate);
  visit("warmup", o.warmup);
  visit("decay", o.decay);
  visit("beta1", o.beta1);
  visit("beta2", o.beta2);
  visit("weight_decay", o.weight_decay);
  visit("undecayed", o.undecayed);
  visit("clip", o.clip);
  visit("precision", o.precision);
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
    if constexpr (std::is_enum_v<T>) {
      for (const auto& [known, name] : names_of(T{})) {
        if (known == value) json[key] = name;
      }
    } else {
      json[key] = value;
    }
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

 private:
  template <class E>
  requires std::is_enum_v<E>
  static void read(const detail::JsonReader& json, E& value) {
    const std::string text = json.as_string(64);
    std::string known;
    for (const auto& [candidate, name] : names_of(E{})) {
      if (text == name) {
        value = candidate;
        return;
      }
      known.append(known.empty() ? "" : ", ").append(name);
    }
    json.fail("be one of " + known);
  }
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
  LossOptions options;
  if (name == "adadiff") return options;
  options.target = UncertaintyTarget::Truth;
  options.beta = 1;
  if (name == "paper") {
    options.weights = LayerWeights::Certainty;
    options.reduction = ExitReduction::Sum;
    return options;
  }
  if (name == "official") {
    options.weights = LayerWeights::Normalised;
    options.weight_gradient = WeightGradient::Flows;
    return options;
  }
  raise({"loss mode", "be one of adadiff, paper, official", "is " + show(std::string(name))});
}

std::vector<std::string> loss_mode_names() { return {"adadiff", "paper", "official"}; }

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
