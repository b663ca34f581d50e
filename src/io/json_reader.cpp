// Typed access to one parsed document.
#include "io/json_reader.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/check.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::json;

std::string show_value(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array of " + std::to_string(value.size());
  if (value.is_string()) return show(value.get_ref<const std::string&>());
  if (value.is_number_float()) return show(value.get<double>());
  return value.dump();
}

bool is_identifier(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

struct JsonReader::Document {
  std::string source;
  JsonError error = JsonError::InvalidArgument;
  Json root;
};

JsonReader::JsonReader(std::string_view text, const std::string& source, const JsonLimits& limits)
    : document_(std::make_shared<const Document>(
          Document{source, limits.error, parse_json(text, source, limits)})),
      value_(&document_->root) {}

JsonReader::JsonReader(std::shared_ptr<const Document> document, const Json& value,
                       std::string path)
    : document_(std::move(document)), value_(&value), path_(std::move(path)) {}

JsonReader JsonReader::member(std::string_view name, const Json& value) const {
  const std::string step = is_identifier(name) ? std::string(name) : show(std::string(name));
  return {document_, value, path_.empty() ? step : path_ + "." + step};
}

JsonReader JsonReader::field(std::string_view name) const {
  if (!value_->is_object()) fail("be an object");
  const auto found = value_->find(name);
  if (found == value_->end()) fail("have the field " + show(std::string(name)), "lacks it");
  return member(name, *found);
}

std::optional<JsonReader> JsonReader::optional(std::string_view name) const {
  if (!value_->is_object()) fail("be an object");
  const auto found = value_->find(name);
  if (found == value_->end() || found->is_null()) return std::nullopt;
  return member(name, *found);
}

std::vector<std::pair<std::string, JsonReader>> JsonReader::members(std::size_t most) const {
  if (!value_->is_object()) fail("be an object");
  if (value_->size() > most)
    fail("have at most " + std::to_string(most) + " fields",
         "has " + std::to_string(value_->size()));
  std::vector<std::pair<std::string, JsonReader>> found;
  for (const auto& [name, value] : value_->items()) found.emplace_back(name, member(name, value));
  return found;
}

std::vector<JsonReader> JsonReader::elements(std::size_t most) const {
  if (!value_->is_array()) fail("be an array");
  if (value_->size() > most)
    fail("have at most " + std::to_string(most) + " elements",
         "has " + std::to_string(value_->size()));
  std::vector<JsonReader> found;
  for (const Json& value : *value_)
    found.push_back({document_, value, path_ + "[" + std::to_string(found.size()) + "]"});
  return found;
}

void JsonReader::allow_only(std::initializer_list<std::string_view> names) const {
  if (!value_->is_object()) fail("be an object");
  for (const auto& [name, value] : value_->items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      fail("have no fields but " + joined(names), "has " + show(name));
    }
  }
}

std::int64_t JsonReader::as_int(std::int64_t low, std::int64_t high) const {
  const std::string must = "be an integer in [" + show(low) + ", " + show(high) + "]";
  if (!value_->is_number_integer()) fail(must);
  const bool is_too_large = value_->is_number_unsigned() &&
                            value_->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  const std::int64_t number = value_->get<std::int64_t>();
  if (is_too_large || number < low || number > high) fail(must);
  return number;
}

double JsonReader::as_double(double low, double high) const {
  const std::string must = "be a number in [" + show(low) + ", " + show(high) + "]";
  if (!value_->is_number()) fail(must);
  const double number = value_->get<double>();
  if (!(number >= low && number <= high)) fail(must);
  return number;
}

bool JsonReader::as_bool() const {
  if (!value_->is_boolean()) fail("be true or false");
  return value_->get<bool>();
}

std::string JsonReader::as_string(std::size_t most_bytes) const {
  if (!value_->is_string()) fail("be a string");
  const auto& text = value_->get_ref<const std::string&>();
  if (text.size() > most_bytes)
    fail("have at most " + std::to_string(most_bytes) + " bytes",
         "has " + std::to_string(text.size()));
  return text;
}

bool JsonReader::is_string() const { return value_->is_string(); }
bool JsonReader::is_number() const { return value_->is_number(); }
bool JsonReader::is_bool() const { return value_->is_boolean(); }
bool JsonReader::is_array() const { return value_->is_array(); }
bool JsonReader::is_object() const { return value_->is_object(); }

const std::string& JsonReader::source() const { return document_->source; }

void JsonReader::fail(const std::string& must) const { fail(must, "is " + show_value(*value_)); }

void JsonReader::fail(const std::string& must, const std::string& found) const {
  const std::string place = path_.empty() ? ":" : ": " + path_;
  raise_json(document_->error, document_->source + place + " must " + must + ", but " + found);
}

}  // namespace adadiff::detail
