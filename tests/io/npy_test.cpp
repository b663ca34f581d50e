#include "io/npy.h"

#include <gmock/gmock.h>

#include "io/npy_header.h"
#include "io/test_files.h"

namespace adadiff::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A version 1 file with this dictionary in front of this data.
std::string file_of(const std::string& dictionary, const std::string& data) {
  const char fixed[] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<char>(dictionary.size()),
                        0};
  return std::string(fixed, sizeof fixed) + dictionary + data;
}

std::string described(const std::string& descr, const std::string& shape,
                      const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

std::string complaint(const std::string& content) {
  const TestFolder folder;
  put(folder / "a.npy", content);
  return message_of<ModelError>([&] { read_npy_floats(folder / "a.npy"); });
}

template <class T>
NpyArray<float> floats_through_a_file(const std::vector<std::int64_t>& shape,
                                      const std::vector<T>& values) {
  const TestFolder folder;
  write_npy(folder / "a.npy", shape, std::span<const T>(values));
  return read_npy_floats(folder / "a.npy");
}

TEST(Npy, ReadsEveryTypeItWritesAsFloats) {
  EXPECT_THAT(floats_through_a_file<float>({2}, {1.5f, -2.5f}).values, ElementsAre(1.5f, -2.5f));
  EXPECT_THAT(floats_through_a_file<double>({2}, {1.5, 1e300}).values, ElementsAre(1.5f, INFINITY));
  EXPECT_THAT(floats_through_a_file<std::int64_t>({1}, {-3}).values, ElementsAre(-3.0f));
  EXPECT_THAT(floats_through_a_file<std::int32_t>({1}, {-4}).values, ElementsAre(-4.0f));
  EXPECT_THAT(floats_through_a_file<std::uint8_t>({1}, {255}).values, ElementsAre(255.0f));
}

TEST(Npy, KeepsTheShape) {
  EXPECT_THAT(floats_through_a_file<float>({2, 1, 3}, std::vector<float>(6)).shape,
              ElementsAre(2, 1, 3));
  EXPECT_THAT(floats_through_a_file<float>({}, {7.0f}).shape, IsEmpty());
  EXPECT_THAT(floats_through_a_file<float>({0, 5}, {}).shape, ElementsAre(0, 5));
}

TEST(Npy, ReadsIntegersExactly) {
  const TestFolder folder;
  const std::vector<std::int64_t> values = {INT64_MIN, INT64_MAX};
  write_npy(folder / "a.npy", {2}, std::span<const std::int64_t>(values));
  EXPECT_EQ(read_npy_integers(folder / "a.npy").values, values);
}

TEST(Npy, RefusesFloatsWhereIntegersAreAsked) {
  const TestFolder folder;
  const std::vector<float> values = {1};
  write_npy(folder / "a.npy", {1}, std::span<const float>(values));
  EXPECT_THAT(message_of<ModelError>([&] { read_npy_integers(folder / "a.npy"); }),
              HasSubstr("must hold int64, int32 or uint8, little endian, but holds \"<f4\""));
}

TEST(Npy, HeaderIsWhatNumpyWrites) {
  EXPECT_THAT(make_npy_header("<f4", {3}),
              HasSubstr("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"));
  EXPECT_THAT(make_npy_header("<f4", {2, 3}), HasSubstr("'shape': (2, 3), }"));
  EXPECT_THAT(make_npy_header("<f4", {}), HasSubstr("'shape': (), }"));
  EXPECT_EQ(make_npy_header("<f4", {1, 2, 3}).size() % 64, 0u);
}

TEST(Npy, ReadsVersionsTwoAndThree) {
  for (const char version : {'\2', '\3'}) {
    const TestFolder folder;
    const std::string dictionary = described("|u1", "(2,)");
    const char fixed[] = {
        '\x93', 'N', 'U', 'M', 'P', 'Y', version, 0, static_cast<char>(dictionary.size()), 0, 0, 0};
    put(folder / "a.npy", std::string(fixed, sizeof fixed) + dictionary + "ab");
    EXPECT_THAT(read_npy_integers(folder / "a.npy").values, ElementsAre('a', 'b'));
  }
}

TEST(Npy, ReadsThePython2FormOfExtents) {
  const TestFolder folder;
  put(folder / "a.npy", file_of(described("|u1", "(1L, 2L)"), "ab"));
  EXPECT_THAT(read_npy_integers(folder / "a.npy").shape, ElementsAre(1, 2));
}

TEST(Npy, ReadsFortranOrderWhereBothOrdersAreOne) {
  const TestFolder folder;
  put(folder / "a.npy", file_of(described("|u1", "(1, 2, 1)", "True"), "ab"));
  EXPECT_THAT(read_npy_integers(folder / "a.npy").values, ElementsAre('a', 'b'));
}

TEST(Npy, RefusesFortranOrderByName) {
  EXPECT_THAT(complaint(file_of(described("|u1", "(2, 2)", "True"), "1234")),
              HasSubstr("must be in C order, but is in Fortran order"));
}

TEST(Npy, RefusesOtherTypesByName) {
  EXPECT_THAT(complaint(file_of(described(">f4", "(1,)"), "1234")),
              HasSubstr("little endian, but holds \">f4\""));
  EXPECT_THAT(complaint(file_of(described("|O", "(1,)"), "1234")), HasSubstr("but holds \"|O\""));
}

TEST(Npy, RefusesOtherFilesAndVersions) {
  EXPECT_THAT(complaint("hello"), HasSubstr("must be a .npy file, but does not begin like one"));
  EXPECT_THAT(complaint("\x93NUMPY"),
              HasSubstr("must be a .npy file, but does not begin like one"));
  EXPECT_THAT(complaint("PK\x03\x04" + std::string(20, 'x')),
              HasSubstr("must be a .npy file, but is a ZIP archive"));
  EXPECT_THAT(complaint("\x93NUMPY\x04" + std::string(20, ' ')),
              HasSubstr("must have .npy version 1, 2 or 3, but has 4"));
  EXPECT_THAT(complaint("\x93NUMPY\x01" + std::string(1, '\0')),
              HasSubstr("must hold a whole .npy header, but is cut short"));
  EXPECT_THAT(complaint("\x93NUMPY\x02" + std::string(1, '\0') + std::string(4, '\xff')),
              HasSubstr("at most 65536 bytes, but says 4294967295"));
}

TEST(Npy, RefusesTheWrongAmountOfData) {
  EXPECT_THAT(complaint(file_of(described("<f4", "(2,)"), "1234")),
              HasSubstr("must hold as many numbers as its shape says, but holds 4"));
  EXPECT_THAT(complaint(file_of(described("<f4", "(1,)"), "12345")),
              HasSubstr("but holds 5 bytes"));
  EXPECT_THAT(complaint(file_of(described("|u1", "(4294967296, 4294967296)"), "")),
              HasSubstr("as many numbers as its shape says"));
}

TEST(Npy, RefusesDamagedDictionaries) {
  EXPECT_THAT(complaint(file_of("{'descr': '<f4'}", "")),
              HasSubstr("must have descr, fortran_order and shape, but is damaged"));
  EXPECT_THAT(complaint(file_of("{'descr': '<f4', 'descr': '<f4'}", "")),
              HasSubstr("must name descr, fortran_order and shape once each"));
  EXPECT_THAT(complaint(file_of("{'descr': '<f4", "")), HasSubstr("must end its string"));
  EXPECT_THAT(complaint(file_of("{'fortran_order': 1}", "")),
              HasSubstr("must have True or False there"));
  EXPECT_THAT(complaint(file_of("{'shape': 3}", "")), HasSubstr("must have '(' there"));
  EXPECT_THAT(complaint(file_of("{'shape': (-1,)}", "")), HasSubstr("must have an extent there"));
  EXPECT_THAT(complaint(file_of("{'shape': (99999999999999999999,)}", "")),
              HasSubstr("must have smaller extents"));
  EXPECT_THAT(complaint(file_of(described("|u1", "(1,)") + "x", "")),
              HasSubstr("must end after its dictionary"));
  std::string many = "(";
  for (int i = 0; i < 33; ++i) many += "1,";
  EXPECT_THAT(complaint(file_of(described("|u1", many + ")"), "1")),
              HasSubstr("must have at most 32 dimensions"));
}

TEST(Npy, RefusesEveryStart) {
  const TestFolder folder;
  expect_starts_refused(file_of(described("<f4", "(1, 2)"), "12345678"),
                        [&](const std::string& content) {
                          put(folder / "a.npy", content);
                          read_npy_floats(folder / "a.npy");
                        });
}

TEST(Npy, SurvivesDamage) {
  const TestFolder folder;
  expect_survives_damage(file_of(described("<f4", "(1, 2)"), "12345678"), 3000,
                         [&](const std::string& content) {
                           put(folder / "a.npy", content);
                           read_npy_floats(folder / "a.npy");
                         });
}

TEST(Npy, RefusesToWriteAShapeThatDoesNotFit) {
  const TestFolder folder;
  const std::vector<float> values(5);
  EXPECT_THAT(message_of<InvalidArgument>([&] {
                write_npy(folder / "a.npy", {2, 3}, std::span<const float>(values));
              }),
              HasSubstr("must get as many values as its shape says, but gets 5"));
}

}  // namespace
}  // namespace adadiff::detail
