// How the command uses memory.
#pragma once

namespace adadiff::cli {

/// Keeps freed memory for the next allocation. By default glibc gives tensors of a few MiB back to
/// the system and asks for them again in each block, and the page faults take about a tenth of a
/// run's time (docs/results.md). Nothing where the C library is another one.
void keep_freed_memory();

}  // namespace adadiff::cli
