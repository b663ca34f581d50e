// nlohmann's parser under limits: depth, number of values and repeated keys are looked at before
// the document is built.
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "core/check.h"
#include "io/file_kind.h"
#include "io/json_reader.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestReason = 160;

/// The parser's reason without its own prefix and number.
std::string reason_of(const Json::exception& error) {
  std::string reason = error.what();
  if (const std::size_t end = reason.find("] "); end != std::string::npos) reason.erase(0, end + 2);
  if (reason.size() > kLongestReason) reason.resize(kLongestReason);
  for (char& character : reason) {
    const bool is_plain = character >= 0x20 && character < 0x7f;
    if (!is_plain) character = '?';
  }
  return reason;
}

/// Sees every value before anything is built. (A callback while building costs time in the square
/// of a container's size.)
class Watcher final : public nlohmann::json_sax<Json> {
 public:
  Watcher(std::string_view text, const std::string& source, const JsonLimits& limits)
      : text_(text), source_(source), limits_(limits) {}

  bool null() override { return count(); }
  bool boolean(bool) override { return count(); }
  bool number_integer(number_integer_t) override { return count(); }
  bool number_unsigned(number_unsigned_t) override { return count(); }
  bool number_float(number_float_t, const string_t&) override { return count(); }
  bool string(string_t&) override { return count(); }
  bool binary(binary_t&) override { return count(); }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }

  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) fail("name each key once", "repeats " + show(name));
    return count();
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    fail_to_parse("is not: " + reason_of(error));
  }
  /// Says what the text is where that is known.
  [[noreturn]] void fail_to_parse(const std::string& found) const {
    raise_json(limits_.error, to_message(with_kind({source_, "be JSON", found},
                                                   std::as_bytes(std::span(text_)), {"{", "["})));
  }

 private:
  bool count() {
    if (++values_ > limits_.values)
      fail("hold at most " + std::to_string(limits_.values) + " values", "holds more");
    return true;
  }
  bool enter() {
    count();
    if (keys_.size() >= static_cast<std::size_t>(limits_.depth)) {
      fail("be nested at most " + std::to_string(limits_.depth) + " deep", "is nested deeper");
    }
    keys_.emplace_back();
    return true;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }
  [[noreturn]] void fail(const std::string& must, const std::string& found) const {
    raise_json(limits_.error, to_message({source_, must, found}));
  }

  std::string_view text_;
  const std::string& source_;
  const JsonLimits& limits_;
  std::vector<std::set<std::string>> keys_;
  std::size_t values_ = 0;
};

}  // namespace

bool is_utf8(const std::string& text) {
  try {
    return !Json(text).dump().empty();
  } catch (const Json::type_error&) {
    return false;
  }
}

void raise_json(JsonError error, const std::string& message) {
  if (error == JsonError::ModelError) throw ModelError(message);
  throw InvalidArgument(message);
}

Json parse_json(std::string_view text, const std::string& source, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    raise_json(
        limits.error,
        to_message({source, "have at most " + std::to_string(limits.bytes) + " bytes of JSON",
                    "has " + std::to_string(text.size())}));
  }
  Watcher watcher(text, source, limits);
  // The parser would take it for the end.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    watcher.fail_to_parse("is not: byte " + std::to_string(nul) + " is zero");
  }
  Json::sax_parse(text, &watcher);
  return Json::parse(text);
}

}  // namespace adadiff::detail
