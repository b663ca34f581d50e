// Policies: code that decides exits where a table of thresholds cannot. A policy replaces a plan's
// `below`, `hits` and `counting`; `scope`, `branches`, `pair` and `guide` still hold: with
// Scope::Batch every unit reads its batch's mean, and a pair reads one number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace adadiff {

/// What decides as one: a sample, or one of its guidance branches under Branches::Independent.
struct DecisionUnit {
  std::int64_t sample = 0;  ///< index in the request
  int branch = 0;  ///< 0 conditional (or the only one), 1 unconditional; 0 for a pair that leaves
                   ///< together
  int evaluation = 0;  ///< index in the run's list of evaluations; units of one site may differ in
                       ///< it
  double time = 1;     ///< 1 = noise, 0 = clean
};

/// A place where a pass may end: after `exit` of `blocks` blocks. 0 = before any block. The last
/// block is the end, not a site.
struct ExitSite {
  int exit = 0;
  int blocks = 0;
  std::span<const DecisionUnit> units;
};

/// Uncertainties seen in this pass, [units x exits so far], exit 0 first; NaN where none was asked
/// for.
struct Readings {
  std::span<const float> values;  ///< row-major, site.exit + 1 values per unit
  int per_unit = 1;
  float at(std::size_t unit, int exit) const {
    return values[unit * static_cast<std::size_t>(per_unit) + static_cast<std::size_t>(exit)];
  }
  float latest(std::size_t unit) const { return at(unit, per_unit - 1); }
};

/// What a site needs before it decides.
enum class Consult : std::uint8_t {
  No,     ///< nobody leaves here: no score is computed, decide is not called
  Score,  ///< compute uncertainties, then call decide
  Leave,  ///< everybody leaves here, no score needed
  Decide  ///< call decide without computing uncertainties: NaN at this exit
};

/// Both functions are pure: same arguments, same answer, from any thread.
class ExitPolicy {
 public:
  virtual ~ExitPolicy() = default;
  virtual Consult consult(const ExitSite& site) const = 0;
  /// Sets leave[i] to 1 where unit i leaves, to 0 where it goes on; leave has one entry per unit.
  virtual void decide(const ExitSite& site, const Readings& readings,
                      std::span<std::uint8_t> leave) const = 0;
};

/// Repeats recorded exits, each sample its own: exits[evaluation][sample], in [0, blocks]. Samples
/// and evaluations beyond the record, and those recorded as -1 because their run ended before, run
/// in full. Where the network lacks the recorded exit, the sample takes the next one. Throws
/// InvalidArgument outside [-1, 255].
std::shared_ptr<const ExitPolicy> replay_policy(std::vector<std::vector<int>> exits);

}  // namespace adadiff
