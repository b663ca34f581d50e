// Twenty labelled images and the options of a training on them that takes milliseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <adadiff/training.h>

#include "training/temporary_folder.h"

namespace adadiff::detail::test {

constexpr std::uint32_t kTinySize = 4;

/// An idx file of 8-bit values.
inline std::string idx(const std::vector<std::uint32_t>& shape, const std::string& values) {
  std::string text("\0\0\x08", 3);
  text += static_cast<char>(shape.size());
  for (const std::uint32_t size : shape) text += std::string("\0\0\0", 3) + static_cast<char>(size);
  return text + values;
}

/// 20 images of 4x4: class 0 bright on top, class 1 at the bottom.
inline void write_tiny_data(const TemporaryFolder& folder) {
  std::string pixels, labels;
  for (int i = 0; i < 20; ++i) {
    const bool is_top = i % 2 == 0;
    pixels.append(8, is_top ? '\xff' : '\0').append(8, is_top ? '\0' : '\xff');
    labels += static_cast<char>(i % 2);
  }
  write_content(folder.file("images"), idx({20, kTinySize, kTinySize}, pixels));
  write_content(folder.file("labels"), idx({20}, labels));
}

/// Trains on that data into the file `name` of the same folder.
inline TrainingOptions tiny_options(const TemporaryFolder& folder, const std::string& name,
                                    std::int64_t steps) {
  TrainingOptions o;
  o.images = folder.file("images");
  o.labels = folder.file("labels");
  o.model = folder.file(name);
  o.log = folder.file(name + ".csv");
  o.width = 8;
  o.depth = 2;
  o.heads = 2;
  o.patch = 2;
  o.batch = 8;
  o.warmup = 3;
  o.steps = steps;
  o.class_names = {"top", "bottom"};
  o.license = "none";
  o.origin = "a test";
  return o;
}

constexpr int kNumberColumns = 7;  // step to grad_norm

/// The lines of a training's log up to its columns of time.
inline std::vector<std::string> log_lines(const std::string& path) {
  std::istringstream text(content_of(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    std::size_t end = 0;
    for (int column = 0; column < kNumberColumns; ++column) end = line.find(',', end) + 1;
    lines.push_back(line.substr(0, end));
  }
  return lines;
}

}  // namespace adadiff::detail::test
