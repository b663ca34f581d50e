// The words that stand for the choices of a training, in its JSON and on the command line.
#pragma once

#include <span>

#include <adadiff/training.h>

#include "core/names.h"
#include "plans/plan_format.h"

namespace adadiff::detail {

inline constexpr Named<UncertaintyTarget> kUncertaintyTargets[] = {
    {UncertaintyTarget::Excess, "excess"},
    {UncertaintyTarget::Truth, "truth"},
    {UncertaintyTarget::LogExcess, "log-excess"},
    {UncertaintyTarget::Likelihood, "likelihood"}};
inline constexpr Named<LayerWeights> kLayerWeights[] = {{LayerWeights::Certainty, "certainty"},
                                                        {LayerWeights::Plain, "plain"},
                                                        {LayerWeights::Normalised, "normalised"}};
inline constexpr Named<WeightGradient> kWeightGradients[] = {{WeightGradient::Stopped, "stopped"},
                                                             {WeightGradient::Flows, "flows"}};
inline constexpr Named<DistilledExits> kDistilledExits[] = {{DistilledExits::All, "all"},
                                                            {DistilledExits::One, "one"}};
inline constexpr Named<ExitReduction> kExitReductions[] = {{ExitReduction::Mean, "mean"},
                                                           {ExitReduction::Sum, "sum"}};
inline constexpr Named<Trained> kTrainedParts[] = {{Trained::All, "all"},
                                                   {Trained::Exits, "exits"}};
inline constexpr Named<TimeDistribution> kTimeDistributions[] = {
    {TimeDistribution::Uniform, "uniform"},
    {TimeDistribution::Stratified, "stratified"},
    {TimeDistribution::LogitNormal, "logit-normal"}};
inline constexpr Named<Optimiser> kOptimisers[] = {{Optimiser::AdamW, "adamw"},
                                                   {Optimiser::Muon, "muon"}};
inline constexpr Named<Decay> kDecays[] = {{Decay::Cosine, "cosine"},
                                           {Decay::Constant, "constant"}};
/// Training has the first two precisions only.
inline constexpr auto kTrainingPrecisions = std::span(kPrecisions).first<2>();

}  // namespace adadiff::detail
