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

double Trace::mean_exit_depth() const {
  double sum = 0, count = 0;
  for (const EvaluationTrace& evaluation : evaluations) {
    for (const int exit : evaluation.exit) {
      if (exit < 0) continue;
      sum += exit;
      ++count;
    }
  }
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

double Trace::full_evaluations() const { return static_cast<double>(evaluations.size()) * (1 - compute.skipped()); }

std::vector<std::vector<int>> Trace::exits() const {
  const auto stride = static_cast<std::size_t>(branches < 1 ? 1 : branches);
  std::vector<std::vector<int>> exits;
  for (const EvaluationTrace& evaluation : evaluations) {
    std::vector<int>& list = exits.emplace_back();
    for (std::size_t i = 0; i < evaluation.exit.size(); i += stride) list.push_back(evaluation.exit[i]);
  }
  return exits;
}

}  // namespace adadiff
