// Appends to CSV logs, and repairs them.
#include "training/csv_log.h"

#include <charconv>
#include <filesystem>
#include <sstream>

#include "core/check.h"
#include "io/text_file.h"
#include "training/checkpoint.h"

namespace adadiff::detail {
namespace {

constexpr std::string_view
    kHeader = "step,loss,simple,uem,ual,lr,grad_norm,ms,data_ms,forward_ms,backward_ms,update_ms";

bool is_regular(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_regular_file(path, none);
}

/// The step with which a whole line starts; -1 for any other line.
std::int64_t step_of(const std::string& line) {
  std::int64_t step = -1;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), step);
  return error == std::errc() && end != line.data() + line.size() && *end == ',' ? step : -1;
}

/// The header and the lines of steps 1..last_step. A line without its newline counts as broken.
/// Raises for a file that is not a log, so that it is not overwritten.
std::string kept_lines(const std::string& path, std::int64_t last_step) {
  std::string kept = std::string(kHeader) + "\n";
  if (!is_regular(path)) return kept;
  std::ifstream file(path);
  std::string line;
  const bool is_empty = !std::getline(file, line);
  if (!(is_empty && last_step == 0) && line != kHeader) {
    raise<FileError>({path, "be the log of a training, beginning \"" + std::string(kHeader) + "\"",
                      "begins " + show(line), "name another file, or move this one away"});
  }
  while (std::getline(file, line) && !file.eof()) {
    const std::int64_t step = step_of(line);
    if (step >= 1 && step <= last_step) kept += line + "\n";
  }
  return kept;
}

}  // namespace

CsvLog::CsvLog(const std::string& path, std::int64_t last_step, bool must_be_new) : path_(path) {
  if (path.empty()) return;
  std::error_code ignored;
  if (std::filesystem::is_fifo(path, ignored))
    raise<FileError>({path, "be a file that a resume can mend", "is a pipe"});
  if (must_be_new && is_regular(path) && kept_lines(path, kMostSteps).size() > kHeader.size() + 1) {
    raise({path, "have no steps where a training starts afresh", "has the log of another",
           "move it away, or name another file"});
  }
  write_text(path, kept_lines(path, last_step));
  file_.open(path, std::ios::app);
  if (!file_) raise<FileError>({path, "be a file that can be appended to", "cannot be opened"});
}

void CsvLog::append(const TrainingProgress& p) {
  if (path_.empty()) return;
  std::ostringstream line;
  line.imbue(std::locale::classic());
  line.precision(7);
  line << p.step << ',' << p.loss << ',' << p.simple << ',' << p.uncertainty << ',' << p.layers
       << ',' << p.learning_rate << ',' << p.gradient_norm << ',' << p.milliseconds << ','
       << p.data_ms << ',' << p.forward_ms << ',' << p.backward_ms << ',' << p.update_ms << '\n';
  file_ << line.str() << std::flush;
  if (!file_)
    raise<FileError>({path_, "take another line", "cannot be written", "is the disk full?"});
}

}  // namespace adadiff::detail
