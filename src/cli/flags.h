// Number flags that are parsed strictly, are checked against their range and show it in --help.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace adadiff::cli {

struct WholeRange {
  std::int64_t low = 0;
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
};
struct NumberRange {
  double low = 0;
  double high = std::numeric_limits<double>::max();
};

/// The name of a flag as it is typed, and what --help says about it.
struct FlagText {
  std::string name;
  std::string help;
};

CLI::Option* add_whole(CLI::App& verb, const FlagText& text, std::int64_t& value, WholeRange range);
CLI::Option* add_whole(CLI::App& verb, const FlagText& text, std::optional<std::int64_t>& value,
                       WholeRange range);
CLI::Option* add_number(CLI::App& verb, const FlagText& text, double& value, NumberRange range);
CLI::Option* add_number(CLI::App& verb, const FlagText& text, std::optional<double>& value,
                        NumberRange range);
/// Any number in [0, 2^64).
CLI::Option* add_seed(CLI::App& verb, std::uint64_t& value);

/// Marks a flag whose value is a file that the verb reads, or one that it writes. run_command
/// checks them before the verb works; tests/cli/flags_test.cpp finds flags that nobody marked.
CLI::Option* reads(CLI::Option* flag);
CLI::Option* writes(CLI::Option* flag);
bool is_read(const CLI::Option& flag);
bool is_written(const CLI::Option& flag);
/// All flags of a verb, those of its groups included.
std::vector<const CLI::Option*> all_flags(const CLI::App& verb);
/// Raises unless every file to be written can be, no two are the same, and none is read.
void check_files(const CLI::App& verb);

/// Parse all of `text`; throw CLI::ValidationError naming `flag`.
std::int64_t parse_whole(const std::string& flag, const std::string& text, WholeRange range);
double parse_number(const std::string& flag, const std::string& text, NumberRange range);
/// "in [1, 10]" or "at least 1".
std::string span(WholeRange range);
std::string span(NumberRange range);
/// "a, b or c".
std::string spell_out(const std::vector<std::string>& names);

}  // namespace adadiff::cli
