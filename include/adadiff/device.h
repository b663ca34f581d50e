// Where a network computes, and in which numbers.
#pragma once

#include <cstdint>
#include <string>

namespace adadiff {

/// The number type of the network's blocks. Embeddings, uncertainties, predictions and the solver's
/// state are always float32.
enum class Precision : std::uint8_t { Float32, BFloat16, Float16, Int8 };

/// A processor that tensors live on.
struct Device {
  enum class Kind : std::uint8_t { Cpu, Cuda };
  Kind kind = Kind::Cpu;
  int index = 0;  ///< which one of its kind, from 0; 0 for the CPU
  friend bool operator==(const Device&, const Device&) = default;
};

/// "cpu", "cuda:0", ...
std::string to_string(const Device& device);
/// Reads "cpu", "cuda" (the first one) or "cuda:N"; does not look whether the device is there.
/// Throws InvalidArgument.
Device parse_device(const std::string& name);

}  // namespace adadiff
