// Turns whatever was thrown into one line and an exit code.
#include "cli/terminal/failure.h"

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

#include <adadiff/error.h>

#include "device/torch_errors.h"

namespace adadiff::cli {

namespace {

constexpr std::size_t kHead = 600, kTail = 380;  // bytes kept of a long line

// ASCII's control characters, and those that UTF-8 writes as C2 80 to C2 9F.
bool is_control(const std::string& text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  const auto before = static_cast<unsigned char>(at > 0 ? text[at - 1] : 0);
  return byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte >= 0x80 && byte < 0xa0);
}

/// The end of the field name that starts at `at`.
std::size_t end_of_field(const std::string& text, std::size_t at) {
  while (at < text.size() && (text[at] == '_' || (text[at] >= 'a' && text[at] <= 'z'))) ++at;
  return at;
}

/// Fields of a request whose flags have other names.
constexpr std::pair<std::string_view, std::string_view> kRequestFlags[] = {
    {"labels", "class"}, {"initial_noise", "noise"}};

/// The flag that sets a field of the library's options.
std::string flag_of(const std::string& field) {
  for (const auto& [name, flag] : kRequestFlags) {
    if (field == name) return "--" + std::string(flag);
  }
  std::string flag = "--" + field;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

/// Fields of the library's options as they are typed here: TrainingOptions.label_drop is
/// --label-drop, Request.solver.steps is --steps.
std::string with_flags(std::string text) {
  for (const std::string_view owner : {"TrainingOptions.", "Request.solver.", "Request."}) {
    for (std::size_t at = text.find(owner); at != std::string::npos; at = text.find(owner, at)) {
      const std::size_t first = at + owner.size(), end = end_of_field(text, first);
      const std::string field = text.substr(first, end - first);
      const bool is_solver = owner == "Request.solver." && field == "name";
      text.replace(at, end - at, is_solver ? "--solver" : flag_of(field));
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
    return {kFailed, one_line("PyTorch failed: " + detail::torch_said(error))};
  } catch (const std::exception& error) {
    return {kFailed, first_line(error.what())};
  }
}

}  // namespace adadiff::cli
