#include "io/idx.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "io/test_files.h"

namespace adadiff::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string header(const std::vector<std::uint32_t>& shape) {
  std::string text = {0, 0, 8, static_cast<char>(shape.size())};
  for (const std::uint32_t extent : shape) text += big_endian(extent);
  return text;
}

std::string gzip(const std::string& content) {
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

IdxArray read(const std::string& content, std::size_t most_bytes = 1 << 20) {
  const TestFolder folder;
  put(folder / "a", content);
  return read_idx(folder / "a", most_bytes);
}

std::string complaint(const std::string& content, std::size_t most_bytes = 1 << 20) {
  return message_of<ModelError>([&] { read(content, most_bytes); });
}

const std::string kSmall = header({2, 1, 3}) + "abcdef";

TEST(Idx, ReadsPlainFiles) {
  const IdxArray array = read(kSmall);
  EXPECT_THAT(array.shape, ElementsAre(2, 1, 3));
  EXPECT_THAT(array.values, ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));
}

TEST(Idx, ReadsGzippedFiles) { EXPECT_EQ(read(gzip(kSmall)).values, read(kSmall).values); }

TEST(Idx, ReadsMoreThanOnePiece) {
  std::string content(3'000'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7919 >> 8);
  const IdxArray array = read(gzip(header({3'000'000}) + content), 3'000'000);
  EXPECT_EQ(std::string(array.values.begin(), array.values.end()), content);
}

TEST(Idx, NoElementsAreFine) { EXPECT_TRUE(read(header({0, 28, 28})).values.empty()); }

TEST(Idx, RefusesOtherFiles) {
  EXPECT_THAT(complaint("PK\x03\x04" + std::string(20, 'x')),
              HasSubstr("must be an idx file, but is a ZIP archive"));
  EXPECT_THAT(complaint(std::string("\0\0\x0d\x01", 4) + big_endian(1)),
              HasSubstr("must hold unsigned bytes (idx type 8), but holds idx type 13"));
  EXPECT_THAT(complaint(std::string("\0\0\x08\x09", 4)),
              HasSubstr("must have 1 to 8 dimensions, but has 9"));
}

TEST(Idx, RefusesMissingAndAdditionalBytes) {
  EXPECT_THAT(complaint(header({4}) + "abc"),
              HasSubstr("as many bytes as its idx header says, but ends too early"));
  EXPECT_THAT(complaint(header({2}) + "abc"),
              HasSubstr("must end with its last element, but has bytes behind it"));
  EXPECT_THAT(complaint(gzip(header({2}) + "abc")), HasSubstr("has bytes behind it"));
  EXPECT_THAT(complaint(gzip(header({4}) + "abc")), HasSubstr("ends too early"));
}

TEST(Idx, RefusesMoreThanItsBound) {
  EXPECT_THAT(complaint(header({1000, 1000}), 999'999),
              HasSubstr("must hold at most 999999 bytes, but says that it holds more"));
  EXPECT_THAT(complaint(header({0xffffffff, 0xffffffff, 0xffffffff})),
              HasSubstr("says that it holds more"));
}

TEST(Idx, AGzipBombStopsAtTheHeadersSize) {
  EXPECT_THAT(complaint(gzip(header({10}) + std::string(50'000'000, '\0'))),
              HasSubstr("has bytes behind it"));
}

TEST(Idx, RefusesDamagedGzip) {
  std::string damaged = gzip(kSmall);
  damaged[damaged.size() - 6] ^= 1;  // the checksum
  EXPECT_THAT(complaint(damaged), HasSubstr("must be an undamaged gzip file, but is damaged"));
  EXPECT_THAT(complaint(gzip(kSmall).substr(0, 20)),
              HasSubstr("must be an undamaged gzip file, but is cut short"));
  EXPECT_THAT(complaint(gzip(kSmall) + "x"),
              HasSubstr("must end with its gzip stream, but has bytes behind it"));
}

TEST(Idx, RefusesEveryStart) {
  expect_starts_refused(kSmall, [](const std::string& content) { read(content); });
  expect_starts_refused(gzip(kSmall), [](const std::string& content) { read(content); });
}

TEST(Idx, SurvivesDamage) {
  expect_survives_damage(kSmall, 2000, [](const std::string& content) { read(content); });
  expect_survives_damage(gzip(kSmall), 2000, [](const std::string& content) { read(content); });
}

}  // namespace
}  // namespace adadiff::detail
