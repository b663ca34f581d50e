// Training options as JSON: every text is read or refused with adadiff::Error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <adadiff/error.h>
#include <adadiff/training.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    adadiff::parse_training_options({reinterpret_cast<const char*>(data), size});
  } catch (const adadiff::Error&) {
  }
  return 0;
}
