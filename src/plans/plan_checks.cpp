// Refuses plans that no model and no solver could run, naming field, rule and value.
#include "plans/plan_checks.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include <adadiff/noise_schedule.h>
#include <adadiff/solver.h>

#include "core/check.h"
#include "core/names.h"
#include "diffusion/solvers.h"
#include "io/json_reader.h"

namespace adadiff::detail {
namespace {

void check_name(const std::string& where, const std::string& name,
                const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), name) == known.end()) raise_unknown(where, known, name);
}

void check_length(const std::string& where, std::size_t size, int low, int high) {
  if (size < static_cast<std::size_t>(low) || size > static_cast<std::size_t>(high)) {
    raise({where, "have " + show(low) + " to " + show(high) + " entries",
           "has " + show(static_cast<std::int64_t>(size))});
  }
}

void check_until_by_time(const Plan& plan, std::size_t i, const std::string& prefix) {
  const double until = plan.rules[i].until;
  const std::string where = prefix + rule_field(i, "until");
  if (!(until >= 0 && until < 1)) raise({where, "be in [0, 1)", "is " + show(until)});
  if (i > 0 && !(until < plan.rules[i - 1].until)) {
    raise({where, "be smaller than the " + show(plan.rules[i - 1].until) + " of the rule before it",
           "is " + show(until)});
  }
  if (i + 1 == plan.rules.size() && until != 0)
    raise({where, "be 0 in the last rule", "is " + show(until)});
}

void check_until(const Plan& plan, std::size_t i, const std::string& prefix) {
  if (plan.key == RuleKey::Time) {
    check_until_by_time(plan, i, prefix);
  } else if (!(plan.rules[i].until == 0)) {
    raise({prefix + rule_field(i, "until"), "be 0 or absent where rules go by evaluation",
           "is " + show(plan.rules[i].until)});
  }
}

void check_below(const std::vector<float>& below, std::size_t rule, const std::string& prefix) {
  check_length(prefix + rule_field(rule, "below"), below.size(), 1, kMostBlocks);
  for (std::size_t k = 0; k < below.size(); ++k) {
    const std::string where = prefix + rule_entry(rule, "below", k, below.size());
    if (below[k] == kAlways) continue;
    if (!(below[k] >= 0 && below[k] <= 1)) {
      raise({where, "be in [0, 1], \"never\" or \"always\"", "is " + show_threshold(below[k])});
    }
    if (k == 0 && below.size() > 1 && below[k] != kNever) {
      raise({where, "be \"never\" or \"always\"", "is " + show_threshold(below[k]),
             "exit 0 has no uncertainty"});
    }
  }
}

void check_hits(const std::vector<std::uint8_t>& hits, std::size_t rule,
                const std::string& prefix) {
  check_length(prefix + rule_field(rule, "hits"), hits.size(), 0, kMostBlocks);
  for (std::size_t k = 0; k < hits.size(); ++k) {
    require_range(prefix + rule_entry(rule, "hits", k, hits.size()), static_cast<int>(hits[k]), 1,
                  255);
  }
}

void check_skip(const std::vector<std::uint8_t>& skip, std::size_t rule,
                const std::string& prefix) {
  check_length(prefix + rule_field(rule, "skip"), skip.size(), 0, kMostBlocks);
  for (std::size_t k = 0; k < skip.size(); ++k) {
    if (skip[k] <= 3) continue;
    raise({prefix + rule_entry(rule, "skip", k, skip.size()),
           "be made of the bits 1 (attention) and 2 (MLP)",
           "is " + show(static_cast<int>(skip[k]))});
  }
}

void check_text(const std::string& where, const std::string& text) {
  if (text.size() > kLongestName) {
    raise({where, "have at most " + show(static_cast<std::int64_t>(kLongestName)) + " bytes",
           "has " + show(static_cast<std::int64_t>(text.size()))});
  }
  const auto is_printable = [](char character) { return character >= ' ' && character <= '~'; };
  if (!std::all_of(text.begin(), text.end(), is_printable))
    raise({where, "be printable ASCII", "is " + show(text)});
}

void check_rule(const Plan& plan, std::size_t i, const std::string& prefix) {
  const Rule& rule = plan.rules[i];
  check_until(plan, i, prefix);
  check_below(rule.below, i, prefix);
  check_hits(rule.hits, i, prefix);
  check_text(prefix + rule_field(i, "network"), rule.network);
  if (rule.network.empty())
    raise({prefix + rule_field(i, "network"), "name a weight set", "is empty"});
  check_skip(rule.skip, i, prefix);
  check_guide(rule.guide, prefix + rule_field(i, "guide"));
}

void check_times(const SolverSettings& settings, const std::string& prefix) {
  const std::vector<double>& times = settings.times;
  check_length(prefix + "times", times.size(), 2, kMostSteps + 1);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const std::string where = prefix + "times[" + std::to_string(i) + "]";
    require_range(where, times[i], 0.0, 1.0);
    if (i > 0 && !(times[i] < times[i - 1])) {
      raise({where, "be smaller than the " + show(times[i - 1]) + " before it",
             "is " + show(times[i])});
    }
  }
}

}  // namespace

std::string rule_field(std::size_t rule, const char* field) {
  return "rules[" + std::to_string(rule) + "]." + field;
}

std::string rule_entry(std::size_t rule, const char* field, std::size_t index, std::size_t size) {
  return rule_field(rule, field) + (size > 1 ? "[" + std::to_string(index) + "]" : "");
}

std::string show_threshold(float below) {
  if (below == kNever) return "\"never\"";
  if (below == kAlways) return "\"always\"";
  if (!(below > -3e38F && below < 3e38F)) return show(static_cast<double>(below));
  char digits[32];
  const std::to_chars_result shortest = std::to_chars(digits, digits + sizeof(digits), below);
  double read = 0;
  std::from_chars(digits, shortest.ptr, read);
  // A reader that goes through double must come back to the same float.
  return static_cast<float>(read) == below ? std::string(digits, shortest.ptr)
                                           : show(static_cast<double>(below));
}

void check_guide(const Guide& guide, const std::string& where) {
  if (guide.exit) require_range(where + ".exit", *guide.exit, 0, kMostBlocks - 1);
  require_range(where + ".before", guide.before, 0, kMostBlocks - 1);
  require_range(where + ".weight", guide.weight, 0.0, kLargestGuideWeight);
  if (guide.exit && guide.before != 0) {
    raise({where, "have either exit or before",
           "has exit " + show(*guide.exit) + " and before " + show(guide.before)});
  }
  if (!guide.exit && guide.before == 0 && guide != Guide{}) {
    raise({where, "say which exit guides", "has neither exit nor before",
           "name one, or leave the guide out"});
  }
}

std::string canonical_json(const std::string& text, const std::string& where) {
  // Inside a list it may be nested exactly as deep as inside a plan.
  const nlohmann::json values = parse_json("[" + text + "]", where);
  if (values.size() != 1 || values[0].is_null())
    raise({where, "be one JSON value other than null", "is " + show(text)});
  return values[0].dump();
}

void check_solver_settings(const SolverSettings& settings, const std::string& prefix) {
  check_name(prefix + "name", settings.solver, solver_names());
  check_name(prefix + "grid", settings.grid, time_grid_names());
  require_range(prefix + "steps", settings.steps, 1, kMostSteps);
  require_range(prefix + "eta", settings.eta, 0.0, 1.0);
  if (settings.eta != 0 && settings.solver != "ddim") {
    raise({prefix + "eta", "be 0 with solver " + settings.solver, "is " + show(settings.eta),
           "only ddim takes eta"});
  }
  if (settings.keep_noise && settings.solver != "ddim") {
    raise({prefix + "keep_noise", "be false with solver " + settings.solver, "is true",
           "only ddim takes keep_noise"});
  }
  if (settings.keep_noise && !settings.clamp) {
    raise({prefix + "keep_noise", "go with clamp", "clamp is false",
           "without a clamp there is one noise only"});
  }
  if (!settings.times.empty()) check_times(settings, prefix);
}

bool agree(const SolverSettings& left, const SolverSettings& right) {
  const bool have_times = !left.times.empty() && !right.times.empty();
  SolverSettings same_grid = left;
  if (have_times) {
    same_grid.grid = right.grid;
    same_grid.steps = right.steps;
    same_grid.last = right.last;
  }
  return same_grid == right;
}

void check_plan(const Plan& plan, const std::string& prefix) {
  check_length(prefix + "rules", plan.rules.size(), 1, kMostRules);
  for (std::size_t i = 0; i < plan.rules.size(); ++i) check_rule(plan, i, prefix);
  if (plan.solver) check_solver_settings(*plan.solver, prefix + "solver.");
  check_text(prefix + "model", plan.model);
  if (!plan.certificate.empty()) canonical_json(plan.certificate, prefix + "certificate");
}

}  // namespace adadiff::detail
