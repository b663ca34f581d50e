// nlohmann's parser under limits: it watches depth, number of values and repeated keys while the document is built.
#include <nlohmann/json.hpp>
#include <set>

#include "core/check.h"
#include "io/json_reader.h"

namespace adadiff::detail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestReason = 160;

class Watcher {
 public:
  Watcher(const std::string& source, const JsonLimits& limits) : source_(source), limits_(limits) {}

  bool operator()(int /*depth*/, Json::parse_event_t event, const Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        enter();
        break;
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end:
        keys_.pop_back();
        break;
      case Json::parse_event_t::key:
        take_key(parsed.get_ref<const std::string&>());
        break;
      case Json::parse_event_t::value:
        count();
        break;
    }
    return true;
  }

 private:
  void count() {
    if (++values_ > limits_.values) fail("hold at most " + std::to_string(limits_.values) + " values", "holds more");
  }
  void enter() {
    count();
    if (keys_.size() >= static_cast<std::size_t>(limits_.depth)) {
      fail("be nested at most " + std::to_string(limits_.depth) + " deep", "is nested deeper");
    }
    keys_.emplace_back();
  }
  void take_key(const std::string& key) {
    count();
    if (!keys_.back().insert(key).second) fail("name each key once", "repeats " + show(key));
  }
  [[noreturn]] void fail(const std::string& must, const std::string& found) const {
    raise_json(limits_.error, to_message({source_, must, found}));
  }

  const std::string& source_;
  const JsonLimits& limits_;
  std::vector<std::set<std::string>> keys_;
  std::size_t values_ = 0;
};

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

}  // namespace

void raise_json(JsonError error, const std::string& message) {
  if (error == JsonError::ModelError) throw ModelError(message);
  throw InvalidArgument(message);
}

Json parse_json(std::string_view text, const std::string& source, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    raise_json(limits.error, to_message({source, "have at most " + std::to_string(limits.bytes) + " bytes of JSON",
                                         "has " + std::to_string(text.size())}));
  }
  Watcher watcher(source, limits);
  try {
    return Json::parse(text.begin(), text.end(), std::ref(watcher));
  } catch (const Json::exception& error) {
    raise_json(limits.error, to_message({source, "be JSON", "is not: " + reason_of(error)}));
  }
}

}  // namespace adadiff::detail
