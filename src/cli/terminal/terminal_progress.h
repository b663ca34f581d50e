// Progress of long work on standard error: a line that is rewritten on a terminal, one line now and
// then elsewhere.
#pragma once

#include <chrono>
#include <limits>
#include <string>

namespace adadiff::cli {

/// What stands behind the count. A rate of 0: measured here, from the first call or from where
/// `done` last fell back.
struct Pace {
  double per_second = 0, seconds_left = 0;
  std::string extra = {};       ///< for example a loss
  const char* ending = "left";  ///< what stands behind the time
};

class TerminalProgress {
 public:
  /// `verb` leads each line, `unit` names what is counted, in plural.
  TerminalProgress(std::string verb, std::string unit);
  ~TerminalProgress();
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;

  void update(double done, double total, const Pace& pace = {});
  /// Takes the line away.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(double done, double total, const Pace& pace) const;

  std::string verb_, unit_;
  bool is_terminal_;
  bool is_shown_ = false;
  Clock::time_point start_ = Clock::now(), last_ = Clock::now();
  double first_done_ = 0, last_done_ = std::numeric_limits<double>::infinity();
};

}  // namespace adadiff::cli
