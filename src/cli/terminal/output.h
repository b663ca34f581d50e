// What the command writes: results on standard output, notes on standard error, and the check of
// output paths before long work.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace adadiff::cli {

/// Writes to standard output and flushes. Throws FileError where that fails (a full disk, a closed
/// pipe).
void print_result(const std::string& text);
/// The same, indented; NaN becomes null.
void print_json(const nlohmann::ordered_json& json);
/// One line on standard error.
void print_note(const std::string& verb, const std::string& line);

using FlagPaths = std::vector<std::pair<std::string, std::string>>;  ///< flag and its path; an
                                                                     ///< empty path: not given

/// Raises unless every output can be written to, no two are the same file, and none is an input.
void require_outputs(const FlagPaths& outputs, const FlagPaths& inputs = {});

/// A number with so many digits behind the point; "-" for NaN.
std::string fixed(double value, int digits);
/// A duration as people read it: "850 ms", "12.3 s", "4 min 5 s", "2 h 3 min".
std::string duration(double milliseconds);

}  // namespace adadiff::cli
