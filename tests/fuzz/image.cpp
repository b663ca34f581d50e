// PNG and JPEG: any bytes are read or refused with adadiff::Error, and pixels fit the sizes.
#include <cstdlib>

#include <adadiff/error.h>
#include <adadiff/image.h>

#include "fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    const adadiff::Images image = adadiff::read_image(file.path());
    if (image.pixels.size() != static_cast<std::size_t>(image.count * image.height * image.width * image.channels)) std::abort();
  } catch (const adadiff::Error&) {
  }
  return 0;
}
