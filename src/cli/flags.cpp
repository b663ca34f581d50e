// Number flags that are parsed strictly, are checked against their range and show it in --help.
#include "cli/flags.h"

#include <charconv>

#include "cli/terminal/output.h"
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

std::string spell_out(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_last = i + 1 == names.size();
    text += (i == 0 ? "" : is_last ? " or " : ", ") + names[i];
  }
  return text;
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

namespace {

constexpr const char *kReads = "reads", *kWrites = "writes";

/// A validator that lets everything pass, and whose name is the mark.
CLI::Option* mark(CLI::Option* flag, const char* name) {
  return flag->check(CLI::Validator([](std::string&) { return std::string(); }, "", name));
}

bool has_mark(const CLI::Option& flag, const std::string& name) {
  try {
    return const_cast<CLI::Option&>(flag).get_validator(name) != nullptr;  // NOLINT: reads only
  } catch (const CLI::OptionNotFound&) {
    return false;
  }
}

}  // namespace

CLI::Option* reads(CLI::Option* flag) { return mark(flag, kReads); }
CLI::Option* writes(CLI::Option* flag) { return mark(flag, kWrites); }
bool is_read(const CLI::Option& flag) { return has_mark(flag, kReads); }
bool is_written(const CLI::Option& flag) { return has_mark(flag, kWrites); }

std::vector<const CLI::Option*> all_flags(const CLI::App& verb) {
  std::vector<const CLI::Option*> flags = verb.get_options();
  for (const CLI::App* group : verb.get_subcommands({})) {
    const std::vector<const CLI::Option*> inner = all_flags(*group);
    flags.insert(flags.end(), inner.begin(), inner.end());
  }
  return flags;
}

void check_files(const CLI::App& verb) {
  FlagPaths outputs, inputs;
  for (const CLI::Option* flag : all_flags(verb)) {
    const std::string name = flag->get_positional()
                                 ? "the " + CLI::detail::to_lower(flag->get_name(true))
                                 : flag->get_name();
    for (const std::string& path : flag->results()) {
      if (is_written(*flag)) outputs.emplace_back(name, path);
      if (is_read(*flag)) inputs.emplace_back(name, path);
    }
  }
  require_outputs(outputs, inputs);
}

std::int64_t parse_whole(const std::string& flag, const std::string& text, WholeRange range) {
  return parse_in<std::int64_t>(flag, text, range);
}
double parse_number(const std::string& flag, const std::string& text, NumberRange range) {
  return parse_in<double>(flag, text, range);
}

}  // namespace adadiff::cli
