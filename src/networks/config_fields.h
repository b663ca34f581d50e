// Reads the optional fields of a "network" object.
#pragma once

#include <cstdint>
#include <string>

#include "io/json_reader.h"
#include "nn/uncertainty.h"

namespace adadiff::detail {

inline constexpr std::int64_t kLargestSide = 4096, kLargestWidth = 16384, kMostTokens = 65536;

inline void read_field(const JsonReader& json, const char* key, std::int64_t low, std::int64_t high,
                       std::int64_t& value) {
  if (const auto field = json.optional(key)) value = field->as_int(low, high);
}

inline void read_field(const JsonReader& json, const char* key, bool& value) {
  if (const auto field = json.optional(key)) value = field->as_bool();
}

inline void read_field(const JsonReader& json, const char* key, UncertaintyForm& value) {
  if (const auto field = json.optional(key))
    value = parse_uncertainty_form(field->as_string(64), field->path());
}

/// Raises an error about the field unless the condition holds.
inline void require_field(bool holds, const JsonReader& json, const char* field,
                          const std::string& must) {
  if (!holds) json.field(field).fail(must);
}

}  // namespace adadiff::detail
