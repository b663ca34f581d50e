// The words that stand for a plan's choices in JSON, for the reader and the writer.
#pragma once

#include <adadiff/plan.h>

#include "core/names.h"

namespace adadiff::detail {

inline constexpr int kPlanFormat = 1;

inline constexpr Named<RuleKey> kKeys[] = {{RuleKey::Time, "time"},
                                           {RuleKey::Evaluation, "evaluation"}};
inline constexpr Named<Scope> kScopes[] = {{Scope::Sample, "sample"}, {Scope::Batch, "batch"}};
inline constexpr Named<Branches> kBranches[] = {{Branches::Together, "together"},
                                                {Branches::Independent, "independent"}};
inline constexpr Named<PairUncertainty> kPairs[] = {{PairUncertainty::Larger, "larger"},
                                                    {PairUncertainty::Mean, "mean"},
                                                    {PairUncertainty::Conditional, "conditional"}};
inline constexpr Named<Counting> kCountings[] = {{Counting::Consecutive, "consecutive"},
                                                 {Counting::Cumulative, "cumulative"}};
inline constexpr Named<Precision> kPrecisions[] = {{Precision::Float32, "float32"},
                                                   {Precision::BFloat16, "bfloat16"},
                                                   {Precision::Float16, "float16"},
                                                   {Precision::Int8, "int8"}};
inline constexpr Named<LastStep> kLastSteps[] = {{LastStep::Clean, "clean"},
                                                 {LastStep::MinTime, "min-time"}};
inline constexpr Named<Variance> kVariances[] = {{Variance::Network, "network"},
                                                 {Variance::Fixed, "fixed"}};
inline constexpr Named<GuideFallback> kFallbacks[] = {{GuideFallback::None, "none"},
                                                      {GuideFallback::ExitBefore, "exit-before"}};

}  // namespace adadiff::detail
