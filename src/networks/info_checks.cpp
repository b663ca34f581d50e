#include "networks/info_checks.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/check.h"

namespace adadiff::detail {
namespace {

constexpr std::int64_t kLargestSide = 1 << 16;
constexpr std::int64_t kLargestImage = std::int64_t{1} << 30;  // values

void check_list(const std::string& where, std::size_t entries, int blocks) {
  if (entries == static_cast<std::size_t>(blocks)) return;
  raise({where, "have " + show(blocks) + " entries, one per block",
         "has " + show(static_cast<std::int64_t>(entries))});
}

}  // namespace

void check_info(const NetworkInfo& info) {
  require_range("NetworkInfo.blocks", info.blocks, 1, kMostNetworkBlocks);
  require_range("NetworkInfo.channels", info.channels, std::int64_t{1}, kLargestSide);
  require_range("NetworkInfo.height", info.height, std::int64_t{1}, kLargestSide);
  require_range("NetworkInfo.width", info.width, std::int64_t{1}, kLargestSide);
  if (info.height * info.width > kLargestImage / info.channels) {
    raise({"NetworkInfo.channels x height x width", "be at most " + show(kLargestImage),
           "is " + show(info.channels) + " x " + show(info.height) + " x " + show(info.width)});
  }
  require_range("NetworkInfo.classes", info.classes, std::int64_t{0}, std::int64_t{1'000'000'000});
  require_range("NetworkInfo.null_label", info.null_label, std::int64_t{-1}, info.classes - 1);
  check_list("NetworkInfo.can_exit", info.can_exit.size(), info.blocks);
  check_list("NetworkInfo.cost.block", info.cost.block.size(), info.blocks);
  check_list("NetworkInfo.cost.head", info.cost.head.size(), info.blocks);
  check_list("NetworkInfo.cost.score", info.cost.score.size(), info.blocks);
  if ((info.skippable & kAttentionPart) != 0)
    check_list("NetworkInfo.cost.attention", info.cost.attention.size(), info.blocks);
  if ((info.skippable & kMlpPart) != 0)
    check_list("NetworkInfo.cost.mlp", info.cost.mlp.size(), info.blocks);
  const auto& types = info.precisions;
  if (std::find(types.begin(), types.end(), Precision::Float32) == types.end())
    raise({"NetworkInfo.precisions", "list float32", "does not"});
  require_range("NetworkInfo.skippable", static_cast<int>(info.skippable), 0, 3);
  for (const std::int64_t size :
       {info.condition.tokens, info.condition.token_width, info.condition.pooled_width})
    require_range("NetworkInfo.condition", size, std::int64_t{0}, std::int64_t{1} << 20);
}

}  // namespace adadiff::detail
