// One table: the bytes that a kind begins with, its name, and what to do about it.
#include "io/file_kind.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace adadiff::detail {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMostLookedAt = 512;

struct Signature {
  std::size_t offset;
  std::string_view bytes, name, advice;
  bool may_be_checkpoint = false;
};

constexpr std::string_view kGetTheFile = "fetch the file itself; this one only stands for it";
constexpr std::string_view kUnpack = "unpack it first";

constexpr std::array kSignatures = {
    Signature{0, "version https://git-lfs"sv, "a Git LFS pointer",
              "run `git lfs pull` to fetch the file that it stands for"},
    Signature{0, "/annex/objects/"sv, "a git-annex pointer", kGetTheFile},
    Signature{0, "../.git/annex/"sv, "a git-annex pointer", kGetTheFile},
    Signature{0, "\x89PNG\r\n\x1a\n"sv, "a PNG image", ""},
    Signature{0, "\xff\xd8\xff"sv, "a JPEG image", ""},
    Signature{0, "GIF8"sv, "a GIF image", "save it as PNG"},
    Signature{8, "WEBP"sv, "a WebP image", "save it as PNG"},
    Signature{4, "ftypavif"sv, "an AVIF image", "save it as PNG"},
    Signature{4, "ftypheic"sv, "a HEIC image", "save it as PNG"},
    Signature{0, "II*\0"sv, "a TIFF image", "save it as PNG"},
    Signature{0, "MM\0*"sv, "a TIFF image", "save it as PNG"},
    Signature{0, "BM"sv, "a BMP image", "save it as PNG"},
    Signature{0, "\x93NUMPY"sv, "a NumPy array (.npy)", ""},
    Signature{0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file", ""},
    Signature{0, "GGUF"sv, "a GGUF file", ""},
    Signature{0, "PK\x03\x04"sv, "a ZIP archive, as PyTorch's .pt and .pth and NumPy's .npz are",
              "", true},
    Signature{0, "\x80\x02"sv, "a Python pickle, as old PyTorch checkpoints are", "", true},
    Signature{0, "\x80\x03"sv, "a Python pickle", "", true},
    Signature{0, "\x80\x04"sv, "a Python pickle", "", true},
    Signature{0, "\x80\x05"sv, "a Python pickle", "", true},
    Signature{0, "\x1f\x8b"sv, "compressed by gzip", kUnpack},
    Signature{0, "BZh"sv, "compressed by bzip2", kUnpack},
    Signature{0,
              "\xfd"
              "7zXZ"sv,
              "compressed by xz", kUnpack},
    Signature{0, "\x28\xb5\x2f\xfd"sv, "compressed by Zstandard", kUnpack},
    Signature{0, "7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive", kUnpack},
    Signature{257, "ustar"sv, "a tar archive", kUnpack},
    Signature{0, "%PDF-"sv, "a PDF document", ""},
    Signature{0,
              "\x7f"
              "ELF"sv,
              "a program or library", ""},
};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kMostLookedAt)};
}

std::string_view without_space(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

bool begins_like(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(),
                    [](char wanted, char found) {
                      return found == wanted ||
                             (found >= 'A' && found <= 'Z' && found - 'A' + 'a' == wanted);
                    });
}

std::optional<FileKind> text_kind(std::string_view text) {
  const std::string_view start = without_space(text);
  if (begins_like(start, "<!doctype html") || begins_like(start, "<html")) {
    return FileKind{
        "a web page",
        "the download may have answered with an error or a login page; fetch the file again"};
  }
  if (begins_like(start, "<?xml")) return FileKind{"an XML document"};
  if (start.starts_with('{')) return FileKind{"JSON text"};
  return std::nullopt;
}

}  // namespace

std::optional<FileKind> kind_of(std::span<const std::byte> first_bytes) {
  if (first_bytes.empty()) return FileKind{"empty"};
  const std::string_view start = text_of(first_bytes);
  for (const Signature& signature : kSignatures) {
    if (start.size() >= signature.offset &&
        start.substr(signature.offset).starts_with(signature.bytes)) {
      return FileKind{std::string(signature.name), std::string(signature.advice),
                      signature.may_be_checkpoint};
    }
  }
  if (start.size() >= 16 && start.find_first_not_of('\0') == std::string_view::npos) {
    return FileKind{"zero bytes from the start",
                    "the download or copy seems not to have finished; fetch the file again"};
  }
  return text_kind(start);
}

Complaint with_kind(Complaint complaint, std::span<const std::byte> first_bytes,
                    std::initializer_list<std::string_view> own) {
  const std::string_view start = without_space(text_of(first_bytes));
  const bool is_own = std::any_of(
      own.begin(), own.end(), [start](std::string_view bytes) { return start.starts_with(bytes); });
  if (const auto kind = is_own ? std::nullopt : kind_of(first_bytes)) {
    complaint.found = "is " + kind->name;
    complaint.advice = kind->advice;
  }
  return complaint;
}

}  // namespace adadiff::detail
