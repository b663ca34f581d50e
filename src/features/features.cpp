// Checks of features that all metrics share.
#include "features/features.h"

#include "core/check.h"

namespace adadiff::detail {

void check_features(const Features& features, const std::string& where,
                    std::int64_t least_samples) {
  if (features.rows() < least_samples) {
    raise({where, "have at least " + show(least_samples) + " samples",
           "has " + show(std::int64_t{features.rows()})});
  }
  if (features.cols() < 1) raise({where, "have at least one feature per sample", "has none"});
  if (!features.allFinite()) raise({where, "hold finite numbers", "holds NaN or infinity"});
}

void check_same_dimensions(const Features& reference, const Features& generated) {
  if (reference.cols() == generated.cols()) return;
  raise({"generated features",
         "have " + show(std::int64_t{reference.cols()}) + " numbers per sample, as the reference",
         "have " + show(std::int64_t{generated.cols()}), "compute both with the same network"});
}

}  // namespace adadiff::detail
