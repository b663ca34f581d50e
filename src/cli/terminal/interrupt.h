// Ctrl-C as a request to stop: the first one is noted, the second one ends the process as usual.
#pragma once

namespace adadiff::cli {

/// Notes SIGINT and SIGTERM instead of dying of them, and makes a broken pipe, and a file that
/// grows beyond the user's limit, an error of the write that met it.
void watch_signals();
bool interrupted();

}  // namespace adadiff::cli
