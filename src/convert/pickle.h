// Reads the pickles that torch.save writes into plain values. Nothing is called and nothing is
// imported: a pickle names functions, and this machine knows a fixed list of names and builds what
// they stand for itself. Every other name is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace adadiff::detail {

/// Values refer to each other by their place in Pickle::values, so that hostile nesting cannot
/// exhaust the stack when they are dropped.
using PickleId = std::uint32_t;

struct PickleNone {};
struct PickleTuple {
  std::vector<PickleId> items;  ///< a tuple or a list
};
struct PickleDict {
  std::vector<std::pair<PickleId, PickleId>> items;
};
/// A name that a pickle imports: "torch.FloatStorage".
struct PickleGlobal {
  std::string name;
};
struct PickleStorage {
  std::string type;  ///< "FloatStorage"
  std::string key;   ///< the record with its bytes
  std::int64_t numbers = 0;
};
struct PickleTensor {
  PickleStorage storage;
  std::int64_t offset = 0;  ///< in numbers
  std::vector<std::int64_t> shape, strides;
};
/// An object that a checkpoint may hold beside its tensors, such as the arguments of a training.
struct PickleOpaque {};

/// The rare large ones lie elsewhere, since a short opcode makes a value.
using PickleValue = std::variant<PickleNone, bool, std::int64_t, double, std::string, PickleTuple,
                                 PickleDict, PickleGlobal, std::unique_ptr<PickleStorage>,
                                 std::unique_ptr<PickleTensor>, PickleOpaque>;

struct Pickle {
  std::vector<PickleValue> values;
  PickleId root = 0;
};

/// Reads a pickle of protocol 2 to 5. Memory stays proportional to `bytes`. Throws a ModelError
/// that names `source`.
Pickle parse_pickle(std::span<const std::byte> bytes, const std::string& source);

}  // namespace adadiff::detail
