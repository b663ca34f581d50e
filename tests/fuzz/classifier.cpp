// Classifiers: any bytes are read or refused with adadiff::Error.
#include <adadiff/error.h>

#include "features/classifier.h"
#include "fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    adadiff::detail::read_classifier(file.path());
  } catch (const adadiff::Error&) {
  }
  return 0;
}
