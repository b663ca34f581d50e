// Turns whatever was thrown into one line and an exit code.
#include "cli/failure.h"

#include <algorithm>
#include <new>

#include <c10/util/Exception.h>

#include <adadiff/error.h>

namespace adadiff::cli {

std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 32 || c == 127; }, ' ');
  return line;
}

Failure describe_current_exception() {
  try {
    throw;
  } catch (const InvalidArgument& error) {
    return {kBadUsage, first_line(error.what())};
  } catch (const std::bad_alloc&) {
    return {kFailed, "memory: must suffice, but ran out; ask for fewer or smaller images at a time (--count, --batch)"};
  } catch (const c10::Error& error) {
    return {kFailed, first_line(error.what_without_backtrace())};
  } catch (const std::exception& error) {
    return {kFailed, first_line(error.what())};
  }
}

}  // namespace adadiff::cli
