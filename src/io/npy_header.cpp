// A reader for the one form of Python dictionary that NumPy writes: three keys, a string, a truth
// value and a tuple.
#include "io/npy_header.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "core/check.h"
#include "io/file_kind.h"

namespace adadiff::detail {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kLongestText = 65536;
constexpr std::size_t kMostDimensions = 32;
constexpr std::size_t kAlignment = 64;

class DictionaryParser {
 public:
  DictionaryParser(std::string_view text, const std::string& source)
      : text_(text), source_(source) {}

  NpyHeader parse() {
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      take(key);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) fail("end after its dictionary");
    if (!descr_ || !shape_ || !is_fortran_) fail("have descr, fortran_order and shape");
    const bool has_one_order = std::count_if(shape_->begin(), shape_->end(),
                                             [](std::int64_t extent) { return extent != 1; }) <= 1;
    if (*is_fortran_ && !has_one_order)
      raise<ModelError>({source_, "be in C order", "is in Fortran order",
                         "save it with numpy.ascontiguousarray"});
    return {*descr_, *shape_, 0};
  }

 private:
  void take(const std::string& key) {
    if (key == "descr" && !descr_) {
      descr_ = string();
    } else if (key == "fortran_order" && !is_fortran_) {
      is_fortran_ = truth();
    } else if (key == "shape" && !shape_) {
      shape_ = tuple();
    } else {
      fail("name descr, fortran_order and shape once each");
    }
  }

  void skip_space() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n'))
      ++position_;
  }
  bool accept(char wanted) {
    skip_space();
    if (position_ == text_.size() || text_[position_] != wanted) return false;
    ++position_;
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) fail(std::string("have '") + wanted + "' there");
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }
  bool truth() {
    if (accept_word("True")) return true;
    if (!accept_word("False")) fail("have True or False there");
    return false;
  }
  std::string string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const std::size_t end = text_.find(quote, position_);
    if (end == std::string_view::npos) fail("end its string");
    const std::string_view content = text_.substr(position_, end - position_);
    position_ = end + 1;
    return std::string(content);
  }
  std::int64_t integer() {
    skip_space();
    const std::size_t begin = position_;
    std::int64_t value = 0;
    for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9';
         ++position_) {
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, text_[position_] - '0', &value)) {
        fail("have smaller extents");
      }
    }
    if (position_ == begin) fail("have an extent there");
    if (position_ < text_.size() && text_[position_] == 'L')
      ++position_;  // Python 2 wrote long integers so
    return value;
  }
  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> extents;
    expect('(');
    while (!accept(')')) {
      if (extents.size() == kMostDimensions) fail("have at most 32 dimensions");
      extents.push_back(integer());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return extents;
  }
  [[noreturn]] void fail(const std::string& must) const {
    raise<ModelError>(
        {source_ + ": .npy header", must, "is damaged at byte " + std::to_string(position_)});
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t position_ = 0;
  std::optional<std::string> descr_;
  std::optional<bool> is_fortran_;
  std::optional<std::vector<std::int64_t>> shape_;
};

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

NpyHeader parse_npy_header(std::span<const std::byte> bytes, const std::string& source) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!file.starts_with(kMagic) || file.size() < kMagic.size() + 2) {
    raise<ModelError>(with_kind({source, "be a .npy file", "does not begin like one"}, bytes,
                                {kMagic.substr(0, 2)}));
  }
  const int version = static_cast<unsigned char>(file[kMagic.size()]);
  if (version < 1 || version > 3)
    raise<ModelError>({source, "have .npy version 1, 2 or 3", "has " + show(version)});
  const std::size_t begin = kMagic.size() + 2, length_bytes = version == 1 ? 2 : 4;
  if (file.size() < begin + length_bytes)
    raise<ModelError>({source, "hold a whole .npy header", "is cut short"});
  const std::size_t length = little_endian(file.substr(begin, length_bytes));
  if (length > kLongestText || length > file.size() - begin - length_bytes) {
    raise<ModelError>({source, "hold a whole .npy header of at most 65536 bytes",
                       "says " + std::to_string(length)});
  }
  NpyHeader header = DictionaryParser(file.substr(begin + length_bytes, length), source).parse();
  header.data_begin = begin + length_bytes + length;
  return header;
}

std::string make_npy_header(const std::string& descr, const std::vector<std::int64_t>& shape) {
  std::string text = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text.append(i > 0 ? " " : "").append(std::to_string(shape[i])).append(",");
  if (shape.size() > 1) text.pop_back();
  text += "), }";
  const std::size_t before = kMagic.size() + 4;
  const std::size_t total = (before + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  text.resize(total - before - 1, ' ');
  text += '\n';
  const char fixed[] = {1, 0, static_cast<char>(text.size() & 0xff),
                        static_cast<char>(text.size() >> 8)};
  return std::string(kMagic) + std::string(fixed, sizeof fixed) + text;
}

}  // namespace adadiff::detail
