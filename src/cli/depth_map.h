// A trace as a picture: one column per evaluation, one row per sample, the colour tells how many
// blocks ran.
#pragma once

#include <adadiff/image.h>
#include <adadiff/trace.h>

namespace adadiff::cli {

/// One RGB image with axes and a colour bar. Long traces are thinned to what fits. Throws
/// InvalidArgument for an empty trace.
Images draw_depth_map(const Trace& trace);

}  // namespace adadiff::cli
