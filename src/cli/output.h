// What the command writes: results on standard output, notes on standard error, and the check of output paths before long work.
#pragma once

#include <initializer_list>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace adadiff::cli {

/// Writes to standard output and flushes. Throws FileError where that fails (a full disk, a closed pipe).
void print_result(const std::string& text);
/// The same, indented; NaN becomes null.
void print_json(const nlohmann::ordered_json& json);
/// One line on standard error.
void print_note(const std::string& verb, const std::string& line);

/// Raises unless every path that is not empty can be written to, and no two are the same file.
void require_outputs(std::initializer_list<std::pair<std::string, std::string>> flags_and_paths);

/// A number with so many digits behind the point; "-" for NaN.
std::string fixed(double value, int digits);
/// A duration as people read it: "850 ms", "12.3 s", "4 min 5 s", "2 h 3 min".
std::string duration(double milliseconds);

}  // namespace adadiff::cli
