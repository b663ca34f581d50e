// What every plan has to satisfy, whatever model and solver it meets later.
#pragma once

#include <string>

#include <adadiff/plan.h>

namespace adadiff::detail {

inline constexpr int kMostBlocks = 255;
/// Evaluations of the longest table: Heun with 10000 steps.
inline constexpr int kMostRules = 20000;
inline constexpr std::size_t kLongestName = 200;
inline constexpr double kLargestGuideWeight = 100;

/// Raises InvalidArgument naming field, rule and value; `prefix` stands before the field, e.g.
/// "plan.json: ".
void check_plan(const Plan& plan, const std::string& prefix = {});
/// The same for solver settings; fields are named PREFIXname, PREFIXsteps and so on.
void check_solver_settings(const SolverSettings& settings, const std::string& prefix);

/// The same for a guide; fields are named WHERE.exit, WHERE.before and so on.
void check_guide(const Guide& guide, const std::string& where);

/// Whether both settings walk the same way; fields that one of them does not use are not compared.
bool agree(const SolverSettings& left, const SolverSettings& right);

/// Rewrites a JSON value without spaces and with its keys in order. A plan that was read from JSON
/// keeps its certificate in this form. Raises for text that is not one JSON value.
std::string canonical_json(const std::string& text, const std::string& where);

/// "rules[3].below", or "rules[3].below[2]" for one entry of a list with several.
std::string rule_field(std::size_t rule, const char* field);
std::string rule_entry(std::size_t rule, const char* field, std::size_t index, std::size_t size);
/// A threshold as messages and JSON show it: "never", "always" or the shortest number that reads
/// back the same.
std::string show_threshold(float below);

}  // namespace adadiff::detail
