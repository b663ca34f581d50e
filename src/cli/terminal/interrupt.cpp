// Ctrl-C as a request to stop: the first one is noted, the second one ends the process as usual.
#include "cli/terminal/interrupt.h"

#include <atomic>
#include <csignal>

namespace adadiff::cli {
namespace {

std::atomic<bool> stop_wanted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

void note(int signal) {
  stop_wanted.store(true);
  std::signal(signal, SIG_DFL);
}

/// A signal that was ignored when the command started stays ignored.
void watch(int signal) {
  if (std::signal(signal, note) == SIG_IGN) std::signal(signal, SIG_IGN);
}

}  // namespace

void watch_signals() {
  watch(SIGINT);
  watch(SIGTERM);
#ifdef SIGHUP
  watch(SIGHUP);  // a terminal that is closed
#endif
#ifdef SIGPIPE
  std::signal(SIGPIPE, SIG_IGN);
#endif
#ifdef SIGXFSZ
  std::signal(SIGXFSZ, SIG_IGN);
#endif
}

bool interrupted() { return stop_wanted.load(); }

}  // namespace adadiff::cli
