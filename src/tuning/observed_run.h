// Runs of a comparison or a search: one request after the other, each to its end, unless an
// observer stops the work.
#pragma once

#include <functional>
#include <string>

#include <adadiff/pipeline.h>
#include <adadiff/tuning.h>

namespace adadiff::detail {

/// Thrown by a Runner whose run was stopped. It never leaves the library.
struct Stopped {};

/// Runs a request to its end; `note` says what the run is for. Throws Stopped; any other exception
/// ends the work.
using Runner = std::function<Result(const Request& request, const std::string& note)>;

/// Is told how far a run has come, after each step and about every 50 ms in between; returns false
/// to stop it.
using RunObserver = std::function<bool(const Progress& run)>;

/// Runs a request to its end. The request's own observer is called too. Throws Stopped.
Result run_observed(const Pipeline& pipeline, Request request, const RunObserver& observer);

/// The share of a run that is done, in [0, 1].
double share_done(const Progress& run);

/// A Runner that counts runs, of which there are `total`, or an unknown number where that is 0.
/// Pipeline and observer must outlive it; the observer may be empty.
Runner counting_runner(const Pipeline& pipeline, const TuningObserver& observer, double total);

}  // namespace adadiff::detail
