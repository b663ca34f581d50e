// Traces as JSON, one object:
//   "kind": "adadiff-trace", "format": 1
//   "blocks", "samples", "branches": integers
//   "compute": {"blocks", "heads", "scores", "full_depth"}: multiply-accumulates
//   "evaluations": list of {"evaluation", "step", "stage": integers, "time": in [0, 1],
//   "milliseconds",
//     "exit": list of samples x branches integers in [-1, blocks], "uncertainty": list of as many
//     numbers or nulls (none was asked for), "guide_weight": number and "guide": list of as many
//     integers in [-1, blocks - 1], both only where the plan has a guide}
#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include <adadiff/trace.h>

#include "core/check.h"
#include "io/json_reader.h"
#include "plans/plan_checks.h"

namespace adadiff {
namespace {

using detail::JsonReader;

constexpr const char* kKind = "adadiff-trace";
constexpr int kFormat = 1;
constexpr std::size_t kMostEvaluations = 20000;  // Heun with 10000 steps
constexpr detail::JsonLimits kLimits{std::size_t{1} << 28, 20'000'000, 8,
                                     detail::JsonError::InvalidArgument};
constexpr double kLargest = std::numeric_limits<double>::max();

template <class T>
void append_number(std::string& out, T value) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

void append_uncertainty(std::string& out, float value) {
  if (std::isfinite(value)) {
    append_number(out, value);
  } else {
    out += "null";
  }
}

template <class T, class Append>
void append_list(std::string& out, const std::vector<T>& values, Append append) {
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    append(out, values[i]);
  }
  out += ']';
}

template <class T>
void append_field(std::string& out, const char* key, T value) {
  out.append("\"").append(key).append("\":");
  append_number(out, value);
  out += ',';
}

void append_evaluation(std::string& out, const EvaluationTrace& evaluation) {
  out += '{';
  append_field(out, "evaluation", evaluation.evaluation);
  append_field(out, "step", evaluation.step);
  append_field(out, "stage", evaluation.stage);
  append_field(out, "time", evaluation.time);
  append_field(out, "milliseconds", evaluation.milliseconds);
  out += "\"exit\":";
  append_list(out, evaluation.exit, append_number<int>);
  out += ",\"uncertainty\":";
  append_list(out, evaluation.uncertainty, append_uncertainty);
  if (!evaluation.guide.empty()) {
    out += ",\"guide_weight\":";
    append_number(out, evaluation.guide_weight);
    out += ",\"guide\":";
    append_list(out, evaluation.guide, append_number<int>);
  }
  out += '}';
}

/// A list of exactly `entries` values.
const nlohmann::json& read_list(const JsonReader& json, std::size_t entries) {
  if (!json.is_array() || json.value().size() != entries) {
    json.fail("be a list of samples x branches = " + std::to_string(entries) + " entries");
  }
  return json.value();
}

std::vector<int> read_exits(const JsonReader& json, std::size_t entries, int most) {
  std::vector<int> exits;
  for (const nlohmann::json& value : read_list(json, entries)) {
    const bool is_exit = value.is_number_integer() && value >= -1 && value <= most;
    if (!is_exit)
      json.fail("hold integers in [-1, " + std::to_string(most) + "]",
                "entry " + std::to_string(exits.size()) + " is none");
    exits.push_back(value.get<int>());
  }
  return exits;
}

std::vector<float> read_uncertainties(const JsonReader& json, std::size_t entries) {
  std::vector<float> uncertainties;
  for (const nlohmann::json& value : read_list(json, entries)) {
    if (!value.is_null() && !value.is_number()) {
      json.fail("hold numbers and nulls",
                "entry " + std::to_string(uncertainties.size()) + " is neither");
    }
    uncertainties.push_back(value.is_null() ? std::numeric_limits<float>::quiet_NaN()
                                            : static_cast<float>(value.get<double>()));
  }
  return uncertainties;
}

/// Both keys, or neither.
void read_guide(const JsonReader& json, std::size_t entries, int blocks,
                EvaluationTrace& evaluation) {
  if (!json.optional("guide") && !json.optional("guide_weight")) return;
  evaluation.guide_weight = json.field("guide_weight").as_double(0, detail::kLargestGuideWeight);
  evaluation.guide = read_exits(json.field("guide"), entries, blocks - 1);
}

EvaluationTrace read_evaluation(const JsonReader& json, const Trace& trace) {
  json.allow_only({"evaluation", "step", "stage", "time", "milliseconds", "exit", "uncertainty",
                   "guide", "guide_weight"});
  const auto entries = static_cast<std::size_t>(trace.samples * trace.branches);
  EvaluationTrace evaluation;
  evaluation.evaluation = static_cast<int>(json.field("evaluation").as_int(0, kMostEvaluations));
  evaluation.step = static_cast<int>(json.field("step").as_int(0, kMostEvaluations));
  evaluation.stage = static_cast<int>(json.field("stage").as_int(0, kMostEvaluations));
  evaluation.time = json.field("time").as_double(0, 1);
  evaluation.milliseconds = json.field("milliseconds").as_double(0, kLargest);
  evaluation.exit = read_exits(json.field("exit"), entries, trace.blocks);
  evaluation.uncertainty = read_uncertainties(json.field("uncertainty"), entries);
  read_guide(json, entries, trace.blocks, evaluation);
  return evaluation;
}

ComputeCount read_compute(const JsonReader& json) {
  json.allow_only({"blocks", "heads", "scores", "full_depth"});
  const auto cost = [&json](const char* name) { return json.field(name).as_double(0, kLargest); };
  return {cost("blocks"), cost("heads"), cost("scores"), cost("full_depth")};
}

void check_kind(const JsonReader& json) {
  if (json.field("kind").as_string() != kKind)
    json.field("kind").fail(std::string("be \"") + kKind + "\"");
  const std::int64_t format = json.field("format").as_int(1, std::numeric_limits<int>::max());
  if (format <= kFormat) return;
  throw InvalidArgument(json.source() + ": format " + detail::show(format) + " is newer than " +
                        detail::show(kFormat) + ", the newest this build reads");
}

}  // namespace

std::string to_json(const Trace& trace) {
  std::string out = std::string("{\"kind\":\"") + kKind + "\",";
  append_field(out, "format", kFormat);
  append_field(out, "blocks", trace.blocks);
  append_field(out, "samples", trace.samples);
  append_field(out, "branches", trace.branches);
  out += "\"compute\":{";
  append_field(out, "blocks", trace.compute.blocks);
  append_field(out, "heads", trace.compute.heads);
  append_field(out, "scores", trace.compute.scores);
  append_field(out, "full_depth", trace.compute.full_depth);
  out.back() = '}';
  out += ",\"evaluations\":";
  append_list(out, trace.evaluations, append_evaluation);
  return out + "}";
}

Trace parse_trace(std::string_view json, std::string_view source) {
  const JsonReader root(json, std::string(source), kLimits);
  check_kind(root);
  root.allow_only({"kind", "format", "blocks", "samples", "branches", "compute", "evaluations"});
  Trace trace;
  trace.blocks = static_cast<int>(root.field("blocks").as_int(1, 255));
  trace.samples = root.field("samples").as_int(1, 1'000'000);
  trace.branches = static_cast<int>(root.field("branches").as_int(1, 2));
  trace.compute = read_compute(root.field("compute"));
  for (const JsonReader& evaluation : root.field("evaluations").elements(kMostEvaluations)) {
    trace.evaluations.push_back(read_evaluation(evaluation, trace));
  }
  return trace;
}

}  // namespace adadiff
