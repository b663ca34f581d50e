// A model file that loads in no time: an 8 x 8 U-ViT of three blocks with random weights.
#pragma once

#include <string>

namespace adadiff::testing {

/// Three classes named red, green and blue, a null label, cosine schedule, DDIM with 4 steps by default.
void write_tiny_model(const std::string& path);
/// The same with some of the description's keys replaced, given as a JSON object.
void write_tiny_model(const std::string& path, const std::string& changes);

}  // namespace adadiff::testing
