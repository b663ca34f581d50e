// Number flags that are parsed strictly, are checked against their range and show it in --help.
#include "cli/flags.h"

#include <charconv>

#include "core/check.h"

namespace adadiff::cli {
namespace {

using detail::show;

template <class T>
std::optional<T> parse_all(const std::string& text) {
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T, class Range>
T parse_in(const std::string& flag, const std::string& text, Range range) {
  const std::optional<T> value = parse_all<T>(text);
  if (!value || !(*value >= range.low && *value <= range.high)) {
    const std::string kind = std::is_integral_v<T> ? "a whole number " : "a number ";
    throw CLI::ValidationError(flag, "must be " + kind + span(range) + ", but is " + show(text));
  }
  return *value;
}

template <class T, class Range, class Target>
CLI::Option* add(CLI::App& verb, const FlagText& text, Target& value, Range range) {
  const auto take = [&value, range, name = text.name](const std::string& given) {
    value = parse_in<T>(name, given, range);
  };
  const std::string kind = std::is_integral_v<T> ? "N " : "X ";
  return verb.add_option_function<std::string>(text.name, take, text.help)
      ->type_name(kind + span(range));
}

}  // namespace

std::string span(WholeRange range) {
  if (range.high == std::numeric_limits<std::int64_t>::max()) return "at least " + show(range.low);
  return "in [" + show(range.low) + ", " + show(range.high) + "]";
}

std::string span(NumberRange range) {
  if (range.high == std::numeric_limits<double>::max()) return "at least " + show(range.low);
  return "in [" + show(range.low) + ", " + show(range.high) + "]";
}

CLI::Option* add_whole(CLI::App& verb, const FlagText& text, std::int64_t& value,
                       WholeRange range) {
  return add<std::int64_t>(verb, text, value, range)->default_str(show(value));
}
CLI::Option* add_whole(CLI::App& verb, const FlagText& text, std::optional<std::int64_t>& value,
                       WholeRange range) {
  return add<std::int64_t>(verb, text, value, range);
}
CLI::Option* add_number(CLI::App& verb, const FlagText& text, double& value, NumberRange range) {
  return add<double>(verb, text, value, range)->default_str(show(value));
}
CLI::Option* add_number(CLI::App& verb, const FlagText& text, std::optional<double>& value,
                        NumberRange range) {
  return add<double>(verb, text, value, range);
}

CLI::Option* add_seed(CLI::App& verb, std::uint64_t& value) {
  const auto take = [&value](const std::string& given) {
    const std::optional<std::uint64_t> seed = parse_all<std::uint64_t>(given);
    if (!seed)
      throw CLI::ValidationError("--seed",
                                 "must be a whole number in [0, 2^64), but is " + show(given));
    value = *seed;
  };
  return verb.add_option_function<std::string>("--seed", take, "all noise is a function of it")
      ->type_name("N")
      ->default_str(std::to_string(value));
}

std::int64_t parse_whole(const std::string& flag, const std::string& text, WholeRange range) {
  return parse_in<std::int64_t>(flag, text, range);
}
double parse_number(const std::string& flag, const std::string& text, NumberRange range) {
  return parse_in<double>(flag, text, range);
}

}  // namespace adadiff::cli
