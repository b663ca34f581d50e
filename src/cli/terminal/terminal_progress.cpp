// Progress of long work on standard error: a line that is rewritten on a terminal, one line now and
// then elsewhere.
#include "cli/terminal/terminal_progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/terminal/output.h"

namespace adadiff::cli {
namespace {

constexpr std::chrono::milliseconds kOnTerminal{100};
constexpr std::chrono::seconds kElsewhere{30};

}  // namespace

TerminalProgress::TerminalProgress(std::string verb, std::string unit)
    : verb_(std::move(verb)), unit_(std::move(unit)), is_terminal_(isatty(STDERR_FILENO) == 1) {}

TerminalProgress::~TerminalProgress() { clear(); }

void TerminalProgress::clear() {
  if (is_shown_) std::fputs("\r\x1b[K", stderr);
  is_shown_ = false;
}

std::string TerminalProgress::line(double done, double total, const Pace& pace) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const bool is_measured = pace.per_second <= 0;
  const double rate = is_measured ? (done - first_done_) / std::max(seconds, 1e-9)
                                  : pace.per_second;
  std::string text = "adadiff " + verb_ + ": " + fixed(done, 0) + "/" + fixed(total, 0) + " " +
                     unit_;
  if (rate > 0) {
    const double left = is_measured ? (total - done) / rate : pace.seconds_left;
    text += ", " + fixed(rate, rate < 10 ? 2 : 0) + "/s, " + duration(1000 * left) + " " +
            pace.ending;
  }
  return pace.extra.empty() ? text : text + ", " + pace.extra;
}

void TerminalProgress::update(double done, double total, const Pace& pace) {
  if (done < last_done_) {
    first_done_ = done;
    start_ = Clock::now();
  }
  last_done_ = done;
  if (Clock::now() - last_ <
      (is_terminal_ ? Clock::duration(kOnTerminal) : Clock::duration(kElsewhere)))
    return;
  last_ = Clock::now();
  const std::string text = line(done, total, pace);
  std::fprintf(stderr, is_terminal_ ? "\r%s\x1b[K" : "%s\n", text.c_str());
  is_shown_ = is_terminal_;
}

}  // namespace adadiff::cli
