// Policies: code that decides exits where a table of thresholds cannot. A policy replaces a plan's
// `below`, `hits` and `counting`. The plan's `scope`, `branches`, `pair` and `guide` still apply:
// with Scope::Batch every unit reads the mean of its batch, and a pair of branches that leaves
// together reads one number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace adadiff {

/// A unit that leaves or stays as a whole: a sample, or one of its guidance branches under
/// Branches::Independent.
struct DecisionUnit {
  std::int64_t sample = 0;  ///< index in the request
  int branch = 0;      ///< 0: conditional, or the only branch; 1: unconditional. A pair that leaves
                       ///< together has 0
  int evaluation = 0;  ///< index in the run's list of evaluations; the units at one site may be at
                       ///< different evaluations
  double time = 1;     ///< 1 = noise, 0 = clean
};

/// A place where a pass may end: after `exit` of `blocks` blocks, where 0 means before any block.
/// The end of the network, after its last block, is not a site.
struct ExitSite {
  int exit = 0;
  int blocks = 0;
  std::span<const DecisionUnit> units;
};

/// The uncertainties of this pass so far, [units x exits so far], exit 0 first; NaN where none was
/// requested.
struct Readings {
  std::span<const float> values;  ///< row-major, site.exit + 1 values per unit
  int per_unit = 1;
  float at(std::size_t unit, int exit) const {
    return values[unit * static_cast<std::size_t>(per_unit) + static_cast<std::size_t>(exit)];
  }
  float latest(std::size_t unit) const { return at(unit, per_unit - 1); }
};

/// What a policy needs at a site before it decides.
enum class Consult : std::uint8_t {
  No,     ///< no unit leaves here; no score is computed and decide is not called
  Score,  ///< compute uncertainties, then call decide
  Leave,  ///< every unit leaves here; no score is needed
  Decide  ///< call decide without computing uncertainties; the readings at this exit are NaN
};

/// Decides which units leave at a site. Both functions are pure: the same arguments give the same
/// answer, from any thread.
class ExitPolicy {
 public:
  virtual ~ExitPolicy() = default;
  virtual Consult consult(const ExitSite& site) const = 0;
  /// Sets leave[i] to 1 where unit i leaves and to 0 where it goes on; leave has one entry per
  /// unit.
  virtual void decide(const ExitSite& site, const Readings& readings,
                      std::span<std::uint8_t> leave) const = 0;
};

/// A policy with which each sample repeats its own recorded exits, exits[evaluation][sample] in
/// [0, blocks]. Samples and evaluations beyond the record run in full, and so do entries of -1,
/// which mean that the recorded run had ended before. Where the network does not have the recorded
/// exit, the sample takes the next one. Throws InvalidArgument for entries outside [-1, 255].
std::shared_ptr<const ExitPolicy> replay_policy(std::vector<std::vector<int>> exits);

}  // namespace adadiff
