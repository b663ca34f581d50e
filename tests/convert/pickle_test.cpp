// The restricted pickle machine on pickles written by hand.
#include "convert/pickle.h"

#include <gmock/gmock.h>

#include <adadiff/error.h>

namespace adadiff::detail {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Pickle parse(const std::string& text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return parse_pickle({bytes, text.size()}, "weights.pt");
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

void expect_refused(const std::string& pickle, const std::string& message) {
  EXPECT_THAT([&] { parse(pickle); }, ThrowsMessage<ModelError>(HasSubstr(message)));
}

using namespace std::string_literals;

const std::string kStart = "\x80\x02"s;

TEST(Pickle, ReadsPlainValues) {
  const Pickle pickle = parse(kStart + "}(X\x01\0\0\0aK\x05X\x01\0\0\0bJ\xfe\xff\xff\xffu."s);
  const auto& dict = std::get<PickleDict>(pickle.values[pickle.root]);
  ASSERT_EQ(dict.items.size(), 2u);
  EXPECT_EQ(std::get<std::int64_t>(pickle.values[dict.items[0].second]), 5);
  EXPECT_EQ(std::get<std::int64_t>(pickle.values[dict.items[1].second]), -2);
}

TEST(Pickle, ExtendsTheSignOfLongIntegers) {
  const Pickle pickle = parse(kStart + "\x8a\x02\x00\x80."s);
  EXPECT_EQ(std::get<std::int64_t>(pickle.values[pickle.root]), -32768);
}

TEST(Pickle, NamesAFunctionThatNoCheckpointNeeds) {
  expect_refused(kStart + "cposix\nsystem\n(X\x02\0\0\0lstR."s,
                 "weights.pt: must hold tensors and plain values, but names \"posix.system\"");
  expect_refused(kStart + "cbuiltins\neval\n.", "\"builtins.eval\"");
  expect_refused("\x80\x04\x8c\x05posix\x8c\x06system\x93.", "\"posix.system\"");
}

TEST(Pickle, DropsDeepNestingWithoutRecursion) {
  const Pickle pickle = parse(kStart + ")" + repeated("\x85", 2'000'000) + ".");
  EXPECT_EQ(pickle.values.size(), 2'000'001u);
}

TEST(Pickle, RefusesToCopyLongValuesByShortOpcodes) {
  // A list of 1000 pairs, from which ordered dictionaries are made over and over.
  const std::string list = "](" + repeated("NN\x86", 1000) + "eq\x01";
  const std::string dict = "ccollections\nOrderedDict\nh\x01\x85R0";
  expect_refused(kStart + list + repeated(dict, 1000) + "h\x01.", "repeats its values");
}

TEST(Pickle, SaysWhatIsWrongAndWhere) {
  expect_refused(kStart + "N", "ends too early at byte 3");
  expect_refused(kStart + "0.", "takes a value that is not there");
  expect_refused(kStart + "t.", "goes back to a mark that is not there");
  expect_refused(kStart + "h\x07.", "recalls a value that it has not kept");
  expect_refused(kStart + "P1\n.", "has the opcode 80, which checkpoints do not use");
  expect_refused("\x80\x06N.", "has a newer protocol than 5");
  expect_refused(kStart + "N}s.", "takes a value that is not there");
  expect_refused(kStart + "NNNs.", "lacks a dictionary to fill");
  expect_refused(kStart + "NQ.", "lacks what names a storage");
}

}  // namespace
}  // namespace adadiff::detail
