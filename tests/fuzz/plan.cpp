// Plans as JSON: every text is read or refused with adadiff::Error, and what was read survives
// writing and reading again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <adadiff/error.h>
#include <adadiff/plan.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  adadiff::Plan plan;
  try {
    plan = adadiff::parse_plan(text);
  } catch (const adadiff::Error&) {
    return 0;
  }
  if (adadiff::parse_plan(adadiff::to_json(plan)) != plan) std::abort();
  return 0;
}
