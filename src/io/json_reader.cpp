// Parses with nlohmann-json under bounds, and turns every mismatch into one of our errors.
#include "io/json_reader.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kShown = 60;

[[noreturn]] void raise_as(JsonReader::Throws throws, const Complaint& complaint) {
  if (throws == JsonReader::Throws::ModelError) raise<ModelError>(complaint);
  raise<InvalidArgument>(complaint);
}

/// Watches the parser: how deep it is, and which keys each open object has had.
class Watch {
 public:
  Watch(std::string source, JsonReader::Throws throws) : source_(std::move(source)), throws_(throws) {}

  bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > kMaxDepth) raise_as(throws_, {source_, "be nested at most " + show(kMaxDepth) + " deep", "goes deeper"});
    if (event == Event::object_start) open_.emplace_back();
    if (event == Event::object_end) open_.pop_back();
    if (event == Event::key && !open_.back().insert(parsed.get<std::string>()).second) {
      raise_as(throws_, {source_, "have each key once", "has " + show(parsed.get<std::string>()) + " twice"});
    }
    return true;
  }

 private:
  std::string source_;
  JsonReader::Throws throws_;
  std::vector<std::set<std::string>> open_;
};

std::string shown(const nlohmann::json& value) {
  auto text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

}  // namespace

JsonReader::JsonReader(std::string_view text, std::string_view source, Throws throws, std::size_t max_bytes)
    : source_(source), throws_(throws) {
  if (text.size() > max_bytes) {
    refuse("have at most " + show(static_cast<std::int64_t>(max_bytes)) + " bytes", "has " + show(static_cast<std::int64_t>(text.size())));
  }
  try {
    Watch watch(source_, throws);
    document_ = std::make_shared<const nlohmann::json>(nlohmann::json::parse(text.begin(), text.end(), std::ref(watch)));
  } catch (const nlohmann::json::exception& error) {
    refuse("be JSON", std::string("is not: ") + error.what());
  }
  value_ = document_.get();
}

JsonReader::JsonReader(const JsonReader& parent, const nlohmann::json& value, std::string path)
    : document_(parent.document_), value_(&value), source_(parent.source_), path_(std::move(path)), throws_(parent.throws_) {}

bool JsonReader::is_string() const { return value_->is_string(); }
bool JsonReader::is_number() const { return value_->is_number(); }
bool JsonReader::is_array() const { return value_->is_array(); }
bool JsonReader::is_object() const { return value_->is_object(); }
std::string JsonReader::text() const { return value_->dump(); }

std::string JsonReader::path() const { return path_.empty() ? source_ : source_ + ": " + path_; }

void JsonReader::refuse(const std::string& must) const { refuse(must, "is " + shown(*value_)); }

void JsonReader::refuse(const std::string& must, const std::string& found, const std::string& advice) const {
  raise_as(throws_, {path(), must, found, advice});
}

std::optional<JsonReader> JsonReader::optional(const std::string& key) const {
  if (!value_->is_object()) refuse("be an object");
  const auto found = value_->find(key);
  if (found == value_->end()) return std::nullopt;
  return JsonReader(*this, *found, path_.empty() ? key : path_ + "." + key);
}

JsonReader JsonReader::field(const std::string& key) const {
  auto found = optional(key);
  if (!found) refuse("have the key " + show(key), "has not");
  return *std::move(found);
}

std::vector<std::string> JsonReader::keys() const {
  if (!value_->is_object()) refuse("be an object");
  std::vector<std::string> names;
  for (const auto& item : value_->items()) names.push_back(item.key());
  return names;
}

std::vector<JsonReader> JsonReader::as_array(std::size_t max_size) const {
  if (!value_->is_array()) refuse("be a list");
  if (value_->size() > max_size) {
    refuse("have at most " + show(static_cast<std::int64_t>(max_size)) + " entries", "has " + show(static_cast<std::int64_t>(value_->size())));
  }
  std::vector<JsonReader> elements;
  for (std::size_t i = 0; i < value_->size(); ++i) {
    elements.push_back(JsonReader(*this, (*value_)[i], path_ + "[" + show(static_cast<std::int64_t>(i)) + "]"));
  }
  return elements;
}

void JsonReader::allow_only(std::initializer_list<const char*> allowed) const {
  for (const auto& key : keys()) {
    if (std::find(allowed.begin(), allowed.end(), key) != allowed.end()) continue;
    std::string known;
    for (const auto* name : allowed) known += (known.empty() ? "" : ", ") + std::string(name);
    refuse("have only keys that this build knows (" + known + ")", "has " + show(key));
  }
}

std::int64_t JsonReader::as_int(std::int64_t low, std::int64_t high) const {
  const auto must = "be a whole number in [" + show(low) + ", " + show(high) + "]";
  if (value_->is_number_unsigned() && value_->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) refuse(must);
  if (!value_->is_number_integer()) refuse(must);
  const auto number = value_->get<std::int64_t>();
  if (number < low || number > high) refuse(must);
  return number;
}

double JsonReader::as_double(double low, double high) const {
  const auto must = "be a number in [" + show(low) + ", " + show(high) + "]";
  if (!value_->is_number()) refuse(must);
  const auto number = value_->get<double>();
  if (!(number >= low && number <= high)) refuse(must);
  return number;
}

bool JsonReader::as_bool() const {
  if (!value_->is_boolean()) refuse("be true or false");
  return value_->get<bool>();
}

std::string JsonReader::as_string(std::size_t max_length) const {
  if (!value_->is_string()) refuse("be a string");
  const auto& text = value_->get_ref<const std::string&>();
  if (text.size() > max_length) {
    refuse("have at most " + show(static_cast<std::int64_t>(max_length)) + " characters", "has " + show(static_cast<std::int64_t>(text.size())));
  }
  return text;
}

}  // namespace adadiff::detail
