// All purposes for which the library draws random numbers, in one list, so that no two draws share
// a stream (kernels::NoiseKey::purpose).
#pragma once

#include <cstdint>

/// What a seed stands for depends on these numbers, so none of them ever changes.
namespace adadiff::detail::noise_purpose {

// Sampling.
inline constexpr std::uint32_t kInitialNoise = 0;
inline constexpr std::uint32_t kSolverNoise = 1;
// Training.
inline constexpr std::uint32_t kTrainingNoise = 64;
inline constexpr std::uint32_t kTime = 65;
inline constexpr std::uint32_t kLabelDrop = 66;
inline constexpr std::uint32_t kDataOrder = 67;
inline constexpr std::uint32_t kMirror = 68;
inline constexpr std::uint32_t kDistilledExit = 69;
inline constexpr std::uint32_t kOwnRuns = 70;
// Evaluation (docs/evaluation.md names the first two).
inline constexpr std::uint32_t kReferenceRows = 96;
inline constexpr std::uint32_t kGeneratedRows = 97;
inline constexpr std::uint32_t kAugmentation = 112;
// New networks.
inline constexpr std::uint32_t kInitialWeights = 119;

}  // namespace adadiff::detail::noise_purpose
