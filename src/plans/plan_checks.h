// What every plan has to satisfy, whatever model and solver it meets later.
#pragma once

#include <string>

#include <adadiff/plan.h>

namespace adadiff::detail {

inline constexpr int kMostBlocks = 255;
inline constexpr int
    kMostRules = 20000;  ///< evaluations of the longest table: Heun with 10000 steps
inline constexpr std::size_t kLongestName = 200;
inline constexpr double kLargestGuideWeight = 100;

/// Raises InvalidArgument naming field, rule and value; `prefix` stands before the field, e.g.
/// "plan.json: ".
void check_plan(const Plan& plan, const std::string& prefix = {});
/// The same for solver settings; fields are named PREFIXname, PREFIXsteps and so on.
void check_solver_settings(const SolverSettings& settings, const std::string& prefix);

/// The same for a guide; fields are named WHERE.exit, WHERE.before and so on.
void check_guide(const Guide& guide, const std::string& where);

/// Whether both walk the same way: fields that one of them leaves unused do not count.
bool agree(const SolverSettings& left, const SolverSettings& right);

/// One JSON value without spaces, keys in order: the form in which a plan read from JSON keeps its
/// certificate. Raises for other text.
std::string canonical_json(const std::string& text, const std::string& where);

/// "rules[3].below", or "rules[3].below[2]" for one entry of a list with several.
std::string rule_field(std::size_t rule, const char* field);
std::string rule_entry(std::size_t rule, const char* field, std::size_t index, std::size_t size);
/// A threshold as messages and JSON show it: "never", "always" or the shortest number that reads
/// back the same.
std::string show_threshold(float below);

}  // namespace adadiff::detail
