// FNV-1a (Fowler, Noll & Vo), a hash that tells things apart. It guards against nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace adadiff::detail {

/// The start of a 64-bit hash: the hash of no bytes.
inline constexpr std::uint64_t kFnv64Start = 14695981039346656037u;

/// Continues a 64-bit hash with more bytes.
constexpr std::uint64_t fnv64(std::uint64_t hash, std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

/// The 32-bit hash of a name.
constexpr std::uint32_t fnv32(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619u;
  return hash;
}

}  // namespace adadiff::detail
