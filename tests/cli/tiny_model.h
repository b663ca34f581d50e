// A model file that loads in no time: an 8 x 8 U-ViT of three blocks with random weights.
#pragma once

#include <string>

namespace adadiff::testing {

/// Three classes named red, green and blue, a null label, cosine schedule, DDIM with 4 steps by
/// default.
void write_tiny_model(const std::string& path);
/// The same with some of the description's keys replaced, given as a JSON object.
void write_tiny_model(const std::string& path, const std::string& changes);

/// A classifier of three classes for its images, with random weights.
void write_tiny_classifier(const std::string& path);
/// Twelve pictures of its size in two folders below `folder`, dark ones and light ones.
void write_tiny_pictures(const std::string& folder);

}  // namespace adadiff::testing
