// What a run did: for every evaluation and sample where it left, how sure it was, and what that
// cost.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adadiff {

/// How a run stands or ended.
enum class Status : std::uint8_t { Working, Completed, Cancelled, Failed };
const char* to_string(Status status);

/// Where a run stands, handed to Request::observer after every step of every batch.
struct Progress {
  int step = 0, steps = 0;              ///< steps done and to do, of this batch
  std::int64_t batch = 0, batches = 1;  ///< this batch, from 0
  double mean_exit_depth = 0;           ///< blocks run per sample so far in this run
};

/// One evaluation of the network. Lists have one entry per sample and branch: sample-major,
/// conditional branch first.
struct EvaluationTrace {
  int evaluation = 0, step = 0, stage = 0;
  double time = 1;
  std::vector<int> exit;           ///< blocks run, in [0, blocks]; -1 where the run ended before
  std::vector<float> uncertainty;  ///< at that exit; NaN where none was asked for
  double
      milliseconds = 0;  ///< wall time of the evaluation, its update included, summed over batches
  std::vector<int> guide = {};  ///< the exit that guided the prediction, -1 where none did; empty
                                ///< where nobody can be guided
  double
      guide_weight = 1;  ///< of the plan's guide in this evaluation; 1 where nobody can be guided
};

/// Multiply-accumulates of a run, counted from what ran.
struct ComputeCount {
  double blocks = 0;      ///< embeddings and blocks
  double heads = 0;       ///< predictions
  double scores = 0;      ///< uncertainties
  double full_depth = 0;  ///< a plain full-depth run of the same evaluations: embeddings, blocks,
                          ///< one head
  double total() const { return blocks + heads + scores; }
  double skipped() const { return full_depth > 0 ? 1 - total() / full_depth : 0; }
};

struct Trace {
  int blocks = 0;  ///< of the network
  std::int64_t samples = 0;
  int branches = 1;  ///< 2 with guidance
  std::vector<EvaluationTrace> evaluations;
  ComputeCount compute;
  double mean_exit_depth()
      const;  ///< mean blocks run over evaluations, samples and branches; NaN for an empty trace
  double full_evaluations()
      const;  ///< compute per sample in units of one full-depth evaluation (with guidance: of both
              ///< branches). Counts the evaluations that ran, so a cancelled run reports less
  /// exits[evaluation][sample], the conditional branch's where there are two: what replay_policy
  /// and recorded_exits take.
  std::vector<std::vector<int>> exits() const;
};

/// The JSON of docs/exits.md ("adadiff-trace", format 1).
std::string to_json(const Trace& trace);
/// Reads it back; throws InvalidArgument.
Trace parse_trace(std::string_view json, std::string_view source = "trace");

}  // namespace adadiff
