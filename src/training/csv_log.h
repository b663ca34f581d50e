// The log of a training: one CSV line per step. The file is whole after every step.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include <adadiff/training.h>

namespace adadiff::detail {

/// Columns: step,loss,simple,uem,ual,lr,grad_norm,ms,data_ms,forward_ms,backward_ms,update_ms.
class CsvLog {
 public:
  /// Keeps the lines of steps 1..last_step of an existing log, and drops later and broken ones.
  /// With an empty path, nothing is logged. Throws FileError, also where the file is something
  /// other than such a log; InvalidArgument where the log must be new, but has steps.
  CsvLog(const std::string& path, std::int64_t last_step, bool must_be_new);
  void append(const TrainingProgress& progress);

 private:
  std::string path_;
  std::ofstream file_;
};

}  // namespace adadiff::detail
