#include "io/safetensors.h"

#include <gmock/gmock.h>

#include <cstring>

#include "io/test_files.h"

namespace adadiff::detail {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string file_of(const std::string& header, const std::string& data) {
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i)
    length[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  return length + header + data;
}

SafetensorsContent parse(const std::string& file) {
  return parse_safetensors(std::as_bytes(std::span(file)), "m.safetensors");
}

std::string complaint(const std::string& header, const std::string& data) {
  return message_of<ModelError>([&] { parse(file_of(header, data)); });
}

/// One tensor "x" with the given description.
std::string complaint_of(const std::string& description, const std::string& data) {
  return complaint("{\"x\":{" + description + "}}", data);
}

TensorView view(const std::string& name, const std::vector<float>& values) {
  return {name,
          Dtype::F32,
          {static_cast<std::int64_t>(values.size())},
          std::as_bytes(std::span(values))};
}

const std::string kSmall = file_of(
    R"({"__metadata__":{"k":"v"},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})",
    "12345678abc");

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirBytes) {
  const SafetensorsContent content = parse(kSmall);
  ASSERT_EQ(content.tensors.size(), 2u);
  EXPECT_EQ(content.tensors[0].name, "a");
  EXPECT_EQ(content.tensors[0].dtype, Dtype::F32);
  EXPECT_THAT(content.tensors[0].shape, ElementsAre(1, 2));
  EXPECT_EQ(content.tensors[1].bytes[2], std::byte{'c'});
  EXPECT_EQ(content.metadata.at("k"), "v");
}

TEST(Safetensors, GivesBackWhatWasWritten) {
  const TestFolder folder;
  const std::vector<float> first = {1, 2, 3}, second = {4};
  write_safetensors(folder / "m", {{"adadiff", "{}"}}, {view("b", first), view("a", second)});
  const SafetensorsFile file = SafetensorsFile::open(folder / "m");
  ASSERT_NE(file.find("b"), nullptr);
  EXPECT_EQ(std::memcmp(file.find("b")->bytes.data(), first.data(), 12), 0);
  EXPECT_EQ(file.find("c"), nullptr);
  EXPECT_EQ(file.metadata(), (Metadata{{"adadiff", "{}"}}));
  EXPECT_EQ(file.path(), folder / "m");
}

TEST(Safetensors, MovedFilesStillFindTheirTensors) {
  const TestFolder folder;
  const std::vector<float> values = {1};
  write_safetensors(folder / "m", {}, {view("short", values)});
  SafetensorsFile file = SafetensorsFile::open(folder / "m");
  const SafetensorsFile moved = std::move(file);
  EXPECT_NE(moved.find("short"), nullptr);
}

TEST(Safetensors, WritesTheSameBytesForAnyOrderOfEntries) {
  const TestFolder folder;
  const std::vector<float> first = {1, 2, 3}, second = {4};
  write_safetensors(folder / "a", {}, {view("x", first), view("y", second)});
  write_safetensors(folder / "b", {}, {view("y", second), view("x", first)});
  EXPECT_EQ(get(folder / "a"), get(folder / "b"));
}

TEST(Safetensors, WritesEveryTensorAligned) {
  const TestFolder folder;
  const std::string bytes(8, 'x');
  const std::span<const std::byte> all = std::as_bytes(std::span(bytes));
  write_safetensors(folder / "m", {},
                    {{"a", Dtype::U8, {3}, all.first(3)},
                     {"b", Dtype::F16, {1}, all.first(2)},
                     {"c", Dtype::F64, {1}, all}});
  const SafetensorsFile file = SafetensorsFile::open(folder / "m");
  for (const TensorView& tensor : file.tensors()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % size_of(tensor.dtype), 0u)
        << tensor.name;
  }
}

TEST(Safetensors, TensorsWithoutElementsAndScalarsAreFine) {
  const SafetensorsContent content = parse(file_of(
      R"({"e":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
      "1234"));
  EXPECT_EQ(content.tensors[1].bytes.size(), 0u);
  EXPECT_TRUE(content.tensors[0].shape.empty());
}

TEST(Safetensors, KnowsItsDtypes) {
  EXPECT_EQ(name_of(Dtype::F64), "F64");
  EXPECT_EQ(name_of(Dtype::F8_E5M2), "F8_E5M2");
  EXPECT_EQ(size_of(Dtype::BF16), 2u);
  EXPECT_EQ(size_of(Dtype::BOOL), 1u);
}

TEST(Safetensors, RefusesOtherFiles) {
  EXPECT_THAT(message_of<ModelError>([] { parse("abc"); }),
              HasSubstr("m.safetensors: must be a safetensors file of at least 8 bytes"));
  EXPECT_THAT(message_of<ModelError>([] { parse(std::string(8, '\xff')); }),
              HasSubstr("whose header has at most 100000000 bytes, but says"));
  EXPECT_THAT(message_of<ModelError>([] { parse(file_of("{}", "").substr(0, 9)); }),
              HasSubstr("must be a safetensors file that holds its header of 2 bytes, but ends "
                        "after 1; the file seems to be cut short"));
  EXPECT_THAT(complaint("nonsense", ""), HasSubstr("must be JSON"));
}

TEST(Safetensors, RefusesUnknownDtypesByName) {
  EXPECT_THAT(
      complaint_of(R"("dtype":"Q4","shape":[],"data_offsets":[0,0])", ""),
      HasSubstr(
          "m.safetensors: tensor \"x\" must have a dtype that this build reads, but has \"Q4\""));
}

TEST(Safetensors, RefusesRangesOutsideTheData) {
  EXPECT_THAT(complaint_of(R"("dtype":"U8","shape":[5],"data_offsets":[0,5])", "1234"),
              HasSubstr("tensor \"x\" must lie within the 4 bytes of data, but lies at 0 to 5"));
  EXPECT_THAT(complaint_of(R"("dtype":"U8","shape":[0],"data_offsets":[3,2])", "1234"),
              HasSubstr("but lies at 3 to 2"));
}

TEST(Safetensors, RefusesSizesThatDoNotFitTheShape) {
  EXPECT_THAT(complaint_of(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", "1234"),
              HasSubstr("must have the 8 bytes of its dtype and shape, but has 4"));
}

TEST(Safetensors, RefusesShapesWhoseProductOverflows) {
  EXPECT_THAT(
      complaint_of(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])", ""),
      HasSubstr("must have a shape that fits memory"));
}

TEST(Safetensors, RefusesGapsOverlapsAndBytesBehindTheEnd) {
  EXPECT_THAT(complaint_of(R"("dtype":"U8","shape":[1],"data_offsets":[1,2])", "12"),
              HasSubstr("must begin at byte 0, where the one before it ends, but begins at 1"));
  EXPECT_THAT(
      complaint(
          R"({"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"y":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
          "123"),
      HasSubstr("tensor \"y\" must begin at byte 2"));
  EXPECT_THAT(
      complaint_of(R"("dtype":"U8","shape":[1],"data_offsets":[0,1])", "12"),
      HasSubstr("must end with its last tensor, 1 bytes into its data, but has 2 bytes of data"));
}

TEST(Safetensors, RefusesDamagedDescriptions) {
  EXPECT_THAT(complaint_of(R"("dtype":"U8","shape":[-1],"data_offsets":[0,0])", ""),
              HasSubstr("x.shape[0] must be an integer in [0,"));
  EXPECT_THAT(complaint_of(R"("dtype":"U8","shape":[],"data_offsets":[0])", ""),
              HasSubstr("x.data_offsets must be two numbers"));
  EXPECT_THAT(complaint_of(R"("dtype":"U8","shape":[],"data_offsets":[0,1],"z":1)", "1"),
              HasSubstr("but has \"z\""));
  EXPECT_THAT(complaint_of(R"("shape":[],"data_offsets":[0,1])", "1"),
              HasSubstr("must have the field \"dtype\""));
  EXPECT_THAT(complaint(R"({"__metadata__":{"k":1}})", ""),
              HasSubstr("__metadata__.k must be a string, but is 1"));
  EXPECT_THAT(complaint("{\"" + std::string(5000, 'n') + "\":{}}", ""),
              HasSubstr("must have a name of at most 4096 bytes"));
}

TEST(Safetensors, RefusesRepeatedNames) {
  EXPECT_THAT(complaint(R"({"__metadata__":{},"__metadata__":{}})", ""),
              HasSubstr("repeats \"__metadata__\""));
}

TEST(Safetensors, RefusesEveryStart) {
  expect_starts_refused(kSmall, [](const std::string& file) { parse(file); });
}

TEST(Safetensors, SurvivesDamage) {
  expect_survives_damage(kSmall, 5000, [](const std::string& file) { parse(file); });
}

TEST(Safetensors, RefusesToWriteWhatNobodyCouldRead) {
  const TestFolder folder;
  const std::vector<float> values = {1, 2};
  TensorView wrong = view("x", values);
  wrong.shape = {3};
  EXPECT_THAT(message_of<InvalidArgument>([&] { write_safetensors(folder / "m", {}, {wrong}); }),
              AllOf(HasSubstr("tensor \"x\""),
                    HasSubstr("as many bytes as its dtype and shape ask for, but has 8")));
  EXPECT_THAT(message_of<InvalidArgument>([&] {
                write_safetensors(folder / "m", {}, {view("x", values), view("x", values)});
              }),
              HasSubstr("must have a name of its own, but has one that is taken"));
  EXPECT_THAT(message_of<InvalidArgument>([&] {
                write_safetensors(folder / "m", {{"k", "\xff"}}, {});
              }),
              HasSubstr("must have names and metadata in UTF-8"));
  EXPECT_EQ(folder.file_count(), 0u);
}

TEST(Safetensors, NamesAMissingFile) {
  EXPECT_THROW(SafetensorsFile::open("/nowhere/m"), FileError);
}

}  // namespace
}  // namespace adadiff::detail
