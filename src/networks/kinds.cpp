// The table of kinds.
#include "networks/kinds.h"

#include "core/names.h"

namespace adadiff::detail {
namespace {

struct Kind {
  const char* name;
  std::unique_ptr<NetworkDescription> (*describe)(const JsonReader& json);
};
constexpr Kind kKinds[] = {{"uvit", describe_uvit}, {"dit", describe_dit}, {"unet", describe_unet}};

}  // namespace

std::unique_ptr<NetworkDescription> describe_network(const JsonReader& json,
                                                     const std::vector<std::string>& brought) {
  const JsonReader name = json.field("kind");
  const Kind* kind = find_named(kKinds, name.as_string(64));
  if (kind == nullptr) {
    std::vector<std::string> known = names_in(kKinds);
    known.insert(known.end(), brought.begin(), brought.end());
    name.fail(one_of(known) + ", or a kind that the program brings (PipelineOptions::kinds)");
  }
  return kind->describe(json);
}

}  // namespace adadiff::detail
