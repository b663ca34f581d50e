// PNG and JPEG: any bytes are read or refused with adadiff::Error, and pixels fit the sizes.
#include <cstdlib>
#include <string>

#include <adadiff/error.h>
#include <adadiff/image.h>

#include "fuzz/memory_file.h"
#include "io/png_files.h"

namespace {

void read(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    const adadiff::Images image = adadiff::read_image(file.path());
    if (image.pixels.size() !=
        static_cast<std::size_t>(image.count * image.height * image.width * image.channels))
      std::abort();
  } catch (const adadiff::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read(data, size);
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (!bytes.starts_with("\x89PNG\r\n\x1a\n")) return 0;
  // A changed byte hardly ever gets past the checksums, so that what lies behind them would not be
  // tried.
  const std::string mended = adadiff::detail::with_checksums(bytes);
  read(reinterpret_cast<const std::uint8_t*>(mended.data()), mended.size());
  return 0;
}
