// Reads JSON strictly: every value has a type and a range, every key is known, and every complaint
// names the file and the place in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/names.h"

namespace adadiff::detail {

/// Which exception a damaged document raises.
enum class JsonError { InvalidArgument, ModelError };

struct JsonLimits {
  std::size_t bytes = std::size_t{1} << 24;
  std::size_t values = 1'000'000;  ///< objects, arrays, keys and plain values together
  int depth = 64;
  JsonError error = JsonError::InvalidArgument;
};

/// Parses one JSON document. Refuses repeated keys, text after the end, and documents that exceed
/// the limits. `source` is the name of the file.
nlohmann::json parse_json(std::string_view text, const std::string& source,
                          const JsonLimits& limits = {});

/// Whether JSON can hold the text.
bool is_utf8(const std::string& text);

/// Throws the chosen exception.
[[noreturn]] void raise_json(JsonError error, const std::string& message);

/// A place in a document. A reader is cheap to copy and keeps the document alive. Its messages read
/// `plan.json: rules[1].below must be ..., but is "abc"`.
class JsonReader {
 public:
  JsonReader(std::string_view text, const std::string& source, const JsonLimits& limits = {});

  JsonReader field(std::string_view name) const;  ///< raises where the field is missing
  /// Empty where the field is missing or null.
  std::optional<JsonReader> optional(std::string_view name) const;
  std::vector<std::pair<std::string, JsonReader>> members(std::size_t most) const;
  std::vector<JsonReader> elements(std::size_t most) const;
  /// Raises for the first key of this object that is not among `names`, and lists the names.
  void allow_only(std::initializer_list<std::string_view> names) const;

  std::int64_t as_int(std::int64_t low, std::int64_t high) const;  ///< 3.0 is not an integer
  double as_double(double low, double high) const;
  bool as_bool() const;
  std::string as_string(std::size_t most_bytes = 256) const;

  bool is_string() const;
  bool is_number() const;
  bool is_bool() const;
  bool is_array() const;
  bool is_object() const;
  const nlohmann::json& value() const { return *value_; }

  const std::string& path() const { return path_; }  ///< such as rules[1].below; empty at the root
  const std::string& source() const;
  /// "<source>: <path> must <must>, but is <this value>".
  [[noreturn]] void fail(const std::string& must) const;
  /// The same with the caller's own words after "but".
  [[noreturn]] void fail(const std::string& must, const std::string& found) const;

 private:
  struct Document;
  JsonReader(std::shared_ptr<const Document> document, const nlohmann::json& value,
             std::string path);
  JsonReader member(std::string_view name, const nlohmann::json& value) const;

  std::shared_ptr<const Document> document_;
  const nlohmann::json* value_ = nullptr;
  std::string path_;
};

/// The value that a string names in a table (core/names.h). Raises for a name that the table does
/// not have, and lists the names that it has.
template <class Table>
auto named_value(const JsonReader& json, const Table& table) {
  const auto* entry = find_named(table, json.as_string());
  if (entry == nullptr) json.fail(one_of(names_in(table)));
  return entry->value;
}

}  // namespace adadiff::detail
