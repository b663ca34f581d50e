// The JSON description in a model file: every text makes a network or is refused with
// adadiff::Error, and what was read is written to a text that reads back the same. Networks above a
// million numbers are refused before they are allocated, as a small file's are.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <adadiff/error.h>

#include "models/model_description.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t kMostValues = 1'000'000;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string written;
  try {
    written = adadiff::detail::to_json(
        adadiff::detail::parse_description(text, "fuzz", kMostValues));
  } catch (const adadiff::Error&) {
    return 0;
  }
  if (adadiff::detail::to_json(adadiff::detail::parse_description(written, "fuzz", kMostValues)) !=
      written)
    std::abort();
  return 0;
}
