// What a run did: for every evaluation and sample, where the sample left, how sure the network was,
// and what that cost.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adadiff {

/// The state of a run: still working, or how it ended.
enum class Status : std::uint8_t { Working, Completed, Cancelled, Failed };
const char* to_string(Status status);

/// How far a run has come. Request::observer receives it after every step of every batch.
struct Progress {
  int step = 0, steps = 0;              ///< steps of this batch that are done, and their total
  std::int64_t batch = 0, batches = 1;  ///< number of this batch, from 0, and the total
  double mean_exit_depth = 0;           ///< mean number of blocks run per sample so far in this run
};

/// One evaluation of the network. Lists have one entry per sample and branch: sample-major,
/// conditional branch first.
struct EvaluationTrace {
  int evaluation = 0, step = 0, stage = 0;
  double time = 1;
  std::vector<int> exit;           ///< blocks run, in [0, blocks]; -1 where the run ended before
                                   ///< this evaluation
  std::vector<float> uncertainty;  ///< uncertainty at that exit; NaN where none was requested
  /// Wall time of the evaluation and its update, summed over batches.
  double milliseconds = 0;
  std::vector<int> guide = {};  ///< the exit that guided each prediction, -1 where none did; empty
                                ///< where no sample can be guided
  /// Weight of the plan's guide in this evaluation; 1 where no sample can be guided.
  double guide_weight = 1;
};

/// The multiply-accumulates of a run, counted from what actually ran.
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
  int blocks = 0;  ///< number of blocks of the network
  std::int64_t samples = 0;
  int branches = 1;  ///< 1, or 2 with guidance
  std::vector<EvaluationTrace> evaluations;
  ComputeCount compute;
  /// The mean number of blocks run, over evaluations, samples and branches; NaN for an empty trace.
  double mean_exit_depth() const;
  /// Compute per sample in units of one full-depth evaluation (with guidance: of both branches).
  /// Only evaluations that ran are counted, so a cancelled run reports less.
  double full_evaluations() const;
  /// exits[evaluation][sample] in the form that replay_policy and recorded_exits take. Where there
  /// are two branches, these are the conditional branch's exits.
  std::vector<std::vector<int>> exits() const;
};

/// The trace as the JSON of docs/exits.md ("adadiff-trace", format 1).
std::string to_json(const Trace& trace);
/// Reads that JSON back. Throws InvalidArgument.
Trace parse_trace(std::string_view json, std::string_view source = "trace");

}  // namespace adadiff
