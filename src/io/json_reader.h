// Strict reading of small JSON documents: every error names the file and the field. Duplicate keys, unknown keys and wrong types are refused.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace adadiff::detail {

/// A value inside a document, with the path that leads to it. Copies share the document.
class JsonReader {
 public:
  enum class Throws { InvalidArgument, ModelError };

  /// Parses a whole document of at most `max_bytes`, nested at most 64 deep. `source` starts every path: "plan.json: rules[1].below".
  JsonReader(std::string_view text, std::string_view source, Throws throws = Throws::InvalidArgument, std::size_t max_bytes = 16u << 20);

  JsonReader field(const std::string& key) const;                    ///< refuses a missing one
  std::optional<JsonReader> optional(const std::string& key) const;  ///< also refuses a value that is no object
  std::vector<std::string> keys() const;
  std::vector<JsonReader> as_array(std::size_t max_size) const;
  void allow_only(std::initializer_list<const char*> keys) const;    ///< refuses other keys, and a value that is no object

  std::int64_t as_int(std::int64_t low, std::int64_t high) const;
  double as_double(double low, double high) const;
  bool as_bool() const;
  std::string as_string(std::size_t max_length) const;

  bool is_string() const;
  bool is_number() const;
  bool is_array() const;
  bool is_object() const;

  std::string text() const;  ///< the value as JSON
  std::string path() const;  ///< "plan.json: rules[1].below"
  /// Raises "PATH: must MUST, but is VALUE".
  [[noreturn]] void refuse(const std::string& must) const;
  /// Raises "PATH: must MUST, but FOUND; ADVICE".
  [[noreturn]] void refuse(const std::string& must, const std::string& found, const std::string& advice = {}) const;

 private:
  JsonReader(const JsonReader& parent, const nlohmann::json& value, std::string path);

  std::shared_ptr<const nlohmann::json> document_;
  const nlohmann::json* value_ = nullptr;
  std::string source_, path_;
  Throws throws_ = Throws::InvalidArgument;
};

}  // namespace adadiff::detail
