// The machine: a stack of values, a memo, and the opcodes that torch.save uses.
#include "convert/pickle.h"

#include <algorithm>
#include <map>

#include "convert/pickle_bytes.h"
#include "convert/pickle_names.h"
#include "core/check.h"

namespace adadiff::detail {
namespace {

/// The opcodes of Python's pickletools, by their names there.
enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kNone = 'N',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kShortBinUnicode = 0x8c,
  kBinString = 'T',
  kShortBinString = 'U',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kLong1 = 0x8a,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kGlobal = 'c',
  kStackGlobal = 0x93,
  kReduce = 'R',
  kNewObj = 0x81,
  kBuild = 'b',
  kBinPersId = 'Q',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kMemoize = 0x94,
  kProto = 0x80,
  kFrame = 0x95
};

constexpr std::size_t kMostDimensions = 16;

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& source) : bytes_(bytes, source) {}

  Pickle run() && {
    while (true) {
      const auto opcode = static_cast<Opcode>(bytes_.byte());
      if (opcode == kStop) break;
      step(opcode);
    }
    pickle_.root = pop();
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void fail(const std::string& found) const { bytes_.fail(found); }

  /// Counts what is copied: a hostile file could have long values copied by short opcodes.
  void charge(std::size_t copied) {
    copied_ += copied;
    if (copied_ > bytes_.size()) fail("repeats its values more often than a checkpoint does");
  }

  // The stack.
  void push(PickleValue value) {
    pickle_.values.push_back(std::move(value));
    stack_.push_back(static_cast<PickleId>(pickle_.values.size() - 1));
  }
  PickleId pop() {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) fail("takes a value that is not there");
    const PickleId id = stack_.back();
    stack_.pop_back();
    return id;
  }
  PickleId top() {
    const PickleId id = pop();
    stack_.push_back(id);
    return id;
  }
  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) fail("goes back to a mark that is not there");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleId> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  void push_tuple(std::size_t count) {
    PickleTuple tuple;
    for (std::size_t i = 0; i < count; ++i) tuple.items.push_back(pop());
    std::reverse(tuple.items.begin(), tuple.items.end());
    push(std::move(tuple));
  }
  PickleValue& value(PickleId id) { return pickle_.values[id]; }
  template <class T>
  T* as(PickleId id) {
    return std::get_if<T>(&value(id));
  }
  template <class T>
  const T& require(PickleId id, const char* what) {
    const T* found = as<T>(id);
    if (found == nullptr) fail(std::string("lacks ") + what);
    return *found;
  }

  void step(Opcode opcode) {
    if (step_number(opcode) || step_text(opcode) || step_container(opcode) || step_memo(opcode) ||
        step_object(opcode))
      return;
    fail("has the opcode " + show(static_cast<int>(opcode)) + ", which checkpoints do not use,");
  }

  bool step_number(Opcode opcode) {
    switch (opcode) {
      case kNone:
        push(PickleNone{});
        return true;
      case kNewTrue:
      case kNewFalse:
        push(opcode == kNewTrue);
        return true;
      case kBinInt:
        push(static_cast<std::int64_t>(static_cast<std::int32_t>(bytes_.little(4))));
        return true;
      case kBinInt1:
        push(static_cast<std::int64_t>(bytes_.little(1)));
        return true;
      case kBinInt2:
        push(static_cast<std::int64_t>(bytes_.little(2)));
        return true;
      case kLong1:
        push(bytes_.long1());
        return true;
      case kBinFloat:
        push(bytes_.big_double());
        return true;
      default:
        return false;
    }
  }

  bool step_text(Opcode opcode) {
    switch (opcode) {
      case kBinUnicode:
      case kBinString:
      case kBinBytes:
        push(bytes_.text(bytes_.little(4)));
        return true;
      case kShortBinUnicode:
      case kShortBinString:
      case kShortBinBytes:
        push(bytes_.text(bytes_.little(1)));
        return true;
      default:
        return false;
    }
  }

  bool step_container(Opcode opcode) {
    switch (opcode) {
      case kMark:
        marks_.push_back(stack_.size());
        return true;
      case kPopMark:
        pop_to_mark();
        return true;
      case kPop:
        pop();
        return true;
      case kDup:
        stack_.push_back(top());
        return true;
      case kEmptyTuple:
      case kEmptyList:
        push(PickleTuple{});
        return true;
      case kEmptyDict:
        push(PickleDict{});
        return true;
      case kEmptySet:
        push(PickleOpaque{});
        return true;
      case kTuple:
        push(PickleTuple{pop_to_mark()});
        return true;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        push_tuple(static_cast<std::size_t>(opcode - kTuple1) + 1);
        return true;
      case kAppend:
        append({pop()});
        return true;
      case kAppends:
      case kAddItems:
        append(pop_to_mark());
        return true;
      case kSetItem: {
        const PickleId item = pop(), key = pop();
        set_items({key, item});
        return true;
      }
      case kSetItems:
        set_items(pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  bool step_memo(Opcode opcode) {
    switch (opcode) {
      case kBinPut:
        memo_[bytes_.byte()] = top();
        return true;
      case kLongBinPut:
        memo_[static_cast<std::uint32_t>(bytes_.little(4))] = top();
        return true;
      case kMemoize:
        memo_[static_cast<std::uint32_t>(memo_.size())] = top();
        return true;
      case kBinGet:
        recall(bytes_.byte());
        return true;
      case kLongBinGet:
        recall(static_cast<std::uint32_t>(bytes_.little(4)));
        return true;
      case kProto:
        if (bytes_.byte() > 5) fail("has a newer protocol than 5");
        return true;
      case kFrame:
        bytes_.take(8);
        return true;
      default:
        return false;
    }
  }

  bool step_object(Opcode opcode) {
    switch (opcode) {
      case kGlobal: {
        const std::string module = bytes_.line();
        push_global(module + "." + bytes_.line());
        return true;
      }
      case kStackGlobal: {
        const auto& name = require<std::string>(pop(), "a name");
        const auto& module = require<std::string>(pop(), "a module");
        charge(module.size() + name.size());
        push_global(module + "." + name);
        return true;
      }
      case kReduce:
      case kNewObj: {
        const PickleId arguments = pop(), function = pop();
        call(function, arguments);
        return true;
      }
      case kBuild:
        build();
        return true;
      case kBinPersId:
        push_storage(pop());
        return true;
      default:
        return false;
    }
  }

  void recall(std::uint32_t place) {
    const auto known = memo_.find(place);
    if (known == memo_.end()) fail("recalls a value that it has not kept");
    stack_.push_back(known->second);
  }

  void append(const std::vector<PickleId>& items) {
    const PickleId id = top();
    if (as<PickleOpaque>(id) != nullptr) return;
    require<PickleTuple>(id, "a list to append to");
    auto& list = as<PickleTuple>(id)->items;
    list.insert(list.end(), items.begin(), items.end());
  }

  void set_items(const std::vector<PickleId>& items) {
    if (items.size() % 2 != 0) fail("has a key without a value");
    const PickleId id = top();
    if (as<PickleOpaque>(id) != nullptr) return;
    require<PickleDict>(id, "a dictionary to fill");
    auto& dict = as<PickleDict>(id)->items;
    for (std::size_t i = 0; i < items.size(); i += 2) dict.emplace_back(items[i], items[i + 1]);
  }

  void push_global(const std::string& name) {
    if (is_pickled_storage(name) || is_pickled_dict(name) || is_pickled_rebuilder(name) ||
        is_pickled_extra(name) || name == "torch.Size")
      return push(PickleGlobal{name});
    raise<ModelError>({bytes_.source(), "hold tensors and plain values", "names " + show(name),
                       "load the file in Python and save the state dict alone"});
  }

  /// What a call of the named function would give; no function is called.
  void call(PickleId function, PickleId arguments) {
    if (as<PickleOpaque>(function) != nullptr) return push(PickleOpaque{});
    charge(require<PickleGlobal>(function, "a function to call").name.size());
    const std::string name = as<PickleGlobal>(function)->name;
    charge(require<PickleTuple>(arguments, "arguments").items.size());
    const std::vector<PickleId> items = as<PickleTuple>(arguments)->items;
    if (is_pickled_dict(name)) return push_dict(items);
    if (name == "torch._utils._rebuild_tensor_v2") return push(rebuilt_tensor(items));
    if (is_pickled_rebuilder(name)) {
      if (items.empty()) fail("rebuilds a parameter from nothing");
      stack_.push_back(items[0]);
      return;
    }
    if (name == "torch.Size" && items.size() == 1) {
      stack_.push_back(items[0]);
      return;
    }
    push(PickleOpaque{});
  }

  /// OrderedDict() or, in old files, OrderedDict([[key, value], ...]).
  void push_dict(const std::vector<PickleId>& arguments) {
    PickleDict dict;
    if (!arguments.empty()) {
      charge(require<PickleTuple>(arguments[0], "pairs").items.size());
      for (const PickleId pair : as<PickleTuple>(arguments[0])->items) {
        const auto& items = require<PickleTuple>(pair, "a pair").items;
        if (items.size() != 2) fail("has a pair that is none");
        dict.items.emplace_back(items[0], items[1]);
      }
    }
    push(std::move(dict));
  }

  /// Takes an object's state, which only opaque objects and ordered dictionaries have.
  void build() {
    pop();
    const PickleId object = top();
    if (as<PickleOpaque>(object) == nullptr && as<PickleDict>(object) == nullptr)
      fail("gives a state to what has none");
  }

  std::vector<std::int64_t> integers(PickleId tuple) {
    std::vector<std::int64_t> numbers;
    const auto& items = require<PickleTuple>(tuple, "a list of integers").items;
    if (items.size() > kMostDimensions) fail("has a tensor of too many dimensions");
    numbers.reserve(items.size());
    for (const PickleId item : items) numbers.push_back(require<std::int64_t>(item, "an integer"));
    return numbers;
  }

  std::unique_ptr<PickleTensor> rebuilt_tensor(const std::vector<PickleId>& arguments) {
    if (arguments.size() < 4) fail("rebuilds a tensor from too little");
    const auto& storage = *require<std::unique_ptr<PickleStorage>>(arguments[0],
                                                                   "the storage of a tensor");
    charge(storage.key.size());
    return std::make_unique<PickleTensor>(
        PickleTensor{storage, require<std::int64_t>(arguments[1], "the offset of a tensor"),
                     integers(arguments[2]), integers(arguments[3])});
  }

  /// ("storage", type, key, device, numbers).
  void push_storage(PickleId id) {
    const auto& items = require<PickleTuple>(id, "what names a storage").items;
    if (items.size() < 5) fail("names a storage by too little");
    const std::string& type = require<PickleGlobal>(items[1], "the type of a storage").name;
    charge(type.size() + require<std::string>(items[2], "the key of a storage").size());
    push(std::make_unique<PickleStorage>(
        PickleStorage{type.substr(type.rfind('.') + 1), *as<std::string>(items[2]),
                      require<std::int64_t>(items[4], "the size of a storage")}));
  }

  PickleBytes bytes_;
  std::size_t copied_ = 0;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint32_t, PickleId> memo_;
};

}  // namespace

Pickle parse_pickle(std::span<const std::byte> bytes, const std::string& source) {
  return Machine(bytes, source).run();
}

}  // namespace adadiff::detail
