// Traces as JSON: every text is read or refused with adadiff::Error, and what was read is written
// to a text that reads back the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <adadiff/error.h>
#include <adadiff/trace.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string written;
  try {
    written = adadiff::to_json(adadiff::parse_trace(text));
  } catch (const adadiff::Error&) {
    return 0;
  }
  if (adadiff::to_json(adadiff::parse_trace(written)) != written) std::abort();
  return 0;
}
