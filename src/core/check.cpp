// Puts messages together and shows values in them.
#include "core/check.h"

#include <charconv>

namespace adadiff::detail {
namespace {

constexpr std::size_t kLongestText = 60;

void append_escaped(std::string& out, char character) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto code = static_cast<unsigned char>(character);
  if (character == '"' || character == '\\') {
    out += {'\\', character};
  } else if (character == '\n') {
    out += "\\n";
  } else if (code < 0x20 || code == 0x7f) {
    out += {'\\', 'x', kDigits[code / 16], kDigits[code % 16]};
  } else {
    out += character;
  }
}

/// Where to cut so that no UTF-8 character is split.
std::size_t cut(const std::string& text) {
  if (text.size() <= kLongestText) return text.size();
  std::size_t end = kLongestText;
  while (end > kLongestText - 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return end;
}

}  // namespace

std::string to_message(const Complaint& complaint) {
  std::string message = complaint.where + ": must " + complaint.must + ", but " + complaint.found;
  if (!complaint.advice.empty()) message += "; " + complaint.advice;
  return message;
}

std::string show(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char digits[32];
  const std::to_chars_result written = std::to_chars(digits, digits + sizeof(digits), value);
  return std::string(digits, written.ptr);
}

std::string show(std::int64_t value) { return std::to_string(value); }

std::string show(const std::string& text) {
  const std::size_t end = cut(text);
  std::string shown = "\"";
  for (std::size_t i = 0; i < end; ++i) append_escaped(shown, text[i]);
  shown += end < text.size() ? "...\"" : "\"";
  return shown;
}

std::string show_shape(std::span<const std::int64_t> shape) {
  std::string text;
  for (const std::int64_t extent : shape)
    text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

}  // namespace adadiff::detail
