// Turns whatever was thrown into one line and an exit code.
#include "cli/terminal/failure.h"

#include <new>
#include <string_view>

#include <c10/util/Exception.h>

#include <adadiff/error.h>

namespace adadiff::cli {

namespace {

constexpr std::size_t kHead = 600, kTail = 380;  // bytes kept of a long line

// ASCII's control characters, and those that UTF-8 writes as C2 80 to C2 9F.
bool is_control(const std::string& text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  const auto before = static_cast<unsigned char>(at > 0 ? text[at - 1] : 0);
  return byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte >= 0x80 && byte < 0xa0);
}

/// Options of a training as they are typed here: TrainingOptions.label_drop is --label-drop.
std::string with_flags(std::string text) {
  constexpr std::string_view kField = "TrainingOptions.";
  for (std::size_t at = text.find(kField); at != std::string::npos; at = text.find(kField, at)) {
    text.replace(at, kField.size(), "--");
    for (std::size_t i = at + 2;
         i < text.size() && (text[i] == '_' || (text[i] >= 'a' && text[i] <= 'z')); ++i) {
      if (text[i] == '_') text[i] = '-';
    }
  }
  return text;
}

}  // namespace

std::string one_line(const std::string& text) {
  std::string line = text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_control(text, i)) continue;
    line[i] = ' ';
    if (static_cast<unsigned char>(text[i]) >= 0x80) line[i - 1] = ' ';
  }
  if (line.size() > kHead + kTail)
    line = line.substr(0, kHead) + " [...] " + line.substr(line.size() - kTail);
  return line;
}

std::string first_line(const std::string& text) {
  return one_line(text.substr(0, text.find('\n')));
}

Failure describe_current_exception() {
  try {
    throw;
  } catch (const InvalidArgument& error) {
    return {kBadUsage, one_line(with_flags(error.what()))};
  } catch (const Error& error) {
    return {kFailed, one_line(with_flags(error.what()))};
  } catch (const std::bad_alloc&) {
    return {kFailed,
            "memory: must suffice, but ran out; ask for fewer or smaller images at a time "
            "(--count, --batch)"};
  } catch (const c10::Error& error) {
    return {kFailed, first_line(error.what_without_backtrace())};
  } catch (const std::exception& error) {
    return {kFailed, first_line(error.what())};
  }
}

}  // namespace adadiff::cli
