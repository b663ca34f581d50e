// Tables of the names that stand in files, on the command line and in errors, and the one error for
// a name that is not known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"

namespace adadiff::detail {

/// One value of an enum and its name; a table is an array of these, the default first.
template <class E>
struct Named {
  E value;
  const char* name;
};

/// "a, b, c".
template <class Names>
std::string joined(const Names& names) {
  std::string text;
  for (const auto& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

/// The names of a table, whose entries have a member `name`.
template <class Table>
std::vector<std::string> names_in(const Table& table) {
  std::vector<std::string> names;
  for (const auto& entry : table) names.emplace_back(entry.name);
  return names;
}

/// The entry of that name; null where the table has none.
template <class Table>
auto find_named(const Table& table, std::string_view name) -> decltype(&*std::begin(table)) {
  for (const auto& entry : table) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

/// The name of a value; "unknown" for a value that the table does not have.
template <class Table, class E>
std::string name_of(const Table& table, E value) {
  for (const auto& entry : table) {
    if (entry.value == value) return std::string(entry.name);
  }
  return "unknown";
}

/// What an error says that a name must be: "be one of a, b, c".
inline std::string one_of(const std::vector<std::string>& known) {
  return "be one of " + joined(known);
}

template <class E = InvalidArgument>
[[noreturn]] void raise_unknown(const std::string& where, const std::vector<std::string>& known,
                                std::string_view found) {
  raise<E>({where, one_of(known), "is " + show(std::string(found))});
}

/// The entry of that name. Raises for a name that the table does not have, and lists the names that
/// it has.
template <class E = InvalidArgument, class Table>
const auto& require_named(const Table& table, std::string_view name, const std::string& where) {
  const auto* entry = find_named(table, name);
  if (entry == nullptr) raise_unknown<E>(where, names_in(table), name);
  return *entry;
}

}  // namespace adadiff::detail
