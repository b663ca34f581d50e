// The `adadiff` command.
#include "cli/run_command.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/memory.h"
#include "cli/terminal/standard_streams.h"

int main(int argc, char** argv) {
  adadiff::cli::reserve_standard_streams();
  adadiff::cli::keep_freed_memory();
  adadiff::cli::watch_signals();
  return adadiff::cli::run_command(argc, argv);
}
