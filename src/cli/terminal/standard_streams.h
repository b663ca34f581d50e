// Keeps the numbers of the standard streams from being given to files.
#pragma once

namespace adadiff::cli {

/// Streams that the caller closed are opened on /dev/null, where using them still fails; otherwise
/// the next file opened would get their number, and messages would end up in it.
void reserve_standard_streams();

}  // namespace adadiff::cli
