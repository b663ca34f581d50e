// What the files of the noise schedules share: the check of a finished schedule.
#pragma once

#include <string>

#include <adadiff/noise_schedule.h>

namespace adadiff::detail {

/// Raises InvalidArgument unless the schedule reaches more noise than signal (log-SNR below 0) at
/// time 1; returns it.
SchedulePtr require_noise_at_end(const std::string& where, SchedulePtr schedule);

}  // namespace adadiff::detail
