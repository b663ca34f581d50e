// Reads plans from JSON (docs/plans.md): shapes and words here, values by check_plan, so that code
// and files meet the same rules.
#include <nlohmann/json.hpp>

#include <adadiff/plan.h>

#include "core/check.h"
#include "diffusion/solvers.h"
#include "io/json_reader.h"
#include "io/text_file.h"
#include "plans/plan_checks.h"
#include "plans/plan_format.h"

namespace adadiff {
namespace {

using detail::JsonReader;

constexpr const char* kRuleFields[] = {"below", "hits", "network", "precision", "skip", "guide"};

/// A list, or one value in the place of a list with one entry.
template <class T, class Read>
std::vector<T> list_or_one(const JsonReader& json, std::size_t max_size, Read read_one) {
  if (!json.is_array()) return {read_one(json)};
  std::vector<T> values;
  for (const JsonReader& entry : json.elements(max_size)) values.push_back(read_one(entry));
  return values;
}

float read_threshold(const JsonReader& json) {
  constexpr const char* kMust = "be a number in [0, 1], \"never\" or \"always\"";
  if (json.is_string()) {
    const std::string word = json.as_string(detail::kLongestName);
    if (word == "never") return kNever;
    if (word == "always") return kAlways;
    json.fail(kMust);
  }
  if (!json.is_number()) json.fail(kMust);
  const double below = json.as_double(-1e300, 1e300);
  if (!(below >= 0 && below <= 1)) json.fail(kMust);
  return static_cast<float>(below);
}

template <int low>
std::uint8_t read_byte(const JsonReader& json) {
  return static_cast<std::uint8_t>(json.as_int(low, 255));
}

template <class Table, class T>
void read_choice(const JsonReader& json, const char* key, const Table& words, T& value) {
  if (const auto field = json.optional(key)) value = named_value(*field, words);
}

/// An object with no fields but these, each with a value: null does not stand for a default.
void check_fields(const JsonReader& json, std::initializer_list<std::string_view> names) {
  json.allow_only(names);
  for (const auto& [name, value] : json.members(names.size())) {
    if (value.value().is_null()) value.fail("have a value or be left out");
  }
}

Guide read_guide(const JsonReader& json) {
  check_fields(json, {"exit", "before", "weight", "fallback"});
  Guide guide;
  const auto exit = json.optional("exit"), before = json.optional("before");
  if (exit && before) json.fail("have either \"exit\" or \"before\"", "has both");
  if (!exit && !before) json.fail("have \"exit\" or \"before\"", "has neither");
  if (exit) guide.exit = static_cast<int>(exit->as_int(0, detail::kMostBlocks - 1));
  if (before) guide.before = static_cast<int>(before->as_int(1, detail::kMostBlocks - 1));
  guide.weight = json.field("weight").as_double(0, detail::kLargestGuideWeight);
  read_choice(json, "fallback", detail::kFallbacks, guide.fallback);
  return guide;
}

/// The fields of a rule but `until`, from a rule or from the top of a plan with one rule.
void read_rule_fields(const JsonReader& json, Rule& rule) {
  if (const auto below = json.optional("below"))
    rule.below = list_or_one<float>(*below, detail::kMostBlocks, read_threshold);
  if (const auto hits = json.optional("hits"))
    rule.hits = list_or_one<std::uint8_t>(*hits, detail::kMostBlocks, read_byte<1>);
  if (const auto network = json.optional("network"))
    rule.network = network->as_string(detail::kLongestName);
  read_choice(json, "precision", detail::kPrecisions, rule.precision);
  if (const auto skip = json.optional("skip"))
    rule.skip = list_or_one<std::uint8_t>(*skip, detail::kMostBlocks, read_byte<0>);
  if (const auto guide = json.optional("guide")) rule.guide = read_guide(*guide);
}

Rule read_rule(const JsonReader& json) {
  check_fields(json, {"until", "below", "hits", "network", "precision", "skip", "guide"});
  Rule rule;
  if (const auto until = json.optional("until")) rule.until = until->as_double(0, 1);
  read_rule_fields(json, rule);
  return rule;
}

void read_rules(const JsonReader& json, Plan& plan) {
  const auto rules = json.optional("rules");
  if (!rules) {
    read_rule_fields(json, plan.rules[0]);
    return;
  }
  for (const char* field : kRuleFields) {
    if (!json.optional(field)) continue;
    rules->fail(std::string("be absent where \"") + field + "\" stands beside it",
                "is there; write that into the rules");
  }
  plan.rules.clear();
  for (const JsonReader& rule : rules->elements(detail::kMostRules))
    plan.rules.push_back(read_rule(rule));
}

/// Columns of evaluations that are there to be named, and do not run yet.
void require_this_build_runs(const JsonReader& json, std::string_view key,
                             const std::string& only) {
  const auto value = json.optional(key);
  if (value && value->as_string(detail::kLongestName) != only)
    value->fail("be \"" + only + "\" in this build");
}

SolverSettings read_solver(const JsonReader& json) {
  check_fields(json, {"name", "grid", "steps", "times", "last", "eta", "clamp", "keep_noise",
                      "variance", "blend"});
  require_this_build_runs(json, "blend", "nothing");
  SolverSettings settings;
  if (const auto name = json.optional("name"))
    settings.solver = name->as_string(detail::kLongestName);
  if (const auto grid = json.optional("grid"))
    settings.grid = grid->as_string(detail::kLongestName);
  if (const auto steps = json.optional("steps"))
    settings.steps = static_cast<int>(steps->as_int(1, detail::kMostSteps));
  if (const auto times = json.optional("times")) {
    for (const JsonReader& time : times->elements(detail::kMostSteps + 1))
      settings.times.push_back(time.as_double(0, 1));
    if (settings.times.empty())
      times->fail("have 2 to " + detail::show(detail::kMostSteps + 1) + " entries", "has none");
  }
  if (const auto eta = json.optional("eta")) settings.eta = eta->as_double(0, 1);
  read_choice(json, "last", detail::kLastSteps, settings.last);
  read_choice(json, "variance", detail::kVariances, settings.variance);
  if (const auto clamp = json.optional("clamp")) settings.clamp = clamp->as_bool();
  if (const auto keep = json.optional("keep_noise")) settings.keep_noise = keep->as_bool();
  return settings;
}

void check_format(const JsonReader& json, std::string_view source) {
  const auto field = json.optional("format");
  if (!field) return;
  const std::int64_t format = field->as_int(1, INT32_MAX);
  if (format <= detail::kPlanFormat) return;
  throw InvalidArgument(std::string(source) + ": format " + detail::show(format) +
                        " is newer than " + detail::show(detail::kPlanFormat) +
                        ", the newest this build reads");
}

}  // namespace

Plan parse_plan(std::string_view json, std::string_view source) {
  const JsonReader root(json, std::string(source));
  check_format(root, source);
  check_fields(root, {"format", "rules", "key", "scope", "branches", "pair", "counting", "solver",
                      "model", "certificate",  //
                      "below", "hits", "network", "precision", "skip", "guide"});
  Plan plan;
  read_rules(root, plan);
  read_choice(root, "key", detail::kKeys, plan.key);
  read_choice(root, "scope", detail::kScopes, plan.scope);
  read_choice(root, "branches", detail::kBranches, plan.branches);
  read_choice(root, "pair", detail::kPairs, plan.pair);
  read_choice(root, "counting", detail::kCountings, plan.counting);
  if (const auto solver = root.optional("solver")) plan.solver = read_solver(*solver);
  if (const auto model = root.optional("model"))
    plan.model = model->as_string(detail::kLongestName);
  if (const auto certificate = root.optional("certificate"))
    plan.certificate = certificate->value().dump();
  detail::check_plan(plan, std::string(source) + ": ");
  return plan;
}

Plan read_plan(const std::string& path) { return parse_plan(detail::read_text(path), path); }

}  // namespace adadiff
