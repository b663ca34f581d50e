// Questions that a trace answers by itself.
#include <adadiff/trace.h>

#include <limits>

namespace adadiff {

const char* to_string(Status status) {
  switch (status) {
    case Status::Working:
      return "working";
    case Status::Completed:
      return "completed";
    case Status::Cancelled:
      return "cancelled";
    case Status::Failed:
      return "failed";
  }
  return "unknown";
}

namespace {

/// Rows of evaluations that ran, and the blocks that they ran.
struct Ran {
  double rows = 0, blocks = 0;
};

Ran count_ran(const std::vector<EvaluationTrace>& evaluations) {
  Ran ran;
  for (const EvaluationTrace& evaluation : evaluations) {
    for (const int exit : evaluation.exit) {
      if (exit < 0) continue;
      ran.blocks += exit;
      ++ran.rows;
    }
  }
  return ran;
}

}  // namespace

double Trace::mean_exit_depth() const {
  const Ran ran = count_ran(evaluations);
  return ran.rows > 0 ? ran.blocks / ran.rows : std::numeric_limits<double>::quiet_NaN();
}

double Trace::full_evaluations() const {
  const double rows_per_evaluation = static_cast<double>(samples) * branches;
  return rows_per_evaluation > 0
             ? count_ran(evaluations).rows / rows_per_evaluation * (1 - compute.skipped())
             : 0;
}

std::vector<std::vector<int>> Trace::exits() const {
  const auto stride = static_cast<std::size_t>(branches < 1 ? 1 : branches);
  std::vector<std::vector<int>> exits;
  for (const EvaluationTrace& evaluation : evaluations) {
    std::vector<int>& list = exits.emplace_back();
    for (std::size_t i = 0; i < evaluation.exit.size(); i += stride)
      list.push_back(evaluation.exit[i]);
  }
  return exits;
}

}  // namespace adadiff
