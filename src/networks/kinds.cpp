// The table of kinds.
#include "networks/kinds.h"

#include "core/names.h"

namespace adadiff::detail {
namespace {

struct Kind {
  const char* name;
  std::unique_ptr<NetworkDescription> (*describe)(const JsonReader& json);
};
constexpr Kind kKinds[] = {{"uvit", describe_uvit}, {"dit", describe_dit}};

}  // namespace

std::unique_ptr<NetworkDescription> describe_network(const JsonReader& json) {
  const JsonReader name = json.field("kind");
  const Kind* kind = find_named(kKinds, name.as_string(64));
  if (kind == nullptr)
    name.fail("be one of the networks of this build: " + joined(names_in(kKinds)));
  return kind->describe(json);
}

}  // namespace adadiff::detail
