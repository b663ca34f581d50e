// The words that stand for a plan's choices in JSON, for the reader and the writer.
#pragma once

#include <span>
#include <string>

#include <adadiff/plan.h>

namespace adadiff::detail {

inline constexpr int kPlanFormat = 1;

/// A field whose value is one of a few words. Entry i is the word of enumerator i, and the first
/// one is the default.
template <class T>
struct Choice {
  const char* field;
  std::span<const char* const> words;
};

inline constexpr const char* kKeyWords[] = {"time", "evaluation"};
inline constexpr const char* kScopeWords[] = {"sample", "batch"};
inline constexpr const char* kBranchesWords[] = {"together", "independent"};
inline constexpr const char* kPairWords[] = {"larger", "mean", "conditional"};
inline constexpr const char* kCountingWords[] = {"consecutive", "cumulative"};
inline constexpr const char* kPrecisionWords[] = {"float32", "bfloat16", "float16", "int8"};

inline constexpr const char* kLastStepWords[] = {"clean", "min-time"};
inline constexpr const char* kFallbackWords[] = {"none", "exit-before"};

inline constexpr Choice<RuleKey> kKeys{"key", kKeyWords};
inline constexpr Choice<Scope> kScopes{"scope", kScopeWords};
inline constexpr Choice<Branches> kBranches{"branches", kBranchesWords};
inline constexpr Choice<PairUncertainty> kPairs{"pair", kPairWords};
inline constexpr Choice<Counting> kCountings{"counting", kCountingWords};
inline constexpr Choice<Precision> kPrecisions{"precision", kPrecisionWords};
inline constexpr Choice<LastStep> kLastSteps{"last", kLastStepWords};
inline constexpr Choice<GuideFallback> kFallbacks{"fallback", kFallbackWords};

template <class T>
std::string name_of(const Choice<T>& choice, T value) {
  return choice.words[static_cast<std::size_t>(value)];
}

}  // namespace adadiff::detail
