// The command line as a function.
#pragma once

namespace adadiff::cli {

/// Does what the arguments say and gives the exit code: 0 done, 1 failed, 2 bad usage. Throws
/// nothing.
int run_command(int argc, char** argv);

}  // namespace adadiff::cli
