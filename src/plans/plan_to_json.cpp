// Writes a plan as JSON in its short form: defaults left out, one entry instead of a list, the only
// rule's fields at the top.
#include <adadiff/plan.h>

#include "core/check.h"
#include "plans/plan_checks.h"
#include "plans/plan_format.h"

namespace adadiff {
namespace {

using detail::show;

/// Collects "key":value pairs of one object.
class Object {
 public:
  void add(const char* key, const std::string& value) {
    body_ += (body_.empty() ? "\"" : ",\"") + std::string(key) + "\":" + value;
  }
  std::string text() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

/// Names and ids are printable ASCII (check_plan), so only two characters need a backslash.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') out += '\\';
    out += character;
  }
  return out + "\"";
}

template <class T, class Show>
std::string list_or_one(const std::vector<T>& values, Show show_one) {
  if (values.size() == 1) return show_one(values[0]);
  std::string out;
  for (const T& value : values) out += (out.empty() ? "" : ",") + show_one(value);
  return "[" + out + "]";
}

std::string show_byte(std::uint8_t value) { return show(static_cast<int>(value)); }

template <class Table, class T>
void add_choice(Object& object, const char* key, const Table& words, T value) {
  if (value != T{}) object.add(key, quoted(detail::name_of(words, value)));
}

std::string guide_json(const Guide& guide) {
  Object object;
  if (guide.exit) object.add("exit", show(*guide.exit));
  if (guide.before != 0) object.add("before", show(guide.before));
  object.add("weight", show(guide.weight));
  add_choice(object, "fallback", detail::kFallbacks, guide.fallback);
  return object.text();
}

void add_rule(Object& object, const Rule& rule) {
  const Rule defaults;
  if (rule.until != defaults.until) object.add("until", show(rule.until));
  if (rule.below != defaults.below)
    object.add("below", list_or_one(rule.below, detail::show_threshold));
  if (!rule.hits.empty()) object.add("hits", list_or_one(rule.hits, show_byte));
  if (rule.network != defaults.network) object.add("network", quoted(rule.network));
  add_choice(object, "precision", detail::kPrecisions, rule.precision);
  if (!rule.skip.empty()) object.add("skip", list_or_one(rule.skip, show_byte));
  if (rule.guide != defaults.guide) object.add("guide", guide_json(rule.guide));
}

std::string solver_json(const SolverSettings& settings) {
  const SolverSettings defaults;
  Object object;
  if (settings.solver != defaults.solver) object.add("name", quoted(settings.solver));
  if (settings.grid != defaults.grid) object.add("grid", quoted(settings.grid));
  if (settings.steps != defaults.steps) object.add("steps", show(settings.steps));
  if (!settings.times.empty())
    object.add("times", list_or_one(settings.times, [](double time) { return show(time); }));
  add_choice(object, "last", detail::kLastSteps, settings.last);
  if (settings.eta != defaults.eta) object.add("eta", show(settings.eta));
  if (settings.clamp != defaults.clamp) object.add("clamp", settings.clamp ? "true" : "false");
  if (settings.keep_noise) object.add("keep_noise", "true");
  add_choice(object, "variance", detail::kVariances, settings.variance);
  return object.text();
}

/// One rule per line, so that a plan with hundreds of them can be read and compared.
std::string rules_json(const std::vector<Rule>& rules) {
  std::string out;
  for (const Rule& rule : rules) {
    Object object;
    add_rule(object, rule);
    out += (out.empty() ? "\n  " : ",\n  ") + object.text();
  }
  return "[" + out + "\n]";
}

}  // namespace

std::string to_json(const Plan& plan) {
  detail::check_plan(plan);
  Object object;
  object.add("format", show(detail::kPlanFormat));
  add_choice(object, "key", detail::kKeys, plan.key);
  if (plan.rules.size() == 1) {
    add_rule(object, plan.rules[0]);
  } else {
    object.add("rules", rules_json(plan.rules));
  }
  add_choice(object, "scope", detail::kScopes, plan.scope);
  add_choice(object, "branches", detail::kBranches, plan.branches);
  add_choice(object, "pair", detail::kPairs, plan.pair);
  add_choice(object, "counting", detail::kCountings, plan.counting);
  if (plan.solver) object.add("solver", solver_json(*plan.solver));
  if (!plan.model.empty()) object.add("model", quoted(plan.model));
  if (!plan.certificate.empty())
    object.add("certificate", detail::canonical_json(plan.certificate, "certificate"));
  return object.text();
}

}  // namespace adadiff
